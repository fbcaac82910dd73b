"""Makes Streamlit's index page ours: our title, and the script that leaves the page when the session ends."""

from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.people.permissions import Viewer
from core.web.html.assets import asset_url
from core.web.html.pages import PRODUCT

STREAMLIT_TITLE = b"<title>Streamlit</title>"
HEAD_END = b"</head>"
# Files people made or that live in frames: never to be changed on their way.
_NOT_PAGES = ("/media/", "/component/", "/_stcore/", "/static/", "/app/static/")
# Without these the answer is always whole, uncompressed and new, so that it can be changed.
_DROPPED_REQUEST_HEADERS = frozenset(
    {b"accept-encoding", b"range", b"if-none-match", b"if-modified-since", b"if-range"}
)


class Inject:
    """
    ASGI middleware inside the guard.

    When a session ends, Streamlit only shows "Connection error" over the stale page and stays there. The
    watch script asks /session/ping and leaves; it also knows whose page this is, and reloads when another
    person has signed in with the same browser.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change HTML pages for signed-in people; pass everything else through."""
        if not _asks_for_page(scope):
            await self._app(scope, receive, send)
            return
        kept = [(name, value) for name, value in scope["headers"] if name not in _DROPPED_REQUEST_HEADERS]
        page = _Page(send, scope["state"]["viewer"])
        await self._app({**scope, "headers": kept}, receive, page.send)


class _Page:
    """Holds an HTML answer back until it is whole, then sends it changed."""

    def __init__(self, send: Send, viewer: Viewer) -> None:
        self._send = send
        self._viewer = viewer
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = personalise(self._body, self._viewer)
        headers = MutableHeaders(scope=start)
        for name in ("etag", "last-modified"):
            del headers[name]
        headers["content-length"] = str(len(body))
        headers["cache-control"] = "no-store"
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def personalise(html: bytes, viewer: Viewer) -> bytes:
    """Return Streamlit's index page with our title and the watch script for *viewer*."""
    script = f'<script src="{asset_url("watch.js")}" data-user-id="{escape(viewer.user_id)}" defer></script>'
    html = html.replace(STREAMLIT_TITLE, f"<title>{PRODUCT}</title>".encode(), 1)
    return html.replace(HEAD_END, script.encode() + HEAD_END, 1)


def _asks_for_page(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "viewer" in scope.get("state", {})
        and "text/html" in Headers(scope=scope).get("accept", "")
        and not scope["path"].startswith(_NOT_PAGES)
    )


def _is_html(start: Message) -> bool:
    return Headers(raw=start.get("headers", [])).get("content-type", "").startswith("text/html")
