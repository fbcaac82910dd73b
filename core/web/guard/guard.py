"""
The guard: nothing but the way in is served to a stranger.

Pure ASGI, because Starlette's BaseHTTPMiddleware never sees a websocket, and Streamlit's pages travel over one.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.web.guard.browser_session import BrowserSession
from core.web.guard.cookies import Cookies
from core.web.guard.limits import drop_rest
from core.web.guard.live_socket import SESSION_ENDED, LiveSocket, Watch
from core.web.guard.next_page import ENTRANCE, SETUP, login_path
from core.web.guard.visitors import Visitors
from core.web.ports import Clock, SignIn

PUBLIC_PATHS = ENTRANCE | {"/healthz", "/_stcore/health", "/favicon.ico", "/favicon.png"}
# /static/ is Streamlit's own bundle and holds no data. A tab whose session ended still loads pieces of it
# lazily; refusing them would break the very script that sends the person to the login page.
PUBLIC_FOLDERS = ("/assets/", "/static/")


class Guard:
    """ASGI middleware: puts the `Viewer` into `scope["state"]["viewer"]`, or refuses."""

    def __init__(self, app: ASGIApp, *, sign_in: SignIn, watch: Watch, clock: Clock, cookies: Cookies) -> None:
        self._app = app
        self._cookies = cookies
        self._sign_in = sign_in
        self._watch = watch
        self._clock = clock
        self._visitors = Visitors()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve public paths to everybody and everything else to whoever has a live session."""
        if scope["type"] not in {"http", "websocket"} or _is_file(scope):
            await self._app(scope, receive, send)
            return
        if _is_public(scope):
            if self._admits(scope):
                await self._app(scope, receive, send)
            else:
                await _hold_up(scope, receive, send)
            return
        session = BrowserSession(self._cookies.session_token(HTTPConnection(scope)), self._sign_in, self._clock)
        # A socket lives on, so it is asked for anew.
        viewer = await (session.recall_viewer() if scope["type"] == "http" else session.find_viewer())
        if viewer is None:
            refuse = self._refuse if scope["type"] == "websocket" or self._admits(scope) else _hold_up
            await refuse(scope, receive, send)
            return
        scope.setdefault("state", {})["viewer"] = viewer
        if scope["type"] == "http":
            await self._app(scope, receive, send)
        else:
            await LiveSocket(receive, send, session, self._watch).serve(self._app, scope)

    def _admits(self, scope: Scope) -> bool:
        """Count a request without a session. Whoever has one is not counted, and not held up by others."""
        client = scope.get("client")
        return self._visitors.admits(client[0] if client else "", self._clock())

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # A close before the accept is an HTTP 403 to the browser.
            await receive()
            await send({"type": "websocket.close", "code": SESSION_ENDED, "reason": "not signed in"})
            return
        response: Response
        if scope["method"] in {"GET", "HEAD"} and "text/html" in Headers(scope=scope).get("accept", ""):
            nobody_yet = await run_in_threadpool(self._sign_in.needs_setup)
            response = RedirectResponse(SETUP if nobody_yet else login_path(scope), status_code=303)
        else:
            await drop_rest(receive)
            response = PlainTextResponse("Not logged in.", status_code=401)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)


async def _hold_up(scope: Scope, receive: Receive, send: Send) -> None:
    await drop_rest(receive)
    text = "Too many requests from your address. Wait a few seconds, then try again."
    headers = {"Retry-After": "5", "Cache-Control": "no-store"}
    await PlainTextResponse(text, status_code=429, headers=headers)(scope, receive, send)


def _is_public(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] in PUBLIC_PATHS


def _is_file(scope: Scope) -> bool:
    """Return whether a file is asked for that is the same for everybody, and costs nothing: those are not counted."""
    path: str = scope["path"]
    return scope["type"] == "http" and path.startswith(PUBLIC_FOLDERS) and ".." not in path.split("/")
