import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from core import web
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import FakeApplication, FakeSignIn
from tests.support.fakes.open_pages import FakePages


async def anything(request: Request) -> Response:
    """Stands where Streamlit stands: an index page for browsers, text for everything else."""
    if "text/html" in request.headers["accept"]:
        return HTMLResponse("<html><head><title>Streamlit</title></head><body>app</body></html>")
    return PlainTextResponse("inside")


def build(application: FakeApplication, clock: StoppedClock) -> Starlette:
    return Starlette(
        routes=[
            *web.routes(application, clock=clock),
            Route("/{path:path}", anything, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=web.middleware(
            application, is_user_activity=lambda content: content == b"click", pages=FakePages(), clock=clock
        ),
    )


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def application() -> FakeApplication:
    return FakeApplication()


@pytest.fixture
def sign_in(application: FakeApplication) -> FakeSignIn:
    return application.signing_in


@pytest.fixture
def browser(application: FakeApplication, clock: StoppedClock) -> Browser:
    return Browser(build(application, clock))
