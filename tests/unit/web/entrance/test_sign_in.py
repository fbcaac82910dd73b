import re

import pytest

from core.config import Settings
from core.web.guard.cookies import CSRF_COOKIE, SESSION_COOKIE
from tests.support.fakes.asgi import Answer, Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, BEN, PASSWORD, FakeApplication, FakeSignIn
from tests.unit.web.conftest import build


def csrf_of(answer: Answer) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def log_in(browser: Browser, **changes: str) -> Answer:
    csrf = csrf_of(browser.get("/login"))
    form = {"csrf": csrf, "email": ADA.email, "password": PASSWORD, "next": "/"} | changes
    return browser.post("/login", form)


def test_right_password_starts_a_session_and_goes_on(browser: Browser) -> None:
    answer = log_in(browser, next="/campaign?id=42")
    assert (answer.status, answer.header("location")) == (303, "/campaign?id=42")
    browser.html = False
    assert browser.get("/campaigns").text == "inside"


def test_session_cookie_is_kept_from_scripts_and_other_sites(browser: Browser) -> None:
    cookie = next(value for value in log_in(browser).set_cookies if value.startswith(SESSION_COOKIE))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=lax"}
    assert CSRF_COOKIE not in browser.cookies


def test_cookies_stay_on_tls_when_the_settings_say_so(clock: StoppedClock) -> None:
    browser = Browser(build(FakeApplication(settings=Settings(secure_cookie=True)), clock))
    assert all(
        "secure" in value.lower() for value in [*browser.get("/login").set_cookies, *log_in(browser).set_cookies]
    )


def test_wrong_password_and_unknown_email_look_alike(browser: Browser) -> None:
    wrong = log_in(browser, password="guess")
    unknown = log_in(browser, email="nobody@example.com")
    assert (wrong.status, unknown.status) == (401, 401)
    assert wrong.text == unknown.text.replace("nobody@example.com", ADA.email)
    assert 'role="alert"' in wrong.text
    assert SESSION_COOKIE not in browser.cookies


def test_failed_form_keeps_email_and_page_but_not_the_password(browser: Browser) -> None:
    answer = log_in(browser, email='"><script>', password="my-secret", next="/campaign?id=42")
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
    assert 'value="/campaign?id=42"' in answer.text
    assert "my-secret" not in answer.text


def test_throttled_person_is_told_when_to_come_back(browser: Browser, sign_in: FakeSignIn) -> None:
    sign_in.retry_after_s = 90
    answer = log_in(browser)
    assert (answer.status, answer.header("retry-after")) == (429, "90")
    assert "Try again in 90 seconds." in answer.text


@pytest.mark.parametrize("csrf", ["", "forged", "A" * 32])
def test_form_from_elsewhere_is_refused(browser: Browser, sign_in: FakeSignIn, csrf: str) -> None:
    assert log_in(browser, csrf=csrf).status == 400
    assert sign_in.addresses == []


def test_form_without_its_cookie_is_refused(browser: Browser, sign_in: FakeSignIn) -> None:
    csrf = csrf_of(browser.get("/login"))
    browser.cookies.clear()
    assert browser.post("/login", {"csrf": csrf, "email": ADA.email, "password": PASSWORD}).status == 400
    assert browser.post("/login", {"email": ADA.email, "password": PASSWORD}).status == 400
    assert sign_in.addresses == []


def test_non_ascii_csrf_is_refused_not_a_crash(browser: Browser) -> None:
    browser.get("/login")
    assert browser.post("/login", {"csrf": "ü" * 32}).status == 400
    assert browser.post("/login", {"csrf": "x"}, {"cookie": f"{CSRF_COOKIE}=ü"}).status == 400


def test_second_tab_does_not_spoil_the_form_in_the_first(browser: Browser) -> None:
    first = csrf_of(browser.get("/login"))
    browser.get("/login?next=/statistics")
    assert browser.post("/login", {"csrf": first, "email": ADA.email, "password": PASSWORD}).status == 303


def test_uploaded_file_in_place_of_a_field_is_a_wrong_form_not_a_crash(browser: Browser) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
    answer = browser.ask("POST", "/login", {"content-type": "multipart/form-data; boundary=x"}, [part])
    assert answer.status == 400


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(browser: Browser, wanted: str) -> None:
    assert log_in(browser, next=wanted).header("location") == "/"


def test_attempts_are_counted_by_the_peer_not_by_what_it_claims(browser: Browser, sign_in: FakeSignIn) -> None:
    csrf = csrf_of(browser.get("/login"))
    browser.post("/login", {"csrf": csrf}, {"x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1"})
    assert sign_in.addresses == ["203.0.113.7"]


def test_signed_in_browser_skips_the_form(browser: Browser) -> None:
    log_in(browser)
    assert browser.get("/login?next=/statistics").header("location") == "/statistics"


def test_token_the_browser_brought_along_is_neither_kept_nor_left_alive(
    browser: Browser, sign_in: FakeSignIn, clock: StoppedClock
) -> None:
    planted = sign_in.start(BEN, clock())
    browser.cookies[SESSION_COOKIE] = planted
    csrf = csrf_of(browser.get("/forgot"))
    browser.post("/login", {"csrf": csrf, "email": ADA.email, "password": PASSWORD})
    assert browser.cookies[SESSION_COOKIE] != planted
    assert sign_in.identify(planted, clock()) is None


def test_why_one_was_logged_out_is_said_only_when_the_script_says_so(browser: Browser) -> None:
    idle = "You were logged out after 30 minutes without activity."
    assert idle in browser.get("/login?next=/campaigns&ended=idle").text
    assert 'role="status"' in browser.get("/login?ended=lifetime").text
    for path in ("/login", "/login?ended=", "/login?ended=%3Cb%3E"):
        assert 'role="status"' not in browser.get(path).text
    assert idle not in log_in(browser, password="wrong").text


def test_dead_cookie_shows_the_form_instead_of_going_in_circles(browser: Browser, sign_in: FakeSignIn) -> None:
    log_in(browser)
    sign_in.sessions.clear()
    assert browser.get("/login").status == 200


def test_login_page_sends_the_first_visitor_to_the_setup_page(browser: Browser, sign_in: FakeSignIn) -> None:
    sign_in.viewers.clear()
    assert browser.get("/login").header("location") == "/setup"


def test_there_is_no_way_to_sign_out_by_a_link(browser: Browser, sign_in: FakeSignIn) -> None:
    log_in(browser)
    browser.get("/logout")
    assert len(sign_in.sessions) == 1


def test_login_page_is_labelled_and_helps_password_managers(browser: Browser) -> None:
    text = browser.get("/login").text
    for needed in (
        '<label for="email">',
        '<label for="password">',
        'autocomplete="username"',
        'autocomplete="current-password"',
    ):
        assert needed in text
    assert browser.get("/login").header("cache-control") == "no-store"
