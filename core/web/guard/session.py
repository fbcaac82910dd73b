"""What a page's watch script asks: is the session still alive, whose is it, and how long does it last."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.web.guard.cookies import Cookies, browser_of
from core.web.guard.origin import is_our_script
from core.web.ports import Clock, SignIn

PING, TOUCH, END = "/session/ping", "/session/touch", "/session/end"
SESSION_PATHS = (PING, TOUCH, END)
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class SessionRoutes:
    """The guard has answered 401 already when the session is gone."""

    sign_in: SignIn
    clock: Clock
    cookies: Cookies

    def routes(self) -> list[BaseRoute]:
        """Return GET /session/ping, POST /session/touch and POST /session/end."""
        return [
            Route(PING, self.ping),
            Route(TOUCH, self.touch, methods=["POST"]),
            Route(END, self.end, methods=["POST"]),
        ]

    async def ping(self, request: Request) -> Response:
        """Return the viewer's id, the seconds left if nothing is done, and whether to warn. No activity."""
        left = await run_in_threadpool(self.sign_in.time_left, self.cookies.session_token(request), self.clock())
        if left is None:
            return PlainTextResponse("Not logged in.", 401, headers=_NO_STORE)
        facts = {
            "user_id": request.state.viewer.user_id,
            "seconds_left": round(left.seconds, 1),
            "ends_by": left.ends_by,
            "warns": left.warns,
        }
        return JSONResponse(facts, headers=_NO_STORE)

    async def touch(self, request: Request) -> Response:
        """Count as activity: the person said "Stay logged in"."""
        if not is_our_script(request.scope):
            return PlainTextResponse("This request came from another site.", 403, headers=_NO_STORE)
        await run_in_threadpool(self.sign_in.touch, self.cookies.session_token(request), self.clock())
        return Response(status_code=204, headers=_NO_STORE)

    async def end(self, request: Request) -> Response:
        """Sign out."""
        if not is_our_script(request.scope):
            return PlainTextResponse("This request came from another site.", 403, headers=_NO_STORE)
        address = browser_of(request).address
        await run_in_threadpool(self.sign_in.sign_out, self.cookies.session_token(request), self.clock(), address)
        return Response(status_code=204, headers=_NO_STORE)
