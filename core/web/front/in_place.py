"""What keeps a browser in its place: a cookie with the place's number, and the way back where it has strayed."""

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.front.heads import number_in, place_cookie


class InPlace:
    """
    ASGI middleware around everything a place serves.

    A browser that has a place already, and comes by a connection that it opened before it had, is sent to open another
    one. Where its place is gone (*has_moved*), it stays here from now on.
    """

    def __init__(self, app: ASGIApp, *, number: int, count: int, secure: bool, has_moved: bool) -> None:
        """Take what is served, which of how many places this is, and whether cookies are for TLS only."""
        self._app = app
        self._number = number
        self._count = count
        self._secure = secure
        self._has_moved = has_moved

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and say where the browser is unless it knows."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        known = self._known(scope)
        if known == self._number:
            await self._app(scope, receive, send)
            return
        strayed = known is not None and known < self._count and not self._has_moved
        if strayed and scope["type"] == "http" and (address := _own_address(scope)):
            headers = {"Location": address, "Connection": "close", "Cache-Control": "no-store"}
            await Response(status_code=307, headers=headers)(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                message.setdefault("headers", [])
                MutableHeaders(scope=message).append("set-cookie", self._cookie())
            await send(message)

        await self._app(scope, receive, marked)

    def _known(self, scope: Scope) -> int | None:
        name = place_cookie(secure=self._secure)
        texts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"]
        return next((number for text in texts if (number := number_in(text, name)) is not None), None)

    def _cookie(self) -> str:
        name = place_cookie(secure=self._secure)
        return f"{name}={self._number}; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self._secure else "")


def _own_address(scope: Scope) -> str:
    """Return the address that was asked for; "" for one that a browser would take for another host's."""
    path: bytes = scope.get("raw_path") or b""
    query: bytes = scope["query_string"]
    address = (path + (b"?" + query if query else b"")).decode("latin-1")
    return "" if not address.startswith("/") or address[1:2] in {"/", "\\"} else address
