"""What anybody may send to the routes: no answer is a fault of the server's."""

import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from core import web
from core.bootstrap import App, build_app
from core.config import Settings
from core.services.people import passwords
from core.services.people.adding_people import NewPerson
from core.web.guard.cookies import CSRF_COOKIE, SESSION_COOKIE
from tests.support.fakes.asgi import Answer, Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.open_pages import FakePages

PASSWORD = "Heliograph-test-1"
FORMS = ("/login", "/setup", "/forgot", "/reset", "/invitation", "/confirm-email")
FIELDS = ("email", "password", "token", "next")
CSRF = "A" * 32
NASTY = (
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "%c0%ae",
    "%",
    "%zz",
    "%0d%0aSet-Cookie:%20a=b",
    "%1b[2J",
    "%C2%85",
    "%F3%A0%80%81",
    "//evil.example",
    "x" * 100_000,
)


@pytest.fixture(scope="module", params=["set up", "new"])
def application(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with patch.object(passwords, "PasswordHasher", new=lambda: PasswordHasher(time_cost=1, memory_cost=64)):
        app = build_app(Settings(data_dir=tmp_path_factory.mktemp("requests")))
    app.state.migrate()
    if request.param == "set up":
        app.people.adding.add(NewPerson("Ada", "ada@example.org", PASSWORD), StoppedClock()())
    yield app
    app.close()


@pytest.fixture
def browser(application: App) -> Browser:
    clock = StoppedClock()
    routes = [*web.routes(application, clock=clock), Route("/{path:path}", lambda _: PlainTextResponse("inside"))]
    middleware = web.middleware(application, is_user_activity=lambda _: True, pages=FakePages(), clock=clock)
    return Browser(Starlette(routes=routes, middleware=middleware))


def is_fine(answer: Answer) -> bool:
    """No fault, and nothing of what was sent became a header."""
    return answer.status < 500 and not any(value.startswith("a=") for value in answer.set_cookies)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: text[:20])
def test_any_address_gets_an_answer(browser: Browser, nasty: str) -> None:
    for path in (*FORMS, "/", "/campaign", "/downloads/x", "/assets/x", "/healthz"):
        assert is_fine(browser.get(f"{path}?token={nasty}&next={nasty}&{nasty}={nasty}"))
        assert is_fine(browser.get(f"{path}/{nasty}"))
    for path in ("/downloads", "/assets"):
        assert is_fine(browser.get(f"{path}/{nasty}"))


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: text[:20])
@pytest.mark.parametrize("path", FORMS)
def test_any_form_gets_an_answer(browser: Browser, path: str, nasty: str) -> None:
    browser.cookies[CSRF_COOKIE] = CSRF
    kind = {"content-type": "application/x-www-form-urlencoded"}
    fine = {"email": "ada@example.org", "password": PASSWORD, "token": "x", "name": "Ada", "next": "/"}
    bodies = [
        f"{name}={nasty}" + "".join(f"&{key}={value}" for key, value in fine.items() if key != name) for name in FIELDS
    ]
    bodies.append("&".join(f"{name}={nasty}" for name in FIELDS))
    for body in (*(f"csrf={CSRF}&{body}" for body in bodies), f"csrf={nasty}", nasty):
        assert is_fine(browser.ask("POST", path, kind, [body.encode()]))


@pytest.mark.parametrize("body", [b"\x00", b"\xff\xfe=\xff", b"csrf=\xed\xa0\x80", b"--x\r\n\x00", b"&" * 5_000])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/\xff", ""])
def test_bytes_that_are_no_form_get_an_answer(browser: Browser, body: bytes, kind: str) -> None:
    browser.cookies[CSRF_COOKIE] = CSRF
    for path in FORMS:
        assert is_fine(browser.ask("POST", path, {"content-type": kind}, [body]))


@pytest.mark.parametrize(
    "odd", ["\x00", "\x80\x85\xff", "\xed\xa0\x80", "x" * 60_000, "a;b=c", '"\\"', "=?utf-8?q?=00?="]
)
def test_any_header_gets_an_answer(browser: Browser, odd: str) -> None:
    names = ("user-agent", "x-forwarded-for", "accept", "accept-language", "origin", "sec-fetch-site", "if-none-match")
    for name in (*names, "cookie", "range", "host", "referer"):
        for path in ("/login", "/session/ping", "/healthz", "/downloads/00000000-0000-7000-8000-000000000000"):
            assert is_fine(browser.get(path, {name: odd}))
    for cookie in (SESSION_COOKIE, CSRF_COOKIE):
        assert is_fine(browser.get("/", {"cookie": f"{cookie}={odd}"}))


@pytest.mark.parametrize("address", ["a\x00b", "\x85" * 200, "\ud800", "1" * 5_000])
def test_whoever_says_odd_things_of_where_he_is_may_log_in(application: App, browser: Browser, address: str) -> None:
    if application.people.signing_in.needs_setup():
        pytest.skip("there is nobody yet")
    browser.address = address
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login").text)
    assert found
    form = {"csrf": found[1], "email": "ada@example.org", "password": PASSWORD, "next": "/"}
    answer = browser.post("/login", form, {"user-agent": f"Firefox/\x85 on Windows {'x' * 5_000}"})
    assert answer.status == 303
    viewer = application.people.adding.get_viewer("ada@example.org")
    token = browser.cookies[SESSION_COOKIE]
    here = next(
        each for each in application.people.signing_in.list_sessions(viewer, token, StoppedClock()()) if each.is_current
    )
    assert here.browser == "Firefox on Windows"
    assert here.address.isprintable()
    assert len(here.address) <= 64
