"""
The addresses that providers report to: each is a token that only one gateway's provider knows.

A provider is answered with 200 when what it tells is on disk, and not before. Nobody is refused because many come at
once; a stranger costs no thread, no look into a store and no octet of a body.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping

from anyio import move_on_after
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.gateways.gateways import CALLBACK_PATH
from core.domain.messages.strays import Stray, StrayReason
from core.errors import StorageError
from core.gateways.callbacks import CallbackRequest, Heard, SignatureRefused, UnreadableCallback
from core.services.sending.callbacks import KnownCallback
from core.web.callbacks.group_commit import GroupCommit
from core.web.callbacks.refusals import Refusals
from core.web.guard.limits import drop_rest
from core.web.guard.visitors import Visitors
from core.web.ports import Clock, ToldCallbacks

log = logging.getLogger(__name__)

PREFIX = f"{CALLBACK_PATH}/"
BODY_MAX_BYTES = 1 << 20
BODY_S = 30.0
# Of all bodies that are being read or waiting to be stored, together; and of those of one gateway, so that whoever has
# got hold of its address keeps no other provider out.
HELD_MAX_BYTES = 64 << 20
HELD_OF_ONE_MAX_BYTES = 16 << 20
# A token that is new, or no longer valid, is noticed after this long. While the store does not answer, one that was
# valid is good for longer: what comes with it cannot be stored anyway.
LOOK_S = 1.0
# A larger body is read by a thread, so that it does not hold up the others.
SMALL_BYTES = 16 << 10
METHODS = frozenset({"GET", "POST", "PUT"})
_RETRY: Mapping[str, str] = {"Retry-After": "5"}


class _Refused(Exception):
    """The request is answered with a status of refusal."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers or {}


class _Gone(Exception):
    """Whoever asked has left before the end: there is nobody to answer."""


class Callbacks:
    """ASGI middleware behind the one that knows proxies: serves everything below `CALLBACK_PATH`, and nothing else."""

    def __init__(self, app: ASGIApp, *, callbacks: ToldCallbacks, clock: Clock, address: str) -> None:
        """Take who knows the tokens and stores, and where providers reach this installation: signatures name that."""
        self._app = app
        self._callbacks = callbacks
        self._clock = clock
        self._address = address
        self._group = GroupCommit(callbacks.store)
        self._visitors = Visitors()
        self._refusals = Refusals()
        self._looking: asyncio.Task[bool] | None = None
        # By gateway; what has come to nothing is not there.
        self._held_bytes = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a callback, or pass on what is none."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        try:
            status, headers = await self._hear(scope, receive), dict[str, str]()
        except _Refused as refused:
            # What is left of its body is not read.
            status, headers = refused.status, {**refused.headers, "Connection": "close"}
        except _Gone:
            return
        # Without a word: Twilio would send it to whoever replied.
        await Response(None, status, {**headers, "Cache-Control": "no-store"})(scope, receive, send)

    async def _hear(self, scope: Scope, receive: Receive) -> int:
        known = await self._find(scope["path"][len(PREFIX) :])
        if known is None:
            raise self._stranger(scope, 404)
        if scope["method"] not in METHODS:
            raise _Refused(405, {"Allow": ", ".join(sorted(METHODS))})
        if known.read is None:
            raise _Refused(503, _RETRY)
        if _is_in_parts(scope):
            # No provider sends that, and nobody reads it: 200 would say that it was heard.
            self._refusals.tell("callback_in_parts", known.gateway, "multipart", self._clock())
            raise _Refused(415)
        pieces = list[bytes]()
        try:
            await self._read(receive, known.gateway, pieces)
            request = self._request(scope, b"".join(pieces))
            heard = await _understand(known, request)
            if heard.unread_count:
                stray = _stray(known.gateway, request, StrayReason.OTHER_KIND)
                await run_in_threadpool(self._callbacks.keep_stray, stray)
            if heard.receipts or heard.replies:
                await self._group.keep(heard)
        except SignatureRefused as error:
            self._refusals.tell("callback_refused", known.gateway, str(error), self._clock())
            raise self._stranger(scope, 403) from error
        except UnreadableCallback as error:
            self._refusals.tell("callback_unreadable", known.gateway, str(error), self._clock())
            raise _Refused(400) from error
        except StorageError as error:
            log.warning("callback_not_stored", extra={"gateway": known.gateway, "reason": error.message})
            raise _Refused(503, _RETRY) from error
        finally:
            self._held_bytes.subtract({known.gateway: sum(map(len, pieces))})
            self._held_bytes += Counter()
        return 200

    async def _find(self, token: str) -> KnownCallback | None:
        """Return whose token it is. Raises: _Refused: nobody knows, because the store does not answer."""
        is_known_now = self._callbacks.age_s() <= LOOK_S or await self._look()
        known = self._callbacks.find(token)
        if known is None and not is_known_now:
            raise _Refused(503, _RETRY)
        return known

    async def _look(self) -> bool:
        """Look for new tokens, once for all who wait for it; return whether the store has answered."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_once())
        return await asyncio.shield(self._looking)

    async def _look_once(self) -> bool:
        try:
            await run_in_threadpool(self._callbacks.look)
        except StorageError as error:
            log.warning("callbacks_not_looked_up", extra={"reason": error.message})
            return False
        return True

    def _stranger(self, scope: Scope, status: int) -> _Refused:
        """Return the refusal of somebody who is not a provider, or not the right one."""
        client = scope.get("client")
        admits = self._visitors.admits(client[0] if client else "", self._clock())
        return _Refused(status) if admits else _Refused(429, _RETRY)

    async def _read(self, receive: Receive, gateway: str, pieces: list[bytes]) -> None:
        """Add the body to *pieces*, counting what comes for *gateway*: Content-Length may be missing or wrong."""
        size = 0
        with move_on_after(BODY_S) as waiting:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise _Gone
                piece = message.get("body", b"")
                pieces.append(piece)
                size += len(piece)
                self._held_bytes[gateway] += len(piece)
                if size > BODY_MAX_BYTES:
                    await drop_rest(receive, message)
                    raise _Refused(413)
                if self._held_bytes[gateway] > HELD_OF_ONE_MAX_BYTES or self._held_bytes.total() > HELD_MAX_BYTES:
                    raise _Refused(503, _RETRY)
                if not message.get("more_body", False):
                    return
        if waiting.cancelled_caught:
            raise _Refused(408)

    def _request(self, scope: Scope, body: bytes) -> CallbackRequest:
        query = scope["query_string"].decode("latin-1")
        client = scope.get("client")
        return CallbackRequest(
            method=scope["method"],
            url=f"{self._address}{scope['path']}" + (f"?{query}" if query else ""),
            query=query,
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            address=client[0] if client else "",
            received_at=self._clock(),
        )


def _is_in_parts(scope: Scope) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().lstrip().startswith(b"multipart/")
        for name, value in scope["headers"]
    )


async def _understand(known: KnownCallback, request: CallbackRequest) -> Heard:
    """Return what it tells. Raises: SignatureRefused, UnreadableCallback."""
    assert known.read is not None
    if len(request.body) <= SMALL_BYTES:
        return known.read(request)
    return await run_in_threadpool(known.read, request)


def _stray(gateway: str, request: CallbackRequest, reason: StrayReason) -> Stray:
    said = request.body.decode("utf-8", "replace") or request.query
    return Stray(gateway, reason, said, request.received_at)
