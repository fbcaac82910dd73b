"""
The guard: nothing but the way in is served to a stranger.

Pure ASGI, because Starlette's BaseHTTPMiddleware never sees a websocket, and Streamlit's pages travel over one.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.web.browser_session import BrowserSession
from core.web.cookies import Cookies
from core.web.live_socket import SESSION_ENDED, LiveSocket, Watch
from core.web.next_page import ENTRANCE, SETUP, login_path
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve public paths to everybody and everything else to whoever has a live session."""
        if scope["type"] not in {"http", "websocket"} or _is_public(scope):
            await self._app(scope, receive, send)
            return
        session = BrowserSession(self._cookies.session_token(HTTPConnection(scope)), self._sign_in, self._clock)
        # A socket lives on, so it is asked for anew.
        viewer = await (session.recall_viewer() if scope["type"] == "http" else session.find_viewer())
        if viewer is None:
            await self._refuse(scope, receive, send)
            return
        scope.setdefault("state", {})["viewer"] = viewer
        if scope["type"] == "http":
            await self._app(scope, receive, send)
        else:
            await LiveSocket(receive, send, session, self._watch).serve(self._app, scope)

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
            response = PlainTextResponse("Not signed in.", status_code=401)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)


def _is_public(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    return path in PUBLIC_PATHS or (path.startswith(PUBLIC_FOLDERS) and ".." not in path.split("/"))
