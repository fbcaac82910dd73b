import pytest

from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, FakeSignIn

GUARDED = [
    "/",
    "/campaigns",
    "/campaign?id=42",
    "/media/0123.csv",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/agent/openapi.json",
    "/_stcore/upload_file/session/file",
    "/_stcore/bidi-components/x",
    "/_stcore/health/",
    "/component/x/index.html",
    "/app/static/x",
    "/session/ping",
    "/session/touch",
    "/session/end",
    "/forgot/x",
    "/resetx",
    "/auth/login",
    "/logout",
    "/manifest.json",
    "/loginx",
    "/login/",
    "/static",
    "/static/../media/0123.csv",
    "/static/%2e%2e/media/0123.csv",
    "/assets/../session/ping",
    "//assets/x",
]


@pytest.mark.parametrize("path", GUARDED)
def test_stranger_asking_for_a_page_is_sent_to_the_login_page(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status == 303
    assert answer.header("location").startswith("/login")
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_stranger_without_a_page_in_mind_gets_401(browser: Browser, path: str, method: str) -> None:
    browser.html = False
    assert browser.ask(method, path).status == 401


def test_posting_stranger_is_not_redirected_even_from_a_page(browser: Browser) -> None:
    assert browser.ask("POST", "/").status == 401


@pytest.mark.parametrize(
    "path", ["/login", "/forgot", "/healthz", "/_stcore/health", "/static/js/index.js", "/favicon.ico", "/favicon.png"]
)
def test_the_way_in_is_public(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 200


def test_login_remembers_the_page_with_its_query(browser: Browser) -> None:
    answer = browser.get("/campaign?id=42&tab=a%20b")
    assert answer.header("location") == "/login?next=/campaign%3Fid%3D42%26tab%3Da%2520b"


def test_first_visitor_is_sent_to_the_setup_page(browser: Browser, sign_in: FakeSignIn) -> None:
    sign_in.viewers.clear()
    assert browser.get("/statistics").header("location") == "/setup"


def test_signed_in_browser_is_let_through(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    browser.html = False
    assert browser.get("/campaigns").text == "inside"


@pytest.mark.parametrize("token", ["", "forged", "session-1-of-user-ada"])
def test_unknown_token_is_a_stranger(browser: Browser, token: str) -> None:
    browser.cookies[SESSION_COOKIE] = token
    browser.html = False
    assert browser.get("/campaigns").status == 401


def test_revoked_and_idle_sessions_are_strangers(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    browser.html = False
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    clock.advance(minutes=31)
    assert browser.get("/campaigns").status == 401
    browser.cookies[SESSION_COOKIE] = revoked = sign_in.start(ADA, clock())
    assert browser.get("/campaigns").status == 200
    sign_in.revoke(revoked)
    assert browser.get("/campaigns").status == 401


def test_http_requests_are_not_activity(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    for path in ("/", "/session/ping", "/media/0123.csv"):
        browser.get(path)
    assert sign_in.touches == []
