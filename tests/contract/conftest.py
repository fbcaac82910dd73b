"""The state store, once on SQLite and once on PostgreSQL: both must behave alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.state.engine.store import State


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    if request.param == "postgres":
        url = request.getfixturevalue("new_state_database")()
    else:
        url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    store = State(url)
    store.migrate()
    yield store
    store.close()
