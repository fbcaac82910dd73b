from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from core.domain.permissions import Permission
from core.errors import Forbidden, InvalidInput, TooManyAttempts, WrongCredentials
from core.services.signing_in import SetUp, SigningIn
from core.state.store import State
from tests.support.factories import NOW

PASSWORD = "Heliograph-test-1"
ADDRESS = "192.0.2.1"


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
def service(tmp_path: Path, hasher: CountingHasher) -> Iterator[SigningIn]:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.migrate()
    yield SigningIn(state, idle_s=1_800, lifetime_s=43_200, rate_tps=100, hasher=hasher)
    state.close()


def form(service: SigningIn, **overrides: object) -> SetUp:
    facts = {"token": service.setup_token(), "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    return SetUp(**(facts | overrides))


@pytest.fixture
def token(service: SigningIn) -> str:
    return service.set_up(form(service), NOW)


def test_the_first_visit_makes_an_administrator_with_an_account(service: SigningIn):
    assert service.needs_setup()
    viewer = service.identify(service.set_up(form(service), NOW), NOW)
    assert viewer is not None
    assert viewer.permissions == frozenset(Permission)
    assert len(viewer.account_ids) == 1
    assert not service.needs_setup()


def test_the_setup_token_stays_the_same_and_works_once(service: SigningIn):
    assert service.setup_token() == service.setup_token()
    first = form(service)
    service.set_up(first, NOW)
    with pytest.raises(Forbidden, match="already"):
        service.set_up(first, NOW)


def test_a_wrong_setup_token_costs_no_hashing(service: SigningIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(CountingHasher, "hash", lambda *_: pytest.fail("hashed for a stranger"))
    with pytest.raises(Forbidden) as caught:
        service.set_up(form(service, token="guess"), NOW)
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
        service.set_up(form(service, **change), NOW)
    assert (caught.value.field, bool(caught.value.hint)) == (field, True)
    assert service.needs_setup()


def test_an_unknown_email_and_a_wrong_password_look_and_cost_the_same(
    service: SigningIn, token: str, hasher: CountingHasher
):
    messages = []
    for email, password in [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD)]:
        before = hasher.verified
        with pytest.raises(WrongCredentials) as caught:
            service.sign_in(email, password, ADDRESS, NOW)
        messages.append((caught.value.message, caught.value.hint, hasher.verified - before))
    assert messages[0] == messages[1]
    assert messages[0][2] == 1


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
        service.sign_in("ada@example.com", PASSWORD, "198.51.100.7", NOW)
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


@pytest.mark.parametrize("unknown", ["", None, "x" * 43])
def test_what_is_no_session_is_nobody(service: SigningIn, token: str, unknown: str | None):
    assert service.identify(unknown, NOW) is None
