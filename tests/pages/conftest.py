from collections.abc import Iterator
from pathlib import Path

import pytest

from pages._ui import session
from tests.support.application.page_tests import House
from tests.support.application.page_tests import house as open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def stopped_clock(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages' clock (`session.now`) stand still: what is today stays so, though midnight may pass meanwhile."""
    stopped = session.now()
    monkeypatch.setattr(session, "now", lambda: stopped)
