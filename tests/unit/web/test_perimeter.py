"""What is decided before any page: who asks, from where, over what, and whether another site made the browser ask."""

from collections.abc import Mapping

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from core.config import Settings
from core.errors import ConfigurationError
from core.web.guard.cookies import CSRF_COOKIE, SESSION_COOKIE
from core.web.guard.next_page import ENTRANCE
from core.web.guard.proxies import Proxies, parse_networks
from core.web.site import middleware
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, LINK, PASSWORD, FakeApplication
from tests.support.fakes.open_pages import FakePages
from tests.unit.web.conftest import build
from tests.unit.web.entrance.test_sign_in import csrf_of, log_in

TLS = Settings(public_url="https://sms.example.com")
FOREIGN: list[Mapping[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
]
OWN: list[Mapping[str, str]] = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", [*sorted(ENTRANCE), "/session/touch", "/session/end", "/_stcore/upload_file/a/b"])
def test_no_other_site_submits_anything(browser: Browser, path: str, headers: Mapping[str, str]) -> None:
    browser.get("/login")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = browser.ask(method, path, headers)
        assert (answer.status, answer.header("cache-control")) == (403, "no-store")
        assert "another site" in answer.text


@pytest.mark.parametrize("headers", OWN)
def test_our_own_forms_and_programs_are_heard(browser: Browser, headers: Mapping[str, str]) -> None:
    csrf = csrf_of(browser.get("/login"))
    form = {"csrf": csrf, "email": ADA.email, "password": PASSWORD}
    assert browser.post("/login", form, headers).status == 303


def test_a_proxy_may_call_us_by_another_name_than_people_do(clock: StoppedClock) -> None:
    browser = Browser(build(FakeApplication(settings=TLS), clock))
    csrf = csrf_of(browser.get("/login"))
    form = {"csrf": csrf, "email": ADA.email, "password": PASSWORD}
    assert browser.post("/login", form, {"Origin": "https://sms.example.com"}).status == 303


@pytest.mark.parametrize("settings", [TLS, Settings(secure_cookie=True)])
def test_over_tls_cookies_are_this_hosts_alone_and_the_old_ones_go(settings: Settings, clock: StoppedClock) -> None:
    browser = Browser(build(FakeApplication(settings=settings), clock))
    browser.cookies |= {SESSION_COOKIE: "old", CSRF_COOKIE: "A" * 32}
    answer = log_in(browser)
    assert answer.status == 303
    assert set(browser.cookies) == {f"__Host-{SESSION_COOKIE}"}
    for cookie in answer.set_cookies:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "path=/", "httponly"} <= parts
        assert not any(part.startswith("domain") for part in parts)


def test_over_tls_a_cookie_that_may_have_been_planted_is_nobodys(clock: StoppedClock) -> None:
    application = FakeApplication(settings=TLS)
    browser = Browser(build(application, clock), html=False)
    browser.cookies[SESSION_COOKIE] = application.signing_in.start(ADA, clock())
    assert browser.get("/campaigns").status == 401
    browser.cookies = {f"__Host-{SESSION_COOKIE}": browser.cookies[SESSION_COOKIE]}
    assert browser.get("/campaigns").status == 200
    # Nor is a form's value.
    browser.cookies = {CSRF_COOKIE: "A" * 32}
    assert browser.post("/login", {"csrf": "A" * 32, "email": ADA.email, "password": PASSWORD}).status == 400


@pytest.mark.parametrize("path", ["/login", "/", "/healthz", "/static/x.js"])
def test_over_tls_browsers_come_back_over_tls(clock: StoppedClock, path: str) -> None:
    secure, plain = (Browser(build(FakeApplication(settings=each), clock)) for each in (TLS, Settings()))
    assert secure.get(path).header("strict-transport-security") == "max-age=31536000"
    assert plain.get(path).header("strict-transport-security") == ""


