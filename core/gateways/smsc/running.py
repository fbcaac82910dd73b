"""An SMSC on a thread of its own, to be driven from any other."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from core.gateways.smsc.behavior import SmscBehavior, change_faults
from core.gateways.smsc.journal import SmscJournal
from core.gateways.smsc.smsc import Address, Smsc

T = TypeVar("T")

_PATIENCE_S = 30.0


class SmscThread:
    """
    An SMSC that runs while the block does.

    with SmscThread(folder / "smsc.sqlite", SmscBehavior({"me": "secret"})) as smsc:
        client.connect("127.0.0.1", smsc.port)
        smsc.set_faults(answer_s=0.2)
        assert smsc.journal.count_accepted() == 1
    """

    def __init__(
        self,
        path: Path,
        behavior: SmscBehavior,
        address: Address | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Keep all of it; *clock* is the machine's by default."""
        self.journal = SmscJournal(path)
        self.path = path
        self._behavior = behavior
        self._address = address or Address()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smsc", daemon=True)
        self._smsc: Smsc | None = None

    def __enter__(self) -> Self:
        """Start, and listen. Raises: ConfigurationError, Unavailable."""
        self._thread.start()
        try:
            self.wait_for(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of all binds, and end."""
        self.wait_for(self.running.stop())
        self._end()
        self.journal.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.running.port

    def set_faults(self, **changes: object) -> None:
        """Change what goes wrong; see `behavior.Faults`. Raises: InvalidInput."""
        self.call(lambda smsc: smsc.set_faults(change_faults(smsc.faults, changes)))

    def reply(self, system_id: str, msisdn: str, sender_id: str, text: str) -> None:
        """Let *msisdn* answer to *sender_id*; it comes to the binds of *system_id*."""
        self.call(lambda smsc: smsc.reply(system_id, msisdn, sender_id, text))

    def drop_next(self, count: int = 1) -> None:
        """Take the next *count* submits, and drop the connection of each in place of a response."""
        self.call(lambda smsc: smsc.drop_next(count))

    def disconnect(self) -> None:
        """Drop all connections."""
        self.call(lambda smsc: smsc.disconnect())

    def unbind(self) -> None:
        """Ask everybody to let go."""
        self.call(lambda smsc: smsc.unbind())

    def close(self) -> None:
        """Refuse new connections; those that are there stay."""
        self.call(lambda smsc: smsc.close())

    def open(self) -> None:
        """Take new connections again, at the same port."""
        self.wait_for(self.running.open())

    def state(self) -> dict[str, object]:
        """Return what there is to see; see `Smsc.state`."""
        return self.call(lambda smsc: smsc.state())

    def call(self, do: Callable[[Smsc], T]) -> T:
        """Do anything else with the SMSC on its own thread."""

        async def done() -> T:
            return do(self.running)

        return self.wait_for(done())

    @property
    def running(self) -> Smsc:
        """The SMSC itself, for its own thread only."""
        assert self._smsc is not None, "it was not started"
        return self._smsc

    async def _start(self) -> None:
        self._smsc = Smsc(self.path, self._behavior, self._clock)
        await self._smsc.start(self._address)

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run *coroutine* on the SMSC's thread, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()
