from collections.abc import Iterator
from pathlib import Path

import pytest

from core.services.people.signing_in import SigningIn
from core.services.sending import batches
from core.state.engine.store import State
from tests.integration.services.paying import make_paying
from tests.support.application.house import House, make_house
from tests.support.fakes.mail import FakePost


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.app.close()


@pytest.fixture
def signing_in(state: State) -> SigningIn:
    """Return the service over `state`, not set up yet."""
    return SigningIn(state, idle_s=1_800, lifetime_s=43_200, rate_tps=100)


@pytest.fixture
def post() -> FakePost:
    return FakePost()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on either database: they lock in different ways."""
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_house(tmp_path, database_url=url)
    yield made
    made.app.close()


@pytest.fixture
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)


@pytest.fixture
def paying(tmp_path: Path, no_naps: None) -> Iterator[House]:
    """A house whose messages cost something."""
    made = make_paying(tmp_path)
    yield made
    made.app.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either_paying(request: pytest.FixtureRequest, tmp_path: Path, no_naps: None) -> Iterator[House]:
    """The same on either database: they lock in different ways."""
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_paying(tmp_path, url)
    yield made
    made.app.close()
