"""Files of pages go to whom those pages belong."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.people.permissions import Viewer
from core.web.files.media import OwnMedia
from tests.support.fakes.asgi import Browser
from tests.support.fakes.open_pages import FakePages


def signed_in(app: ASGIApp) -> ASGIApp:
    async def with_viewer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"viewer": Viewer("1", "Ada", "ada@example.com", frozenset())}
        await app(scope, receive, send)

    return with_viewer


@pytest.mark.parametrize(("path", "status"), [("/media/mine.png", 200), ("/media/theirs.png", 404), ("/other", 200)])
def test_what_is_on_others_pages_does_not_exist(path: str, status: int) -> None:
    pages = FakePages(may_fetch=lambda user_id, file_id: (user_id, file_id) == ("1", "mine"))
    route = Route("/{path:path}", lambda _: PlainTextResponse("a file"))
    middleware = [Middleware(signed_in), Middleware(OwnMedia, pages=pages)]
    assert Browser(Starlette(routes=[route], middleware=middleware)).get(path).status == status