async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as Streamlit does, which knows of no TLS and lets everybody keep its files."""
    headers = {"Cache-Control": "public", "Set-Cookie": "_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax"}
    await PlainTextResponse("x", headers=headers)(scope, receive, send)


def stacked(settings: Settings, clock: StoppedClock) -> Browser:
    """Return a signed-in browser before all of the middleware, with `streamlit` inside."""
    application, app = FakeApplication(settings=settings), streamlit
    for each in reversed(middleware(application, is_user_activity=bool, pages=FakePages(), clock=clock)):
        app = each.cls(app, *each.args, **each.kwargs)
    prefix = "__Host-" if settings.is_secure else ""
    return Browser(app, cookies={f"{prefix}{SESSION_COOKIE}": application.signing_in.start(ADA, clock())}, html=False)


def test_over_tls_streamlits_cookie_stays_there_too(clock: StoppedClock) -> None:
    [cookie] = stacked(TLS, clock).get("/_stcore/host-config").set_cookies
    assert cookie == "_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax; Secure"
    [cookie] = stacked(Settings(), clock).get("/_stcore/host-config").set_cookies
    assert "Secure" not in cookie


@pytest.mark.parametrize("path", ["/media/0123.csv", "/media/0123.png", "/", "/campaigns", "/_stcore/host-config"])
def test_nothing_private_is_kept_on_the_way(clock: StoppedClock, path: str) -> None:
    assert stacked(Settings(), clock).get(path).header("cache-control") == "no-store"


def test_the_products_own_code_may_be_kept(clock: StoppedClock) -> None:
    for path in ("/static/js/index.js", "/component/x/main.js", "/_stcore/bidi-components/x/index.js"):
        assert stacked(Settings(), clock).get(path).header("cache-control") == "public"


@pytest.mark.parametrize("path", [f"/reset?token={LINK}", "/login", "/nothing-there", "/downloads/x"])
def test_refusals_and_forms_are_not_kept_either(browser: Browser, path: str) -> None:
    assert browser.get(path).header("cache-control") == "no-store"


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    claimed = [name for name in request.headers if name.startswith(("x-forwarded", "x-real", "forwarded"))]
    client = request.client.host if request.client else ""
    await PlainTextResponse(f"{client} {scope['scheme']} {len(claimed)}")(scope, receive, send)


PROXIES = "10.0.0.0/24, 192.0.2.1,2001:db8::/64"


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8::7", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        # Anybody else is ignored.
        ("192.0.2.2", "203.0.113.9", "192.0.2.2"),
        ("127.0.0.1", "203.0.113.9", "127.0.0.1"),
        # What the browser wrote itself stands before what our proxies saw.
        ("10.0.0.5", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("10.0.0.5", "evil, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9:1234", "203.0.113.9"),
        ("10.0.0.5", "[2001:db8:1::9]:1234", "2001:db8:1::9"),
        ("10.0.0.5", "evil", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.6", "10.0.0.6"),
    ],
)
def test_only_a_proxy_of_ours_says_who_asks(peer: str, forwarded: str, seen: str) -> None:
    browser = Browser(Proxies(who, trusted=parse_networks(PROXIES)), address=peer)
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    is_ours = peer not in {"192.0.2.2", "127.0.0.1"}
    assert browser.get("/", headers).text == f"{seen} {'https' if is_ours else 'http'} 0"


def test_nobody_is_trusted_where_the_setting_is_empty() -> None:
    browser = Browser(Proxies(who, trusted=parse_networks("")), address="127.0.0.1")
    assert browser.get("/", {"X-Forwarded-For": "203.0.113.9"}).text == "127.0.0.1 http 0"


@pytest.mark.parametrize("text", ["*", "10.0.0.0/33", "proxy.example.com", "10.0.0.5/24"])
def test_what_names_no_proxy_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_networks(text)
    assert "HELIOGRAPH_TRUSTED_PROXIES" in caught.value.message


def test_attempts_are_counted_by_the_browsers_address(clock: StoppedClock) -> None:
    application = FakeApplication(settings=Settings(trusted_proxies="10.0.0.5"))
    for address, forwarded in [("10.0.0.5", "203.0.113.9"), ("198.51.100.7", "203.0.113.9")]:
        browser = Browser(build(application, clock), address=address)
        csrf = csrf_of(browser.get("/login"))
        browser.post("/login", {"csrf": csrf}, {"X-Forwarded-For": forwarded})
    assert application.signing_in.addresses == ["203.0.113.9", "198.51.100.7"]
