"""
What is done once for all tests of a process instead of once for each, since it is not what they test.

A house is opened for a thousand tests. Its migrations and those of its lake, its passwords and the signatures of
DuckDB's extensions took most of their time. Other processes than the tests' own know nothing of this.
"""

import functools
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from core.config import Settings
from core.history.catalog import catalog
from core.history.catalog.catalog import IDENTITY_KEY
from core.history.catalog.location import Location
from core.history.engine import door
from core.history.engine.door import Instance
from core.history.engine.extensions import load_extensions
from core.history.lake.connection import Lake
from core.services.people import passwords
from core.state.engine import store
from core.state.engine.store import State
from tests.support.stores.prepared_lakes import take_prepared


@contextmanager
def taken() -> Iterator[None]:
    """Take the shortcuts until the end of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="heliograph-tests-") as folder,
        _kept_beside() as lend_beside,
        pytest.MonkeyPatch.context() as patch,
    ):
        _share_compiled(patch)
        patch.setattr(store, "_prepare_sqlite", _unsynced(store._prepare_sqlite))
        patch.setattr(passwords, "PasswordHasher", _cheap_hasher)
        patch.setitem(door.CONFIG, "allow_unsigned_extensions", "true")
        # What tests ask is small: to share it out among threads took a third of their time.
        patch.setitem(door.CONFIG, "threads", "1")
        patch.setattr(catalog, "_beside", lend_beside)
        patch.setattr(State, "migrate", _copying(Path(folder), State.migrate))
        patch.setattr(Location, "make_folders", _copying_lake(Path(folder), Location.make_folders))
        yield


def _share_compiled(patch: pytest.MonkeyPatch) -> None:
    """Let all stores of one kind use the SQL that the first of them made of a statement."""
    # It is kept under its dialect, of which every engine has one of its own.
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
        patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
    shared = {"compiled_cache": LRUCache(2_000)}
    patch.setattr(store, "create_engine", functools.partial(store.create_engine, execution_options=shared))


def _unsynced(prepare: Callable[..., None]) -> Callable[..., None]:
    """Return what prepares a connection as ever, but for waiting for the disk: no test outlives a power cut."""

    def prepare_unsynced(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF").close()

    return prepare_unsynced


def _cheap_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextmanager
def _kept_beside() -> Iterator[Callable[[], AbstractContextManager[Instance]]]:
    """Give what lends one DuckDB to all who look at a catalog, in turns; each brings its file and takes it away."""
    lock, kept = threading.Lock(), ExitStack()

    def open_one() -> Instance:
        opened = Instance({"threads": "1"})
        kept.callback(opened.close)
        load_extensions(opened, "sqlite_scanner")
        return opened

    @contextmanager
    def lend() -> Iterator[Instance]:
        nonlocal current
        with lock:
            try:
                current = current or open_one()
                yield current
                for (name,) in current.look("SELECT database_name FROM duckdb_databases() WHERE type = 'sqlite'"):
                    current.set_up(f"DETACH {name}")
            except BaseException:
                # What failed may be in the middle of something.
                kept.close()
                current = None
                raise

    current: Instance | None = None
    with kept:
        yield lend


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


def _copying_lake(folder: Path, make_folders: Callable[[Location], None]) -> Callable[[Location], None]:
    """Return what copies a migrated lake, catalog and files on this machine, to where there is nothing yet."""
    template = folder / "lake"

    def make() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Location, "make_folders", make_folders)
            made = Lake(Settings(data_dir=folder / "made"))
            made.ping()
            made.close()
        place = folder / "made" / "history"
        with closing(sqlite3.connect(place / "catalog.sqlite")) as connection, connection:
            # It is nobody's yet; closing brings everything into the one file.
            connection.execute("DELETE FROM ducklake_metadata WHERE key = ?", [IDENTITY_KEY])
        place.rename(template)

    def copy_or_make(location: Location) -> None:
        files = Path(location.files)
        usual = not location.catalog and files == location.folder / "files"
        if usual and not files.exists() and not (location.folder / "catalog.sqlite").exists():
            if not template.exists():
                make()
            shutil.copytree(template, location.folder, dirs_exist_ok=True)
            # Who asks for what is an hour old must not find a lake as old as the whole run.
            with closing(sqlite3.connect(location.folder / "catalog.sqlite")) as connection, connection:
                connection.execute(
                    "UPDATE ducklake_snapshot SET snapshot_time = ?", [f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}+00"]
                )
        elif location.catalog and not location.on_object_storage and not files.exists():
            take_prepared(location)
        make_folders(location)

    return copy_or_make
