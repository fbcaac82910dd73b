"""What the links of an invitation and of a new email open, and for whom not."""

from datetime import timedelta

import pytest

from core.domain.people.people import UserStatus
from core.domain.people.permissions import PRESETS
from core.domain.reports.audit import Action, AuditFilter
from core.errors import Conflict, InvalidInput, NotFound
from core.services.people.following_links import Acceptance, FollowingLinks
from core.services.people.mailing import Mailing, digest, new_token
from core.services.people.signing_in import SetUp, SigningIn
from core.state.engine.store import State
from core.state.people import links, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import Browser
from core.state.reports import audit
from tests.support.application.factories import NOW
from tests.support.fakes.mail import FakePost

ADA, BEN, PASSWORD = "ada@example.com", "ben@example.com", "Sun-mirror-22"
HERE = Browser("192.0.2.1", "Firefox/150.0")
WEEK = timedelta(days=7)


@pytest.fixture
def signing_in(state: State, signing_in: SigningIn) -> SigningIn:
    signing_in.set_up(SetUp(signing_in.new_setup_token(), "Ada", ADA, PASSWORD), HERE, NOW)
    preset = PRESETS["Campaign manager"]
    with state.write() as session:
        users.add_user(session, users.NewUser("ben", BEN, "Ben", "", preset, status=UserStatus.PENDING), NOW)
    return signing_in


@pytest.fixture
def service(state: State, signing_in: SigningIn, post: FakePost) -> FollowingLinks:
    return FollowingLinks(state, signing_in.passwords, Mailing(post, "https://sms.example.com"))


def add_link(state: State, purpose: Purpose, user_id: str = "ben", email: str = BEN) -> str:
    token = new_token()
    with state.write() as session:
        links.add_link(session, digest(token), purpose, Link(user_id, email, NOW + WEEK), NOW)
    return token


@pytest.fixture
def token(state: State, service: FollowingLinks) -> str:
    return add_link(state, Purpose.INVITATION)


@pytest.fixture
def ada(state: State, signing_in: SigningIn) -> str:
    with state.read() as session:
        found = users.find_user_id(session, ADA)
    assert found
    return found


def test_accepting_makes_active_and_signs_in_once(
    service: FollowingLinks, signing_in: SigningIn, state: State, token: str
) -> None:
    assert service.find(token, NOW).name == "Ben"
    viewer = signing_in.identify(service.accept(Acceptance(token, " Ben  Bell ", PASSWORD), HERE, NOW), NOW)
    assert viewer is not None
    assert (viewer.name, viewer.email, viewer.permissions) == ("Ben Bell", BEN, PRESETS["Campaign manager"])
    assert signing_in.sign_in(BEN, PASSWORD, HERE, NOW)
    with pytest.raises(NotFound):
        service.accept(Acceptance(token, "Eve", "Another-one-2"), HERE, NOW)
    with state.read() as session:
        [line] = audit.list_entries(session, AuditFilter(action=Action.INVITATION_ACCEPTED), 10, 0)
    assert (line.user_id, line.who, line.address) == ("ben", "Ben Bell", HERE.address)


def test_accepting_leaves_no_session_the_browser_brought_along(
    service: FollowingLinks, signing_in: SigningIn, token: str
) -> None:
    planted = signing_in.sign_in(ADA, PASSWORD, HERE, NOW)
    fresh = service.accept(Acceptance(token, "Ben", PASSWORD), HERE, NOW, planted)
    assert fresh != planted
    assert signing_in.identify(planted, NOW) is None


def test_bad_forms_leave_the_invitation_alive(service: FollowingLinks, token: str) -> None:
    for name, password, field in (
        ("", PASSWORD, "name"),
        ("Ben", "weak", "password"),
        ("Ben", "Ben-Ben-1!", "password"),
    ):
        with pytest.raises(InvalidInput) as caught:
            service.accept(Acceptance(token, name, password), HERE, NOW)
        assert caught.value.field == field
    assert service.find(token, NOW)


@pytest.mark.parametrize("withdrawn", ["paused", "another email", "deleted", "expired"])
def test_a_withdrawn_invitation_opens_nothing(
    service: FollowingLinks, state: State, token: str, withdrawn: str
) -> None:
    with state.write() as session:
        if withdrawn == "paused":
            users.move_person(session, "ben", UserStatus.INACTIVE)
        elif withdrawn == "another email":
            users.set_email(session, "ben", "benjamin@example.com")
        elif withdrawn == "deleted":
            users.delete_person(session, "ben")
    now = NOW + WEEK if withdrawn == "expired" else NOW
    for ask in (
        lambda: service.find(token, now),
        lambda: service.accept(Acceptance(token, "Ben", PASSWORD), HERE, now),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_opens_only_its_own_door(service: FollowingLinks, state: State, ada: str, purpose: Purpose) -> None:
    if purpose is not Purpose.INVITATION:
        with pytest.raises(NotFound):
            service.accept(Acceptance(add_link(state, purpose), "Ben", PASSWORD), HERE, NOW)
    if purpose is not Purpose.EMAIL_CHANGE:
        with pytest.raises(NotFound):
            service.confirm_email(add_link(state, purpose, ada, "new@example.com"), HERE.address, NOW)


def test_confirming_changes_the_email_once_tells_the_old_one_and_ends_no_session(
    service: FollowingLinks, signing_in: SigningIn, state: State, post: FakePost, ada: str
) -> None:
    session_token = signing_in.sign_in(ADA, PASSWORD, HERE, NOW)
    reset = add_link(state, Purpose.PASSWORD_RESET, ada, ADA)
    token = add_link(state, Purpose.EMAIL_CHANGE, ada, "New@example.com")
    assert service.find_email(token, NOW).email == "New@example.com"
    assert service.confirm_email(token, HERE.address, NOW) == "New@example.com"
    viewer = signing_in.identify(session_token, NOW)
    assert viewer is not None
    assert viewer.email == "new@example.com"
    assert [mail.to for mail in post.mails] == [ADA]
    with state.read() as session:
        [line] = audit.list_entries(session, AuditFilter(action=Action.EMAIL_CHANGED), 10, 0)
        assert links.find_link(session, digest(reset), Purpose.PASSWORD_RESET, NOW) is None
    assert line.details == {"from": ADA, "to": "New@example.com"}
    with pytest.raises(NotFound):
        service.confirm_email(token, HERE.address, NOW)


def test_an_email_that_was_taken_meanwhile_is_refused(
    service: FollowingLinks, state: State, post: FakePost, ada: str
) -> None:
    token = add_link(state, Purpose.EMAIL_CHANGE, ada, BEN)
    with pytest.raises(Conflict):
        service.confirm_email(token, HERE.address, NOW)
    with state.read() as session:
        assert users.get_person(session, ada).email == ADA
    assert post.mails == []


def test_a_paused_person_confirms_nothing(service: FollowingLinks, state: State, ada: str) -> None:
    token = add_link(state, Purpose.EMAIL_CHANGE, ada, "new@example.com")
    with state.write() as session:
        users.move_person(session, ada, UserStatus.INACTIVE)
    with pytest.raises(NotFound):
        service.confirm_email(token, HERE.address, NOW)


def test_a_mail_server_that_is_away_does_not_undo_the_change(
    service: FollowingLinks, state: State, post: FakePost, ada: str
):
    post.broken = True
    service.confirm_email(add_link(state, Purpose.EMAIL_CHANGE, ada, "new@example.com"), HERE.address, NOW)
    with state.read() as session:
        assert users.get_person(session, ada).email == "new@example.com"
