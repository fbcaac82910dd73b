import json
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Route

from core.domain.people.permissions import Viewer
from core.web.guard.cookies import SESSION_COOKIE, Cookies
from core.web.guard.guard import Guard
from core.web.guard.live_socket import Watch
from core.web.html.inject import Inject, personalise
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, BEN, FakeSignIn

STREAMLIT_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"


@pytest.fixture
def signed_in(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> Browser:
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    return browser


def test_page_gets_our_title_and_the_watch_script(signed_in: Browser) -> None:
    answer = signed_in.get("/campaigns")
    assert "<title>Heliograph</title><script src=" in answer.text
    assert 'data-user-id="user-ada"' in answer.text
    assert int(answer.header("content-length")) == len(answer.body)
    assert answer.header("cache-control") == "no-store"


def test_streamlits_own_index_page_has_the_places_we_change() -> None:
    page = personalise(STREAMLIT_INDEX.read_bytes(), ADA).decode()
    assert page.count("<title>Heliograph</title>") == 1
    assert page.count("/assets/watch.js?v=") == 1
    assert "Streamlit</title>" not in page


def test_user_id_cannot_break_out_of_its_attribute() -> None:
    page = personalise(b"<head></head>", Viewer(user_id='"><b>', name="", email=""))
    assert b'data-user-id="&quot;&gt;&lt;b&gt;"' in page


def test_known_page_is_sent_whole_again_because_it_is_changed(sign_in: FakeSignIn, clock: StoppedClock) -> None:
    async def index(request):
        seen.append(dict(request.headers))
        return FileResponse(STREAMLIT_INDEX)

    seen: list[dict[str, str]] = []
    guard = Middleware(Guard, sign_in=sign_in, watch=Watch(lambda _: False), clock=clock, cookies=Cookies(secure=False))
    browser = Browser(Starlette(routes=[Route("/", index)], middleware=[guard, Middleware(Inject)]))
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    conditions = {"if-none-match": '"x"', "if-modified-since": "now", "range": "bytes=0-9", "accept-encoding": "gzip"}
    answer = browser.get("/", conditions)
    assert answer.status == 200
    assert "/assets/watch.js" in answer.text
    assert (answer.header("etag"), answer.header("last-modified")) == ("", "")
    assert not conditions.keys() & seen[0].keys()


@pytest.mark.parametrize("path", ["/media/report.html", "/component/x/index.html", "/static/x.html", "/_stcore/x"])
def test_files_are_left_as_they_are(signed_in: Browser, path: str) -> None:
    assert "watch.js" not in signed_in.get(path).text


def test_login_page_does_not_watch_itself(browser: Browser) -> None:
    assert "watch.js" not in browser.get("/login").text


def test_other_answers_pass_unchanged(signed_in: Browser) -> None:
    signed_in.html = False
    assert signed_in.get("/campaigns").text == "inside"


def test_ping_names_the_person_behind_the_cookie(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    browser.html = False
    for viewer in (ADA, BEN):
        browser.cookies[SESSION_COOKIE] = sign_in.start(viewer, clock())
        answer = browser.get("/session/ping")
        assert json.loads(answer.body)["user_id"] == viewer.user_id
        assert answer.header("cache-control") == "no-store"
    sign_in.sessions.clear()
    assert browser.get("/session/ping").status == 401
