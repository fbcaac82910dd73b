"""Fetching exported files: only their owner, only while they are kept."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import NotFound
from core.files.exports.export_files import MEDIA_TYPES
from core.web.ports import Clock, Exports

DOWNLOADS = "/downloads/"


class Downloads:
    """GET /downloads/<export id>. The guard has found the viewer already."""

    def __init__(self, exports: Exports, clock: Clock) -> None:
        """Take who has the files, and the clock."""
        self._exports = exports
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [Route(DOWNLOADS + "{export_id:uuid}", self.download)]

    async def download(self, request: Request) -> Response:
        """Send the file, or say that there is none: in the same words for one that is not the viewer's."""
        export_id = str(request.path_params["export_id"])
        try:
            found = await run_in_threadpool(self._exports.fetch, request.state.viewer, export_id, self._clock())
        except NotFound as error:
            return PlainTextResponse(
                f"{error.message} {error.hint}", status_code=404, headers={"Cache-Control": "no-store"}
            )
        return FileResponse(
            found.path,
            media_type=MEDIA_TYPES[found.format],
            filename=found.name,
            headers={"Cache-Control": "private, no-store"},
        )
