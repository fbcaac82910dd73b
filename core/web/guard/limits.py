"""A limit on what a stranger can make the server read."""

import functools
from collections.abc import Callable, Collection
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Busy
from core.services.people.passwords import HASHING_MAX, RETRY_AFTER_S, WAITING_MAX

FORM_MAX_BYTES = 64 * 1024
# A form comes at once, or by a bad line in some seconds. Whoever sends a piece now and then would hold a connection for
# ever, with no session and uncounted.
FORM_S = 30.0
# What is read and dropped of a body that was refused, and for how many seconds at most.
DROPPED_BYTES, DROPPED_S = 1 << 20, 10
P = ParamSpec("P")
R = TypeVar("R")
# Threads for those who set or check passwords: the other threads are for everybody else.
_hashing = CapacityLimiter(HASHING_MAX)


async def run_hashing(work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """
    Run *work*, which hashes a password, in a thread of its own as soon as few others do so.

    Raises: Busy: so many wait already that it would take seconds.
    """
    if _hashing.statistics().tasks_waiting >= WAITING_MAX:
        raise Busy(RETRY_AFTER_S, "Too many people are logging in right now.")
    return await to_thread.run_sync(functools.partial(work, *arguments, **options), limiter=_hashing)


async def drop_rest(receive: Receive, last: Message | None = None, *, most_bytes: int = DROPPED_BYTES) -> None:
    """
    Read on, and drop what comes, up to a bound: a browser that cannot send to the end does not look for the answer.

    *last* is the latest message that was read of the request, None when none was.
    """
    left = most_bytes
    with move_on_after(DROPPED_S):
        while left > 0 and (last is None or (last["type"] == "http.request" and last.get("more_body", False))):
            last = await receive()
            left -= len(last.get("body", b""))


class BodyLimit:
    """ASGI middleware: request bodies on *paths* have *max_bytes* at most (413) and come within `FORM_S` (408)."""

    def __init__(self, app: ASGIApp, *, paths: Collection[str], max_bytes: int = FORM_MAX_BYTES) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body first: counting beats believing Content-Length, which may be missing or wrong."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        first: Message | None = None
        with move_on_after(FORM_S) as waiting:
            first = await self._read(receive)
        if waiting.cancelled_caught:
            refusal = PlainTextResponse("The form took too long to arrive.", 408, headers={"Connection": "close"})
            await refusal(scope, receive, send)
        elif first is None:
            refusal = PlainTextResponse("The form is too large.", 413, headers={"Connection": "close"})
            await refusal(scope, receive, send)
        elif first["type"] == "http.request":
            await self._app(scope, _replay(first, receive), send)
        # Otherwise the browser left before it had said everything: there is nobody to answer, and nothing is wrong.

    async def _read(self, receive: Receive) -> Message | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                await drop_rest(receive, message)
                return None
            if not message.get("more_body", False):
                return {"type": "http.request", "body": body, "more_body": False}


def _replay(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message
