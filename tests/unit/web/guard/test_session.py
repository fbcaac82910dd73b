"""What the watch script asks."""

import json

import pytest

from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, FakeSignIn

OURS = {"X-Heliograph": "1", "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def token(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> str:
    browser.html = False
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    return browser.cookies[SESSION_COOKIE]


def test_ping_counts_down_and_is_no_activity(
    browser: Browser, sign_in: FakeSignIn, clock: StoppedClock, token: str
) -> None:
    clock.advance(minutes=10)
    assert json.loads(browser.get("/session/ping").text) == {
        "user_id": ADA.user_id,
        "seconds_left": 1_200.0,
        "ends_by": "idle",
        "warns": False,
    }
    clock.advance(minutes=18)
    assert json.loads(browser.get("/session/ping").text)["warns"]
    assert sign_in.touches == []
    clock.advance(minutes=2, seconds=1)
    assert browser.get("/session/ping").status == 401


def test_staying_is_activity(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock, token: str) -> None:
    clock.advance(minutes=29)
    assert browser.post("/session/touch", {}, OURS).status == 204
    assert sign_in.touches == [(token, clock())]
    assert json.loads(browser.get("/session/ping").text)["seconds_left"] == 1_800.0


def test_logging_out_ends_the_session_and_the_stolen_cookie_with_it(
    browser: Browser, sign_in: FakeSignIn, clock: StoppedClock, token: str
) -> None:
    thief = Browser(browser.app, cookies=dict(browser.cookies), html=False)
    assert thief.get("/campaigns").status == 200
    assert browser.post("/session/end", {}, OURS).status == 204
    assert thief.get("/campaigns").status == 401
    assert browser.post("/session/touch", {}, OURS).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver"},
        {"X-Heliograph": "1", "Origin": "http://evil.example"},
        {"X-Heliograph": "1", "Origin": "null"},
        {"X-Heliograph": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Heliograph": "1", "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/session/touch", "/session/end"])
def test_other_sites_neither_prolong_nor_end_a_session(
    browser: Browser, sign_in: FakeSignIn, clock: StoppedClock, token: str, path: str, headers: dict[str, str]
) -> None:
    assert browser.post(path, {}, headers).status == 403
    assert sign_in.touches == []
    assert sign_in.identify(token, clock()) is not None


@pytest.mark.parametrize("path", ["/session/touch", "/session/end"])
def test_a_link_does_neither(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock, token: str, path: str) -> None:
    browser.ask("GET", path, OURS)
    assert sign_in.touches == []
    assert sign_in.identify(token, clock()) is not None


@pytest.mark.parametrize("path", ["/session/touch", "/session/end"])
def test_a_stranger_is_refused(browser: Browser, path: str) -> None:
    browser.html = False
    assert browser.post(path, {}, OURS).status == 401
