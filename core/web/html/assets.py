"""Our own stylesheet, scripts and drawings, under addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "assets"
_YEAR_S = 365 * 24 * 60 * 60
_DAY_S = 24 * 60 * 60


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Let browsers keep for a year what they asked for by its digest."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return response


@cache
def asset_url(name: str) -> str:
    """Return the address of the asset *name*, with a digest so that browsers notice a new version."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/assets/{name}?v={digest}"


async def favicon(_request: Request) -> Response:
    """Serve the favicon where browsers, and Streamlit's page before its script ran, look for it."""
    return FileResponse(FOLDER / "favicon.png", headers={"Cache-Control": f"public, max-age={_DAY_S}"})


def asset_routes() -> list[BaseRoute]:
    """Return the routes of /assets/ and of the favicon."""
    return [
        Mount("/assets", _Assets(directory=FOLDER)),
        Route("/favicon.ico", favicon),
        Route("/favicon.png", favicon),
    ]
