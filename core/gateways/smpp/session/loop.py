"""One event loop in a thread of its own, for all connections of a process."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs what it is given; threads hand in, and wait for, what they like."""

    def __init__(self, name: str) -> None:
        """Start the thread; it ends with the process."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=name, daemon=True).start()

    def soon(self, call: Callable[..., object], *values: object) -> None:
        """Call it in the loop, as soon as that is free."""
        self._loop.call_soon_threadsafe(call, *values)

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run it in the loop, and return what can be waited for."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@cache
def shared_loop() -> LoopThread:
    """Return this process's loop, started on first use."""
    return LoopThread("gateways")
