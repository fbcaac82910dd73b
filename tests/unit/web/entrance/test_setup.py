import pytest

from core.errors import Forbidden
from core.services.people.signing_in import SetUp
from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.asgi import Answer, Browser
from tests.support.fakes.fake_sign_in import ADA, PASSWORD, SETUP_TOKEN, FakeSignIn
from tests.unit.web.entrance.test_sign_in import csrf_of

FORM = {
    "token": SETUP_TOKEN,
    "name": "Grace",
    "email": "grace@example.com",
    "password": PASSWORD,
    "confirm": PASSWORD,
}


@pytest.fixture(autouse=True)
def nobody_yet(sign_in: FakeSignIn) -> None:
    sign_in.viewers.clear()


def set_up(browser: Browser, **changes: str) -> Answer:
    return browser.post("/setup", {"csrf": csrf_of(browser.get("/setup"))} | FORM | changes)


def test_first_administrator_is_created_and_signed_in(browser: Browser, sign_in: FakeSignIn) -> None:
    answer = set_up(browser, demo="on")
    assert (answer.status, answer.header("location")) == (303, "/")
    assert sign_in.set_ups == [SetUp(SETUP_TOKEN, "Grace", "grace@example.com", PASSWORD, demo=True)]
    assert browser.cookies[SESSION_COOKIE] in sign_in.sessions


def test_demo_data_are_an_offer_not_the_rule(browser: Browser, sign_in: FakeSignIn) -> None:
    assert " checked" not in browser.get("/setup").text
    set_up(browser)
    assert not sign_in.set_ups[0].demo


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"token": "guess"}, "token", "The setup token is wrong."),
        ({"password": "short", "confirm": "short"}, "password", "The password is too weak."),
        ({"confirm": "other"}, "confirm", "The two passwords differ."),
    ],
)
def test_complaint_stands_at_its_field(browser: Browser, changes: dict[str, str], field: str, words: str) -> None:
    answer = set_up(browser, demo="on", **changes)
    assert answer.status == 400
    assert f'id="{field}-error" role="alert">{words}' in answer.text
    assert answer.text.count('aria-invalid="true" autofocus') == answer.text.count("autofocus") == 1
    assert 'value="Grace"' in answer.text
    assert 'value="grace@example.com"' in answer.text
    assert " checked" in answer.text
    assert PASSWORD not in answer.text
    assert SESSION_COOKIE not in browser.cookies


def test_complaint_without_a_field_stands_above_the_form(browser: Browser, sign_in: FakeSignIn, monkeypatch) -> None:
    def refuse(form: SetUp, browser: object, now: object) -> str:
        raise Forbidden("Heliograph is already set up.", hint="Log in.")

    monkeypatch.setattr(sign_in, "set_up", refuse)
    assert '<p class="notice" role="alert">Heliograph is already set up. Log in.</p>' in set_up(browser).text


def test_form_from_elsewhere_is_refused(browser: Browser, sign_in: FakeSignIn) -> None:
    assert set_up(browser, csrf="forged").status == 400
    assert sign_in.set_ups == []


def test_page_is_closed_once_there_is_a_user(browser: Browser, sign_in: FakeSignIn) -> None:
    csrf = csrf_of(browser.get("/setup"))
    sign_in.viewers.append(ADA)
    assert browser.get("/setup").header("location") == "/login"
    assert browser.post("/setup", {"csrf": csrf} | FORM).header("location") == "/login"
    assert sign_in.set_ups == []


def test_page_says_where_the_token_is_and_what_a_password_needs(browser: Browser) -> None:
    text = browser.get("/setup").text
    assert "Printed in the terminal that runs “make run”." in text
    assert "At least 8 characters, with an upper case letter, a lower case letter, a number" in text
