"""Many tries at the same moment, on both databases: no more are answered than of tries one after the other."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from core.domain.people.people import UserStatus
from core.domain.reports.audit import Action, AuditFilter
from core.errors import TooManyAttempts, WrongCredentials
from core.services.people.passwords import HashingQueue, Passwords
from core.services.people.signing_in import SetUp, SigningIn, attempt_keys
from core.services.people.throttling import FREE_FAILURES
from core.state.engine.store import State
from core.state.people import sessions, users
from core.state.people.sessions import Browser
from core.state.reports import audit
from tests.contract.state.test_concurrency import at_once
from tests.support.application.factories import NOW

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
HERE, THERE = Browser("192.0.2.1"), Browser("198.51.100.7")
TRIES = 12


class PausingHasher(PasswordHasher):
    """Cheap, and runs *meanwhile* while a password is verified."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.meanwhile: Callable[[], object] = lambda: None

    def verify(self, *arguments: str) -> bool:
        meanwhile = self.meanwhile
        meanwhile()
        return super().verify(*arguments)


@pytest.fixture
def hasher() -> PausingHasher:
    return PausingHasher()


@pytest.fixture
def service(state: State, hasher: PausingHasher) -> SigningIn:
    made = SigningIn(state, idle_s=1_800, lifetime_s=43_200, rate_tps=100, hasher=hasher)
    # All of them at the same time, as several processes would.
    made.passwords = Passwords(hasher, HashingQueue(at_once=TRIES))
    made.set_up(SetUp(made.new_setup_token(), "Ada", EMAIL, PASSWORD), HERE, NOW)
    return made


def fail(service: SigningIn, email: str, browser: Browser) -> None:
    with pytest.raises(WrongCredentials):
        service.sign_in(email, "wrong", browser, NOW)


def test_tries_sent_at_once_are_throttled_like_tries_in_a_row(
    service: SigningIn, hasher: PausingHasher, state: State
) -> None:
    # All have passed the first check before the first of them has failed.
    hasher.meanwhile = threading.Barrier(TRIES).wait
    answers = at_once(lambda _: service.sign_in(EMAIL, "wrong", HERE, NOW), TRIES)
    assert Counter(type(answer) for answer in answers) == {
        WrongCredentials: FREE_FAILURES + 1,
        TooManyAttempts: TRIES - FREE_FAILURES - 1,
    }
    with state.read() as session:
        found = sessions.find_attempts(session, attempt_keys(EMAIL, "")[0])
        refused_count = audit.count_entries(session, AuditFilter(action=Action.SIGN_IN_REFUSED))
    assert found is not None
    assert found.failed_count == refused_count == FREE_FAILURES + 1


@pytest.mark.parametrize(("email", "browser"), [(EMAIL, THERE), ("somebody@example.com", HERE)])
def test_the_right_password_after_too_many_tries_at_once_is_not_told_from_a_wrong_one(
    service: SigningIn, hasher: PausingHasher, email: str, browser: Browser
) -> None:
    def others_fail() -> None:
        hasher.meanwhile = lambda: None
        for _ in range(FREE_FAILURES + 1):
            fail(service, email, browser)

    answers = []
    for password in (PASSWORD, "wrong"):
        hasher.meanwhile = others_fail if not answers else lambda: None
        with pytest.raises(TooManyAttempts) as caught:
            service.sign_in(EMAIL, password, HERE, NOW)
        answers.append((caught.value.message, caught.value.hint))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("change", ["paused", "another password"])
def test_a_log_in_that_is_overtaken_by_a_change_gives_no_session(
    service: SigningIn, hasher: PausingHasher, state: State, change: str
) -> None:
    def overtake() -> None:
        with state.write() as session:
            user_id = users.find_user_id(session, EMAIL)
            assert user_id
            sessions.revoke_all(session, user_id, NOW)
            if change == "paused":
                users.move_person(session, user_id, UserStatus.INACTIVE)
            else:
                users.set_password_hash(session, user_id, "another")

    hasher.meanwhile = overtake
    with pytest.raises(WrongCredentials):
        service.sign_in(EMAIL, PASSWORD, HERE, NOW)
    with state.read() as session:
        user_id = users.find_user_id(session, EMAIL)
        assert user_id
        assert sessions.list_open(session, user_id, NOW, NOW) == []
