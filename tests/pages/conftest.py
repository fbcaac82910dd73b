from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.people.permissions import Viewer
from core.services.accounts.encryption import make_key
from core.services.accounts.setting_up_gateways import GatewayForm
from pages._ui import session
from tests.support.application.page_tests import House
from tests.support.application.page_tests import house as open_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeKind


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house with a key for secrets, which knows the kind of gateway that tests fake."""
    FakeKind().register(monkeypatch)
    with open_house(tmp_path, secret_key=make_key()) as found:
        yield found


@pytest.fixture
def administrator(keyed: House) -> Viewer:
    """Sign in as an administrator, with a gateway called Berlin set up."""
    found = keyed.sign_in()
    keyed.app.accounts.setting_up.create(found, "Berlin", KIND, GatewayForm(VALUES), datetime.now(UTC))
    return found


@pytest.fixture
def stopped_clock(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages' clock (`session.now`) stand still: what is today stays so, though midnight may pass meanwhile."""
    stopped = session.now()
    monkeypatch.setattr(session, "now", lambda: stopped)
