"""A websocket that lives no longer than the session it was opened with."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.guard.browser_session import BrowserSession
from core.web.ports import IsUserActivity

# Application close code (4000-4999 are free, RFC 6455 section 7.4.2); modelled on HTTP 401.
SESSION_ENDED = 4401

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watch:
    """How a live websocket is watched. Periods in seconds."""

    # Whether a message from the browser is something a person did, not a timer.
    is_user_activity: IsUserActivity
    # How often the session is checked while nobody does anything.
    period_s: float = 3.0
    # Activity is recorded at most this often.
    touch_period_s: float = 5.0


class LiveSocket:
    """
    Stands between the server and Streamlit on one websocket.

    It checks the session every `watch.period_s` and again at each thing the person does, records only the
    latter as activity, and closes the socket when the session is gone. Streamlit then sees a disconnect.
    """

    def __init__(self, receive: Receive, send: Send, session: BrowserSession, watch: Watch) -> None:
        self._receive = receive
        self._send = send
        self._session = session
        self._watch = watch
        self._closed = False
        self._ended = asyncio.Event()

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        """Run *app* over this socket until either side or the session ends it."""
        watcher = asyncio.create_task(self._end_with_session())
        try:
            await app(scope, self.receive, self.send)
        finally:
            watcher.cancel()

    async def send(self, message: Message) -> None:
        """Pass on what Streamlit says, unless the socket is closed already."""
        if self._closed:
            return
        self._closed = message["type"] == "websocket.close"
        await self._send(message)

    async def receive(self) -> Message:
        """Return the browser's next message, or a disconnect as soon as the session has ended."""
        message = await self._next_message()
        if message["type"] == "websocket.disconnect":
            self._closed = True
        elif self._is_activity(message):
            if not await self._is_alive():
                await self._end()
                return _disconnect()
            await self._session.record_activity(self._watch.touch_period_s)
        return message

    async def _next_message(self) -> Message:
        incoming = asyncio.ensure_future(self._receive())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({incoming, ended}, return_when=asyncio.FIRST_COMPLETED)
            return _disconnect() if self._ended.is_set() else incoming.result()
        finally:
            incoming.cancel()
            ended.cancel()

    def _is_activity(self, message: Message) -> bool:
        content = message.get("bytes")
        return isinstance(content, bytes) and self._watch.is_user_activity(content)

    async def _is_alive(self) -> bool:
        try:
            return await self._session.find_viewer() is not None
        except Exception:  # noqa: BLE001 - whatever went wrong, an unchecked session must not live on
            # The browser reconnects by itself once the state store answers.
            _log.exception("session_check_failed")
            return False

    async def _end_with_session(self) -> None:
        alive = True
        while alive:
            await asyncio.sleep(self._watch.period_s)
            alive = await self._is_alive()
        await self._end()

    async def _end(self) -> None:
        # The server raises an OSError when the browser has left in the meantime, which is just as good.
        with suppress(OSError):
            await self.send({"type": "websocket.close", "code": SESSION_ENDED, "reason": "session ended"})
        self._ended.set()


def _disconnect() -> Message:
    return {"type": "websocket.disconnect", "code": SESSION_ENDED}
