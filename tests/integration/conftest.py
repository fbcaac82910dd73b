from collections.abc import Iterator
from pathlib import Path

import pytest

from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.people.permissions import Viewer
from core.services.people.adding_people import NewPerson
from core.state.engine.store import State


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return a state store without anybody in it."""
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def app(environment: dict[str, str]) -> Iterator[App]:
    """Open what a worker of this *environment* opens."""
    built = build_app(Settings.from_environment(environment))
    built.state.migrate()
    built.lake.ping()
    yield built
    built.close()


@pytest.fixture
def viewer(app: App) -> Viewer:
    return app.people.adding.add(NewPerson("Ada", "ada@example.com", "Heliograph-test-1"), app.clock())
