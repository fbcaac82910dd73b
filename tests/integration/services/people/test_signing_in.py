from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from core.domain.people.people import UserStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, AuditFilter, Subject
from core.errors import Forbidden, InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from core.services.people.signing_in import SETUP_TOKEN, UNKNOWN_EMAIL, SetUp, SigningIn, TimeLeft
from core.services.people.throttling import FREE_FAILURES
from core.state.engine.store import State
from core.state.people import links, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import Browser
from core.state.reports import audit
from core.state.tables.base import Base
from core.state.tables.people_models import LinkRow, SessionRow
from core.state.upkeep import installation
from tests.support.application.factories import NOW

PASSWORD = "Heliograph-test-1"
ADDRESS = Browser("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0")


class CountingHasher(PasswordHasher):
    """Cheap, and counts how often it verifies."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, *arguments: str) -> bool:
        self.verified += 1
        return super().verify(*arguments)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def service(state: State, hasher: CountingHasher) -> SigningIn:
    return SigningIn(state, idle_s=1_800, lifetime_s=43_200, rate_tps=100, hasher=hasher)


def form(service: SigningIn, **overrides: object) -> SetUp:
    facts = {"token": service.new_setup_token(), "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    return SetUp(**(facts | overrides))


@pytest.fixture
def token(service: SigningIn) -> str:
    return service.set_up(form(service), ADDRESS, NOW)


def test_the_first_visit_makes_an_administrator_with_an_account(service: SigningIn):
    assert service.needs_setup()
    viewer = service.identify(service.set_up(form(service), ADDRESS, NOW), NOW)
    assert viewer is not None
    assert viewer.permissions == frozenset(Permission)
    assert len(viewer.account_ids) == 1
    assert not service.needs_setup()


def test_only_the_last_setup_token_works_and_it_works_once(service: SigningIn):
    before, first = form(service), form(service)
    with pytest.raises(Forbidden, match="wrong"):
        service.set_up(before, ADDRESS, NOW)
    service.set_up(first, ADDRESS, NOW)
    with pytest.raises(Forbidden, match="already"):
        service.set_up(first, ADDRESS, NOW)


def test_the_setup_token_lies_nowhere_in_clear(service: SigningIn, state: State):
    token = service.new_setup_token()
    with state.read() as session:
        kept = installation.find_setting(session, SETUP_TOKEN) or ""
    assert len(kept) == 64
    assert token not in kept
    # Nor does what is kept open anything.
    with pytest.raises(Forbidden, match="wrong"):
        service.set_up(SetUp(kept, "Ada", "ada@example.com", PASSWORD), ADDRESS, NOW)


def test_whoever_guesses_setup_tokens_has_to_wait(service: SigningIn):
    right = form(service)
    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(Forbidden):
            service.set_up(SetUp("guess", "Ada", "ada@example.com", PASSWORD), ADDRESS, NOW)
    with pytest.raises(TooManyAttempts):
        service.set_up(right, ADDRESS, NOW)
    assert service.set_up(right, Browser("198.51.100.7"), NOW)


def test_what_is_typed_for_an_unknown_email_is_kept_nowhere(service: SigningIn, state: State, token: str):
    for typed in ("My-secret-password-1", "nobody@example.com"):
        with pytest.raises(WrongCredentials):
            service.sign_in(typed, "wrong", ADDRESS, NOW)
    with state.read() as session:
        rows = [str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    assert rows
    assert not [row for row in rows if "secret-password" in row.lower() or "nobody@" in row]


def test_the_email_of_somebody_there_is_written_down(service: SigningIn, state: State, token: str):
    with pytest.raises(WrongCredentials):
        service.sign_in("Ada@example.com", "wrong", ADDRESS, NOW)
    with state.read() as session:
        [line] = audit.list_entries(session, AuditFilter(action=Action.SIGN_IN_REFUSED), 10, 0)
    assert line.subject.name == "ada@example.com"
    assert line.subject.subject_id


def test_one_ipv6_network_is_one_address(service: SigningIn, token: str):
    for number in range(FREE_FAILURES + 1):
        with pytest.raises(WrongCredentials):
            service.sign_in(f"guess-{number}@example.com", "x", Browser(f"2001:db8::{number}"), NOW)
    with pytest.raises(TooManyAttempts):
        service.sign_in("ada@example.com", PASSWORD, Browser("2001:db8::ffff:1"), NOW)
    assert service.sign_in("ada@example.com", PASSWORD, Browser("2001:db8:0:1::1"), NOW)


def test_a_wrong_setup_token_costs_no_hashing(service: SigningIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(CountingHasher, "hash", lambda *_: pytest.fail("hashed for a stranger"))
    with pytest.raises(Forbidden) as caught:
        service.set_up(form(service, token="guess"), ADDRESS, NOW)
    assert caught.value.field == "token"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a b@c.de"}, "email"),
        ({"password": "Short-1"}, "password"),
        ({"password": "no-upper-case-1"}, "password"),
        ({"password": "NO-LOWER-CASE-1"}, "password"),
        ({"password": "No-Number-Here"}, "password"),
        ({"password": "NoSpecial123"}, "password"),
        ({"password": "Long-1" + "x" * 200}, "password"),
    ],
)
def test_bad_forms_name_their_field(service: SigningIn, change: dict[str, str], field: str):
    with pytest.raises(InvalidInput) as caught:
        service.set_up(form(service, **change), ADDRESS, NOW)
    assert (caught.value.field, bool(caught.value.hint)) == (field, True)
    assert service.needs_setup()


def test_whoever_may_not_come_in_is_told_the_same_after_the_same_work(
    service: SigningIn, state: State, token: str, hasher: CountingHasher
):
    with state.write() as session:
        for status in UserStatus:
            # Whoever is invited has no password yet.
            password_hash = "" if status is UserStatus.PENDING else hasher.hash(PASSWORD)
            email = f"{status}@example.com"
            users.add_user(session, users.NewUser(email, email, "Ben", password_hash, frozenset(), status=status), NOW)
    seen = set()
    for number, (email, password) in enumerate(
        [
            ("Active@example.com", "wrong"),
            ("Active@example.com", ""),
            ("nobody@example.com", PASSWORD),
            ("", ""),
            ("\x00' OR 1=1 --", PASSWORD),
            ("Pending@example.com", PASSWORD),
            ("Pending@example.com", ""),
            ("Inactive@example.com", PASSWORD),
            ("Inactive@example.com", "wrong"),
        ]
    ):
        before = hasher.verified
        with pytest.raises(WrongCredentials) as caught:
            service.sign_in(email, password, Browser(f"198.51.100.{number}"), NOW)
        seen.add((caught.value.message, caught.value.hint, hasher.verified - before))
    assert len(seen) == 1
    assert seen.pop()[2] == 1


def test_the_token_the_browser_sent_is_replaced_and_ended(service: SigningIn, token: str):
    fresh = service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW, token)
    assert fresh != token
    assert service.identify(token, NOW) is None
    assert service.identify(fresh, NOW) is not None


def test_a_planted_token_never_becomes_a_session(service: SigningIn, token: str):
    service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW, "planted")
    assert service.identify("planted", NOW) is None


def test_coming_and_going_is_written_down_without_secrets(service: SigningIn, state: State, token: str):
    fresh = service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW, token)
    service.sign_out(fresh, NOW, ADDRESS.address)
    service.sign_out(fresh, NOW, ADDRESS.address)
    with pytest.raises(WrongCredentials):
        service.sign_in("E" * 300, "secret-typed", ADDRESS, NOW)
    with state.read() as session:
        lines = audit.list_entries(session, AuditFilter(), 10, 0)[::-1]
    assert [line.action for line in lines] == [
        Action.SIGNED_IN,
        Action.SIGNED_IN,
        Action.SIGNED_OUT,
        Action.SIGN_IN_REFUSED,
    ]
    assert {line.address for line in lines} == {ADDRESS.address}
    assert (lines[-1].who, lines[-1].subject) == ("", Subject("person", "", UNKNOWN_EMAIL))
    for secret in (PASSWORD, "secret-typed", token, fresh):
        assert secret not in str(lines)


def test_one_sees_where_one_is_signed_in_and_ends_it_from_elsewhere(service: SigningIn, state: State, token: str):
    later = NOW + timedelta(minutes=1)
    other = service.sign_in("ada@example.com", PASSWORD, Browser("198.51.100.7", "curl/8"), later)
    viewer = service.identify(token, NOW)
    assert viewer
    found = service.list_sessions(viewer, token, later)
    assert [(one.browser, one.address, one.is_current) for one in found] == [
        ("curl", "198.51.100.7", False),
        ("Firefox on Linux", ADDRESS.address, True),
    ]
    service.revoke_session(viewer, found[0].session_id, later)
    assert service.identify(other, later) is None
    with pytest.raises(NotFound):
        service.revoke_session(viewer, found[0].session_id, later)
    assert len(service.list_sessions(viewer, token, later)) == 1
    with state.read() as session:
        [line] = audit.list_entries(session, AuditFilter(action=Action.SESSION_REVOKED), 10, 0)
    assert line.user_id == viewer.user_id


def test_all_others_end_at_once_and_this_one_stays(service: SigningIn, token: str):
    others = [service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW) for _ in range(3)]
    viewer = service.identify(token, NOW)
    assert viewer
    assert service.revoke_others(viewer, token, NOW) == 3
    assert [service.identify(one, NOW) for one in others] == [None] * 3
    assert service.identify(token, NOW) is not None
    assert service.revoke_others(viewer, token, NOW) == 0


def test_nobody_sees_or_ends_the_sessions_of_others(service: SigningIn, state: State, token: str):
    stranger = Viewer("user-ben", "Ben", "ben@example.com", frozenset(Permission))
    viewer = service.identify(token, NOW)
    assert viewer
    [mine] = service.list_sessions(viewer, token, NOW)
    assert service.list_sessions(stranger, token, NOW) == ()
    with pytest.raises(NotFound):
        service.revoke_session(stranger, mine.session_id, NOW)
    assert service.revoke_others(stranger, "", NOW) == 0
    assert service.identify(token, NOW) is not None


def test_ended_sessions_are_not_listed(service: SigningIn, token: str):
    viewer = service.identify(token, NOW)
    assert viewer
    assert service.list_sessions(viewer, token, NOW + timedelta(seconds=1_801)) == ()


def test_the_time_left_is_the_idle_time_and_never_more_than_the_lifetime(service: SigningIn, token: str):
    assert service.time_left(token, NOW) == TimeLeft(1_800, "idle", warns=False)
    soon = NOW + timedelta(seconds=1_680)
    assert service.time_left(token, soon) == TimeLeft(120, "idle", warns=True)
    now = NOW
    while now < NOW + timedelta(seconds=42_000):
        service.touch(token, now)
        now += timedelta(minutes=20)
    service.touch(token, now)
    left = service.time_left(token, now)
    assert left is not None
    assert (left.ends_by, left.seconds) == ("lifetime", 43_200 - (now - NOW).total_seconds())
    assert service.time_left(token, NOW + timedelta(days=1)) is None
    assert service.time_left("", NOW) is None


@pytest.mark.parametrize("end", ["sign_out", "revoke_session", "revoke_others", "replaced"])
def test_an_answer_is_recalled_for_less_than_a_second_and_not_after_the_end(service: SigningIn, token: str, end: str):
    other = service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW)
    assert service.recall(token, NOW) is None
    viewer = service.identify(token, NOW)
    assert viewer is not None
    assert service.recall(token, NOW + timedelta(milliseconds=999)) == viewer
    assert service.recall(token, NOW + timedelta(seconds=1)) is None
    assert service.recall(token, NOW - timedelta(seconds=1)) is None
    if end == "sign_out":
        service.sign_out(token, NOW)
    elif end == "revoke_session":
        mine = next(one for one in service.list_sessions(viewer, token, NOW) if one.is_current)
        service.revoke_session(viewer, mine.session_id, NOW)
    elif end == "revoke_others":
        service.revoke_others(viewer, other, NOW)
    else:
        service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW, token)
    assert service.recall(token, NOW) is None
    assert service.identify(token, NOW) is None
    assert service.recall("", NOW) is None


def test_what_is_recalled_is_forgotten_as_soon_as_it_is_found_wrong(service: SigningIn, state: State, token: str):
    viewer = service.identify(token, NOW)
    assert viewer
    with state.write() as session:
        users.move_person(session, viewer.user_id, UserStatus.INACTIVE)
    assert service.recall(token, NOW) is not None
    assert service.identify(token, NOW) is None
    assert service.recall(token, NOW) is None


def test_who_is_paused_or_deleted_is_nobody_from_then_on(service: SigningIn, state: State, token: str):
    viewer = service.identify(token, NOW)
    assert viewer
    with state.write() as session:
        users.move_person(session, viewer.user_id, UserStatus.INACTIVE)
    assert service.identify(token, NOW) is None
    with state.write() as session:
        users.move_person(session, viewer.user_id, UserStatus.ACTIVE)
        users.delete_person(session, viewer.user_id)
    assert service.identify(token, NOW) is None


def test_signing_in_gives_a_session_of_its_own(service: SigningIn, token: str):
    second = service.sign_in(" ADA@example.com ", PASSWORD, ADDRESS, NOW)
    assert second != token
    service.sign_out(second, NOW)
    assert service.identify(second, NOW) is None
    assert service.identify(token, NOW) is not None


def test_repeated_failures_wait_ever_longer(service: SigningIn, token: str):
    now, waits = NOW, []
    for _ in range(10):
        try:
            service.sign_in("ada@example.com", "wrong", ADDRESS, now)
        except TooManyAttempts as error:
            waits.append(error.retry_after_s)
            now += timedelta(seconds=error.retry_after_s)
        except WrongCredentials:
            pass
    assert waits == sorted(waits)
    assert len(waits) >= 2
    assert waits[-1] > waits[0]


def test_throttling_is_lifted_by_time_and_forgotten_after_success(service: SigningIn, token: str):
    for _ in range(6):
        with pytest.raises(WrongCredentials):
            service.sign_in("ada@example.com", "wrong", ADDRESS, NOW)
    with pytest.raises(TooManyAttempts):
        service.sign_in("ada@example.com", PASSWORD, Browser("198.51.100.7"), NOW)
    later = NOW + timedelta(seconds=3)
    assert service.sign_in("ada@example.com", PASSWORD, ADDRESS, later)


def test_an_idle_session_ends(service: SigningIn, token: str):
    assert service.identify(token, NOW + timedelta(seconds=1_800)) is not None
    assert service.identify(token, NOW + timedelta(seconds=1_801)) is None


def test_activity_keeps_a_session_but_not_for_ever(service: SigningIn, token: str):
    now = NOW
    while now < NOW + timedelta(seconds=43_200):
        assert service.identify(token, now) is not None
        service.touch(token, now)
        now += timedelta(minutes=20)
    assert service.identify(token, NOW + timedelta(seconds=43_201)) is None


def test_what_has_ended_is_deleted_and_what_lives_is_not(service: SigningIn, state: State, token: str):
    def count() -> tuple[int, int]:
        with state.read() as session:
            kept = session.scalar(select(func.count()).select_from(SessionRow))
            return kept or 0, session.scalar(select(func.count()).select_from(LinkRow)) or 0

    user_id = service.identify(token, NOW).user_id
    with state.write() as session:
        for purpose, hours in ((Purpose.PASSWORD_RESET, 1), (Purpose.EMAIL_CHANGE, 3)):
            link = Link(user_id, "ada@example.com", NOW + timedelta(hours=hours))
            links.add_link(session, purpose, purpose, link, NOW)
    gone = service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW)
    service.sign_out(gone, NOW)
    service.sign_in("ada@example.com", PASSWORD, ADDRESS, NOW)
    assert count() == (3, 2)
    later = NOW + timedelta(minutes=20)
    service.touch(token, later)
    service.delete_ended(later)
    assert count() == (2, 2)
    # The one that nobody touched is idle by now, and one link is too old.
    later = NOW + timedelta(minutes=65)
    service.touch(token, NOW + timedelta(minutes=45))
    service.delete_ended(later)
    assert count() == (1, 1)
    assert service.identify(token, later) is not None
    service.delete_ended(NOW + timedelta(hours=13))
    assert count() == (0, 0)


@pytest.mark.parametrize("unknown", ["", None, "x" * 43])
def test_what_is_no_session_is_nobody(service: SigningIn, token: str, unknown: str | None):
    assert service.identify(unknown, NOW) is None
