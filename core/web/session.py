"""What a page's watch script asks: is the session still alive, and whose is it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


async def ping(request: Request) -> Response:
    """Return the viewer's id. The guard has answered 401 already when the session is gone; no activity."""
    return JSONResponse({"user_id": request.state.viewer.user_id}, headers={"Cache-Control": "no-store"})


def session_routes() -> list[BaseRoute]:
    """Return GET /session/ping."""
    return [Route("/session/ping", ping)]
