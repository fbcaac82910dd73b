"""
What is done once for all tests of a process instead of once for each, since it is not what they test.

A house is opened for a thousand tests. Its migrations, its passwords and the signatures of DuckDB's extensions took
half of their time. Other processes than the tests' own know nothing of this.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import make_url

from core.history import door
from core.services import hashing
from core.state.store import State


@contextmanager
def taken() -> Iterator[None]:
    """Take the shortcuts until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="heliograph-tests-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "PasswordHasher", _cheap_hasher)
        patch.setitem(door.CONFIG, "allow_unsigned_extensions", "true")
        patch.setattr(State, "migrate", _copying(Path(folder), State.migrate))
        yield


def _cheap_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _copying(folder: Path, migrate: Callable[[State], None]) -> Callable[[State], None]:
    """Return what copies a migrated SQLite file to where there is none yet, and else migrates as ever."""
    template = folder / "template.sqlite"

    def make() -> None:
        made = State(f"sqlite:///{folder / 'made.sqlite'}")
        migrate(made)
        # The last connection that closes brings everything into the one file.
        made.close()
        (folder / "made.sqlite").rename(template)

    def copy_or_migrate(state: State) -> None:
        url = make_url(state.url)
        if not url.drivername.startswith("sqlite") or not url.database or Path(url.database).exists():
            migrate(state)
            return
        if not template.exists():
            make()
        place = Path(url.database)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Of two threads that get here at once, neither must find half a file.
        copy = place.with_name(f"{place.name}.{uuid4().hex}")
        shutil.copyfile(template, copy)
        copy.rename(place)

    return copy_or_migrate
