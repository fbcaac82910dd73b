"""The state store's file, moved or replaced under a running process."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import StorageError
from core.state.engine.store import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def running(path: Path) -> Iterator[State]:
    made = State(f"sqlite:///{path}")
    made.migrate()
    ask(made)
    yield made
    made.close()


def ask(state: State) -> int:
    with state.ask() as connection:
        return int(connection.execute(text("SELECT count(*) FROM users")).scalar_one())


def refuse(state: State, path: Path) -> None:
    with pytest.raises(StorageError, match="moved away or replaced") as caught:
        ask(state)
    with pytest.raises(StorageError, match="moved away or replaced"), state.write() as session:
        session.execute(text("DELETE FROM users"))
    assert str(path) in caught.value.message
    assert "Put it back" in (caught.value.hint or "")


def test_a_store_that_was_moved_away_is_missed_and_none_is_made(running: State, path: Path, tmp_path: Path):
    path.rename(tmp_path / "elsewhere")
    refuse(running, path)
    # Nor by a connection of its own, when those in the pool are in use.
    assert not path.exists()
    (tmp_path / "elsewhere").rename(path)
    assert ask(running) == 0


def test_a_new_connection_makes_no_file_where_the_store_was(running: State, path: Path, tmp_path: Path):
    with running.ask():
        path.rename(tmp_path / "elsewhere")
        refuse(running, path)
    assert not path.exists()


def test_another_store_in_its_place_is_not_written_to(running: State, path: Path, tmp_path: Path):
    other = State(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.migrate()
    other.close()
    kept = (tmp_path / "other.sqlite").read_bytes()
    path.rename(tmp_path / "elsewhere")
    (tmp_path / "other.sqlite").rename(path)
    refuse(running, path)
    assert path.read_bytes() == kept


def test_a_store_that_was_closed_takes_what_is_there(running: State, path: Path, tmp_path: Path):
    path.rename(tmp_path / "elsewhere")
    running.close()
    running.migrate()
    assert ask(running) == 0


def test_a_store_that_was_read_only_is_opened_anew(running: State):
    def forget_all() -> None:
        with running.write() as session:
            session.execute(text("DELETE FROM users"))

    # As of a connection that was opened while the file was read-only.
    with running.ask() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
    with pytest.raises(StorageError, match="is read-only") as caught:
        forget_all()
    assert "data folder" in (caught.value.hint or "")
    forget_all()


def test_what_was_opened_read_only_is_closed_before_anything_is_opened(running: State):
    with running.ask() as other:
        raw = other.connection.dbapi_connection
        with running.ask() as connection:
            connection.execute(text("PRAGMA query_only = ON"))
        with pytest.raises(StorageError, match="is read-only"), running.write() as session:
            session.execute(text("DELETE FROM users"))
        # A new connection would share with the other what that knows of the file.
        with pytest.raises(StorageError, match="is read-only"):
            ask(running)
    assert ask(running) == 0
    assert isinstance(raw, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


def test_a_damaged_store_is_said_in_words(running: State, path: Path):
    running.close()
    path.write_bytes(b"damaged " * (path.stat().st_size // 8))
    with pytest.raises(StorageError, match="is damaged") as caught:
        ask(running)
    assert "backup" in (caught.value.hint or "")


def test_a_log_that_cannot_be_emptied_is_said_in_words(running: State, path: Path):
    with running.write() as session:
        session.execute(text("DELETE FROM users"))
    log = path.with_name(path.name + "-wal")
    with running.ask() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        # What a file system says that takes no more: the statement is SQLite's own.
        raw.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_PRAGMA else 0)
        assert log.exists()
    with pytest.raises(StorageError):
        running.scrub()
