"""Failed log-ins over days: they must not add up, and nobody's session comes back to life."""

from datetime import datetime, timedelta

import pytest

from core.errors import TooManyAttempts, WrongCredentials
from core.services.people.signing_in import SetUp, SigningIn, attempt_keys
from core.services.people.throttling import FORGET_AFTER, FREE_FAILURES, LONGEST_WAIT_S
from core.state.engine.store import State
from core.state.people import sessions
from core.state.people.sessions import Browser
from tests.support.application.factories import NOW

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
OFFICE, ELSEWHERE = Browser("192.0.2.1"), Browser("198.51.100.7")


@pytest.fixture
def service(signing_in: SigningIn) -> SigningIn:
    signing_in.set_up(SetUp(signing_in.new_setup_token(), "Ada", EMAIL, PASSWORD), OFFICE, NOW)
    return signing_in


def fail(service: SigningIn, email: str, address: Browser, now: datetime) -> int:
    """Try a wrong password; return how many seconds to wait, 0 when the next try is welcome at once."""
    with pytest.raises(WrongCredentials):
        service.sign_in(email, "wrong", address, now)
    try:
        service.sign_in(email, "wrong", address, now)
    except TooManyAttempts as error:
        return error.retry_after_s
    except WrongCredentials:
        return 0
    raise AssertionError("a wrong password signed in")


def fail_until_blocked(service: SigningIn, email: str, address: Browser) -> int:
    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(WrongCredentials):
            service.sign_in(email, "wrong", address, NOW)
    with pytest.raises(TooManyAttempts) as blocked:
        service.sign_in(email, PASSWORD, address, NOW)
    return blocked.value.retry_after_s


def test_an_address_is_throttled_whatever_emails_it_tries(service: SigningIn):
    for number in range(FREE_FAILURES + 1):
        with pytest.raises(WrongCredentials):
            service.sign_in(f"guess-{number}@example.com", "wrong", OFFICE, NOW)
    with pytest.raises(TooManyAttempts):
        service.sign_in(EMAIL, PASSWORD, OFFICE, NOW)
    assert service.sign_in(EMAIL, PASSWORD, ELSEWHERE, NOW)


def test_a_mistake_now_and_then_never_locks_out_an_office(service: SigningIn):
    now = NOW
    for _ in range(10 * FREE_FAILURES):
        assert fail(service, EMAIL, OFFICE, now) == 0
        now += FORGET_AFTER + timedelta(seconds=LONGEST_WAIT_S)


def test_waits_have_an_upper_limit_and_persistence_keeps_it_there(service: SigningIn):
    now, waits = NOW, []
    for _ in range(40):
        try:
            service.sign_in(EMAIL, "wrong", OFFICE, now)
        except TooManyAttempts as error:
            waits.append(error.retry_after_s)
            now += timedelta(seconds=error.retry_after_s)
        except WrongCredentials:
            continue
    assert waits == sorted(waits)
    assert waits[-3:] == [LONGEST_WAIT_S] * 3


def test_emails_somebody_made_up_do_not_stay_for_ever(service: SigningIn, state: State):
    with pytest.raises(WrongCredentials):
        service.sign_in("made-up@example.com", "wrong", OFFICE, NOW)
    with pytest.raises(WrongCredentials):
        service.sign_in(EMAIL, "wrong", ELSEWHERE, NOW + FORGET_AFTER + timedelta(seconds=1))
    with state.read() as session:
        assert sessions.find_attempts(session, attempt_keys("made-up@example.com", "")[0]) is None
        assert sessions.find_attempts(session, attempt_keys(EMAIL, "")[0]) is not None


def test_success_does_not_give_an_attacker_s_address_new_tries(service: SigningIn):
    wait_s = fail_until_blocked(service, "guess@example.com", OFFICE)
    now = NOW + timedelta(seconds=wait_s)
    # He has an account of his own.
    service.sign_in(EMAIL, PASSWORD, OFFICE, now)
    assert fail(service, "guess@example.com", OFFICE, now) > wait_s


def test_a_password_is_good_until_it_is_changed(service: SigningIn):
    assert service.sign_in(EMAIL, PASSWORD, OFFICE, NOW + timedelta(days=3_650))


@pytest.mark.parametrize("ended", ["idle", "old", "signed out"])
def test_activity_does_not_bring_back_a_session_that_has_ended(service: SigningIn, ended: str):
    token, now = service.sign_in(EMAIL, PASSWORD, OFFICE, NOW), NOW
    if ended == "signed out":
        service.sign_out(token, now)
    elif ended == "idle":
        now += timedelta(seconds=1_801)
    else:
        while now <= NOW + timedelta(seconds=43_200):
            service.touch(token, now)
            now += timedelta(minutes=20)
    assert service.identify(token, now) is None
    service.touch(token, now)
    assert service.identify(token, now) is None
