"""Forgot Password."""

import logging
from datetime import timedelta

import pytest

from core.domain.people.people import UserStatus
from core.domain.reports.audit import Action, AuditEntry, AuditFilter, Subject
from core.errors import InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from core.services.people.mailing import Mailing, digest, new_token
from core.services.people.passwords import Passwords
from core.services.people.resetting_passwords import ResettingPasswords
from core.services.people.signing_in import UNKNOWN_EMAIL, SetUp, SigningIn
from core.services.people.throttling import FREE_FAILURES
from core.state.engine.store import State
from core.state.people import links, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import Browser
from core.state.reports import audit
from tests.support.application.factories import NOW
from tests.support.fakes.mail import FakePost, token_in

EMAIL, OLD, NEW = "ada@example.com", "Heliograph-test-1", "Sun-mirror-22"
HERE = Browser("192.0.2.1", "Firefox/150.0")
LINK_MIN = 60


@pytest.fixture
def signing_in(signing_in: SigningIn) -> SigningIn:
    signing_in.set_up(SetUp(signing_in.new_setup_token(), "Ada", EMAIL, OLD), HERE, NOW)
    return signing_in


@pytest.fixture
def service(state: State, signing_in: SigningIn, post: FakePost) -> ResettingPasswords:
    return ResettingPasswords(state, signing_in.passwords, Mailing(post, "https://sms.example.com"), LINK_MIN)


@pytest.fixture
def token(service: ResettingPasswords, post: FakePost) -> str:
    service.deliver(EMAIL, HERE.address, NOW)
    found = token_in(post.mails[-1])
    post.mails.clear()
    return found


def lines(state: State, action: Action) -> list[AuditEntry]:
    with state.read() as session:
        return audit.list_entries(session, AuditFilter(action=action), 100, 0)


def user_id(state: State) -> str:
    with state.read() as session:
        found = users.find_user_id(session, EMAIL)
    assert found
    return found


def test_a_link_sets_a_new_password_once(
    service: ResettingPasswords, signing_in: SigningIn, state: State, post: FakePost, token: str
) -> None:
    assert service.find(token, NOW).email == EMAIL
    service.use(token, NEW, HERE.address, NOW)
    assert signing_in.sign_in(EMAIL, NEW, HERE, NOW)
    with pytest.raises(WrongCredentials):
        signing_in.sign_in(EMAIL, OLD, HERE, NOW)
    for again in (lambda: service.use(token, NEW, HERE.address, NOW), lambda: service.find(token, NOW)):
        with pytest.raises(NotFound):
            again()
    assert [mail.subject for mail in post.mails] == ["Your password for Heliograph was changed"]
    [line] = lines(state, Action.PASSWORD_CHANGED)
    assert (line.who, line.address) == ("Ada", HERE.address)
    assert NEW not in str(line)
    assert token not in str(line)


def test_a_new_password_ends_every_session_every_other_link_and_the_wait(
    service: ResettingPasswords, signing_in: SigningIn, state: State, token: str
) -> None:
    sessions = [signing_in.sign_in(EMAIL, OLD, HERE, NOW) for _ in range(2)]
    with state.write() as session:
        link = Link(user_id(state), "new@example.com", NOW + timedelta(hours=1))
        links.add_link(session, digest("other"), Purpose.EMAIL_CHANGE, link, NOW)
    for number in range(FREE_FAILURES + 1):
        with pytest.raises(WrongCredentials):
            signing_in.sign_in(EMAIL, "wrong", Browser(f"198.51.100.{number}"), NOW)
    service.use(token, NEW, HERE.address, NOW)
    assert [signing_in.identify(one, NOW) for one in sessions] == [None, None]
    with state.read() as session:
        assert links.find_link(session, digest("other"), Purpose.EMAIL_CHANGE, NOW) is None
    assert signing_in.sign_in(EMAIL, NEW, HERE, NOW)


def test_a_weak_password_leaves_the_link_alive(service: ResettingPasswords, token: str) -> None:
    for weak in ("short", "Password-1!", "Ada-Ada-1!"):
        with pytest.raises(InvalidInput) as caught:
            service.use(token, weak, HERE.address, NOW)
        assert caught.value.field == "password"
    service.use(token, NEW, HERE.address, NOW)


def test_a_link_expires(service: ResettingPasswords, token: str) -> None:
    late = NOW + timedelta(minutes=LINK_MIN)
    assert service.find(token, late - timedelta(seconds=1))
    with pytest.raises(NotFound):
        service.use(token, NEW, HERE.address, late)


