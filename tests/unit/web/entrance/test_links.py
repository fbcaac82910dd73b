"""Forgot Password, invitations and new emails: the pages that mails link to."""

import logging

import pytest

from core.config import Settings
from core.web.guard.cookies import CSRF_COOKIE, SESSION_COOKIE
from core.web.guard.next_page import safe_next
from tests.support.fakes.asgi import Answer, Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, BEN, LINK, PASSWORD, FakeApplication, FakeLinks, FakeSignIn
from tests.unit.web.conftest import build
from tests.unit.web.entrance.test_sign_in import csrf_of

FORMS = {
    "/forgot": {"email": BEN.email},
    "/reset": {"token": LINK, "password": PASSWORD, "confirm": PASSWORD},
    "/invitation": {"token": LINK, "name": "Ben", "password": PASSWORD, "confirm": PASSWORD},
    "/confirm-email": {"token": LINK},
}
LINKED = [path for path in FORMS if path != "/forgot"]


@pytest.fixture
def links(application: FakeApplication) -> FakeLinks:
    return application.people.links


def submit(browser: Browser, path: str, **changes: str) -> Answer:
    csrf = csrf_of(browser.get(f"{path}?token={LINK}"))
    return browser.post(path, {"csrf": csrf} | FORMS[path] | changes)


def test_asking_answers_first_and_sends_afterwards(browser: Browser, links: FakeLinks) -> None:
    answer = submit(browser, "/forgot")
    assert (answer.status, "Check your email" in answer.text) == (200, True)
    assert links.done == [("asked", BEN.email, browser.address), ("delivered", BEN.email, browser.address)]


def test_the_answer_is_the_same_whoever_is_asked_for(browser: Browser) -> None:
    known, unknown = submit(browser, "/forgot"), submit(browser, "/forgot", email="nobody@example.com")
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert BEN.email not in known.text


def test_asking_too_often_says_when_to_come_back(browser: Browser, links: FakeLinks, sign_in: FakeSignIn) -> None:
    sign_in.retry_after_s = 90
    answer = submit(browser, "/forgot")
    assert (answer.status, answer.header("retry-after"), links.done) == (429, "90", [])


def test_reset_sets_the_password_and_leads_to_the_login_page(browser: Browser, links: FakeLinks) -> None:
    answer = submit(browser, "/reset")
    assert links.done == [("password", PASSWORD, browser.address)]
    assert 'href="/login"' in answer.text
    assert SESSION_COOKIE not in browser.cookies


def test_invitation_signs_in_with_a_new_token(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> None:
    planted = browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    answer = submit(browser, "/invitation")
    assert (answer.status, answer.header("location")) == (303, "/")
    found = sign_in.identify(browser.cookies[SESSION_COOKIE], clock())
    assert found is BEN
    assert sign_in.identify(planted, clock()) is None


def test_confirming_is_a_button(browser: Browser, links: FakeLinks) -> None:
    assert "new@example.com" in browser.get(f"/confirm-email?token={LINK}").text
    assert "new@example.com" in submit(browser, "/confirm-email").text
    assert links.done == [("email", browser.address)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", FORMS)
def test_opening_a_link_changes_nothing(browser: Browser, links: FakeLinks, path: str, method: str) -> None:
    for _ in range(3):
        assert browser.ask(method, f"{path}?token={LINK}").status == 200
    assert (links.done, links.used) == ([], False)


@pytest.mark.parametrize("csrf", ["", "forged", "A" * 32])
@pytest.mark.parametrize("path", FORMS)
def test_forms_from_elsewhere_are_refused(browser: Browser, links: FakeLinks, path: str, csrf: str) -> None:
    assert submit(browser, path, csrf=csrf).status == 400
    browser.cookies.pop(CSRF_COOKIE, None)
    assert browser.post(path, {"csrf": "A" * 32} | FORMS[path]).status == 400
    assert links.done == []


@pytest.mark.parametrize("path", LINKED)
def test_links_work_once(browser: Browser, links: FakeLinks, path: str) -> None:
    csrf = csrf_of(browser.get(f"{path}?token={LINK}"))
    assert submit(browser, path).status in {200, 303}
    browser.cookies = {CSRF_COOKIE: csrf}
    assert browser.post(path, {"csrf": csrf} | FORMS[path]).status == 404
    assert browser.get(f"{path}?token={LINK}").status == 404
    assert len(links.done) == 1


@pytest.mark.parametrize("token", ["", "guess", '"><script>', "%00", "%ff"])
@pytest.mark.parametrize("path", LINKED)
def test_dead_links_say_so_and_lead_on(browser: Browser, path: str, token: str) -> None:
    answer = browser.get(f"{path}?token={token}")
    assert answer.status == 404
    assert "This link no longer works." in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", LINKED)
def test_pages_with_a_token_tell_nobody_their_address(browser: Browser, path: str) -> None:
    for token in (LINK, "guess"):
        answer = browser.get(f"{path}?token={token}")
        # The name of the host and no more.
        assert answer.header("referrer-policy") == "strict-origin"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("x-frame-options") == "DENY"


@pytest.mark.parametrize("path", LINKED)
def test_no_token_or_password_is_logged(browser: Browser, path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser.get(f"{path}?token={LINK}")
    submit(browser, path)
    submit_dead = browser.get(f"{path}?token={LINK}")
    assert submit_dead.status == 404
    assert LINK not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("path", ["/reset", "/invitation"])
def test_weak_and_unequal_passwords_leave_the_link_alive(browser: Browser, links: FakeLinks, path: str) -> None:
    weak = submit(browser, path, password="weak", confirm="weak")
    assert (weak.status, 'id="password-error"' in weak.text) == (400, True)
    unequal = submit(browser, path, confirm="Another-one-2")
    assert (unequal.status, 'id="confirm-error"' in unequal.text) == (400, True)
    assert PASSWORD not in unequal.text
    assert f'value="{LINK}"' in unequal.text
    assert links.done == []


def test_names_are_shown_as_text(browser: Browser) -> None:
    answer = submit(browser, "/invitation", name='"><script>alert(1)</script>', confirm="other")
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_nobody_returns_to_a_used_up_page_after_log_in(path: str) -> None:
    assert safe_next(f"{path}?token={LINK}") == "/"


@pytest.mark.parametrize("path", FORMS)
def test_a_form_has_a_largest_size(browser: Browser, path: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.ask("POST", path, kind, [b"x" * 70_000]).status == 413


def test_session_cookie_of_an_invitation_stays_on_tls(clock: StoppedClock) -> None:
    browser = Browser(build(FakeApplication(settings=Settings(secure_cookie=True)), clock))
    cookie = next(value for value in submit(browser, "/invitation").set_cookies if value.startswith(SESSION_COOKIE))
    assert {"secure", "httponly", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
