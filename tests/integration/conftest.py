from collections.abc import Iterator
from pathlib import Path

import pytest

from core.state.store import State


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return a state store without anybody in it."""
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    made.migrate()
    yield made
    made.close()