@pytest.mark.parametrize("purpose", [Purpose.INVITATION, Purpose.EMAIL_CHANGE])
def test_a_link_of_another_purpose_does_not_set_a_password(
    service: ResettingPasswords, signing_in: SigningIn, state: State, purpose: Purpose
) -> None:
    other = new_token()
    with state.write() as session:
        links.add_link(session, digest(other), purpose, Link(user_id(state), EMAIL, NOW + timedelta(hours=1)), NOW)
    with pytest.raises(NotFound):
        service.use(other, NEW, HERE.address, NOW)
    assert signing_in.sign_in(EMAIL, OLD, HERE, NOW)


def test_only_the_newest_link_works(service: ResettingPasswords, post: FakePost, token: str) -> None:
    service.deliver(f" {EMAIL.upper()} ", HERE.address, NOW)
    with pytest.raises(NotFound):
        service.find(token, NOW)
    assert post.mails[0].to == EMAIL
    assert service.find(token_in(post.mails[0]), NOW)


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000, "\x00", "\ud800"])
def test_what_is_no_token_opens_nothing(service: ResettingPasswords, token: str) -> None:
    with pytest.raises(NotFound):
        service.find(token, NOW)


def test_a_link_dies_with_the_address_it_was_sent_to(service: ResettingPasswords, state: State, token: str) -> None:
    with state.write() as session:
        users.set_email(session, user_id(state), "new@example.com")
    with pytest.raises(NotFound):
        service.use(token, NEW, HERE.address, NOW)


def test_a_paused_person_gets_no_mail_and_cannot_use_an_old_link(
    service: ResettingPasswords, state: State, post: FakePost, token: str
) -> None:
    with state.write() as session:
        users.move_person(session, user_id(state), UserStatus.INACTIVE)
    service.deliver(EMAIL, HERE.address, NOW)
    assert post.mails == []
    with pytest.raises(NotFound):
        service.use(token, NEW, HERE.address, NOW)


@pytest.mark.parametrize(
    "email",
    ["nobody@example.com", "", "\x00", "a@b.com\r\nBcc: x@evil.example", "x" * 1_000, f"{EMAIL},x@evil.example"],
)
def test_a_stranger_gets_no_mail_and_asking_is_written_down(
    service: ResettingPasswords, state: State, post: FakePost, email: str
) -> None:
    service.deliver(email, HERE.address, NOW)
    assert post.mails == []
    [line] = lines(state, Action.PASSWORD_RESET_ASKED)
    assert (line.who, line.user_id, line.address) == ("", "", HERE.address)
    # What was typed is not kept: it may be anything.
    assert line.subject == Subject("person", "", UNKNOWN_EMAIL)


def test_asking_does_the_same_whoever_is_asked_for(
    service: ResettingPasswords, post: FakePost, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither looks for the person nor hashes, so there is nothing by which the answers could differ.
    monkeypatch.setattr(users, "find_user_id", lambda *_: pytest.fail("looked for the person"))
    monkeypatch.setattr(Passwords, "verify", lambda *_: pytest.fail("hashed"))
    for email in (EMAIL, "nobody@example.com"):
        service.ask(email, HERE.address, NOW)
    assert post.mails == []


@pytest.mark.parametrize("by", ["email", "address"])
def test_asking_again_and_again_has_to_wait(service: ResettingPasswords, by: str) -> None:
    for number in range(FREE_FAILURES + 1):
        email = EMAIL if by == "email" else f"guess-{number}@example.com"
        service.ask(email, HERE.address if by == "address" else f"198.51.100.{number}", NOW)
    with pytest.raises(TooManyAttempts):
        service.ask(EMAIL if by == "email" else "x@example.com", HERE.address, NOW)


def test_asking_does_not_hinder_log_ins(service: ResettingPasswords, signing_in: SigningIn) -> None:
    for _ in range(FREE_FAILURES + 1):
        service.ask(EMAIL, HERE.address, NOW)
    assert signing_in.sign_in(EMAIL, OLD, HERE, NOW)


def test_a_mail_server_that_is_away_breaks_nothing_and_tells_no_secret(
    service: ResettingPasswords, post: FakePost, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post.broken = True
    service.use(token, NEW, HERE.address, NOW)
    service.deliver(EMAIL, HERE.address, NOW)
    assert "reset_not_sent" in caplog.text
    assert token not in caplog.text
    assert EMAIL not in caplog.text
