"""Files that Streamlit hands out at `/media/`: pictures and downloads of pages, to whom those pages belong."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.people.permissions import Viewer
from core.web.ports import OpenPages

MEDIA = "/media/"


class OwnMedia:
    """ASGI middleware behind the guard: what is on other people's pages only does not exist."""

    def __init__(self, app: ASGIApp, *, pages: OpenPages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streamlit itself asks nobody who fetches a file: its address, made of its content, is all it wants."""
        if scope["type"] == "http" and scope["path"].startswith(MEDIA):
            viewer: Viewer = scope["state"]["viewer"]
            # The file is known by what stands before the ending.
            file_id = scope["path"].removeprefix(MEDIA).partition(".")[0]
            if not self._pages.may_fetch(viewer.user_id, file_id):
                refusal = PlainTextResponse("No such file.", 404, headers={"Cache-Control": "no-store"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
