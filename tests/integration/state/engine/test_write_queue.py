"""Who waits to write into a SQLite file writes before who has just done so, in this process and in others."""

import fcntl
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.doorways import is_someone_in
from core.errors import StorageError
from core.state.engine import store, write_queue
from core.state.engine.store import State
from tests.support.processes.live_server import REPOSITORY
from tests.support.processes.waiting import wait_until

PATIENCE_S = 20
# Writes one line into the file, as another process.
WRITER = """
import sys
from sqlalchemy import text
from core.state.engine.store import State
with State(sys.argv[1]).write() as session:
    session.execute(text("INSERT INTO lines VALUES ('theirs')"))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    made = State(f"sqlite:///{path}")
    with made.write() as session:
        session.execute(text("CREATE TABLE lines (what TEXT)"))
    yield made
    made.close()


def write(state: State, what: str) -> None:
    with state.write() as session:
        session.execute(text("INSERT INTO lines VALUES (:what)"), {"what": what})


def lines(state: State) -> list[str]:
    with state.read() as session:
        return list(session.scalars(text("SELECT what FROM lines ORDER BY rowid")))


def test_a_thread_that_waits_is_not_overtaken_by_one_that_writes_without_a_pause(state: State, path: Path):
    another = State(state.url)
    waiting = threading.Thread(target=write, args=(another, "theirs"))
    with state.write() as session:
        session.execute(text("INSERT INTO lines VALUES ('ours')"))
        waiting.start()
        wait_until(lambda: is_someone_in(path), "somebody stands in the doorway", pause_s=0.002)
    write(state, "ours again")
    waiting.join()
    another.close()
    assert lines(state) == ["ours", "theirs", "ours again"]


def test_the_threads_of_a_process_write_in_the_order_in_which_they_came(state: State, monkeypatch: pytest.MonkeyPatch):
    line, waiting = write_queue.WriteLine(), list[threading.Thread]()
    monkeypatch.setattr(write_queue, "WriteLine", lambda: line)
    crowded = State(state.url)
    with crowded.write() as session:
        session.execute(text("INSERT INTO lines VALUES ('ours')"))
        for number in range(5):
            waiting.append(threading.Thread(target=write, args=(crowded, f"theirs {number}")))
            waiting[-1].start()
            wait_until(lambda: line.waiting_count == len(waiting), "it waits in the line", pause_s=0.002)
    write(crowded, "ours again")
    for thread in waiting:
        thread.join()
    crowded.close()
    assert lines(state) == ["ours", *(f"theirs {number}" for number in range(5)), "ours again"]


def test_who_is_too_late_leaves_the_line_to_the_others():
    line = write_queue.WriteLine()
    assert line.enter(PATIENCE_S)
    assert not line.enter(0.001)
    line.leave()
    assert line.enter(0.001)


def test_the_turn_ends_with_the_transaction_however_that_ends(state: State, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(write_queue, "_began", lambda _: False)
        patch.setattr(store, "BUSY_TIMEOUT_MS", 5)
        with pytest.raises(StorageError, match="busy"):
            write(state, "never")
    with monkeypatch.context() as patch:
        patch.setattr(write_queue, "begin_write", fail)
        with pytest.raises(StorageError):
            write(state, "never")
    with pytest.raises(StorageError), state.write() as session:
        session.execute(text("INSERT INTO no_such_table VALUES ('never')"))
    # Nobody holds a turn now, or this one would wait for ever.
    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 1_000)
    write(state, "ours")
    assert lines(state) == ["ours"]


def test_another_process_that_waits_is_not_overtaken_either(state: State, path: Path):
    with state.write() as session:
        session.execute(text("INSERT INTO lines VALUES ('ours')"))
        other = subprocess.Popen([sys.executable, "-c", WRITER, state.url], cwd=REPOSITORY)
        wait_until(lambda: is_someone_in(path), "somebody stands in the doorway", pause_s=0.002)
    write(state, "ours again")
    assert other.wait(timeout=PATIENCE_S) == 0
    assert lines(state) == ["ours", "theirs", "ours again"]


def test_a_process_that_was_stopped_while_it_was_next_stops_nobody(
    state: State, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(write_queue, "DOORWAY_S", 0.01)
    with path.with_name("state.sqlite-turn").open("a") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        write(state, "ours")
    assert lines(state) == ["ours"]


def test_a_lock_that_is_never_let_go_is_told_as_busy(state: State, path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 20)
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="busy"):
        write(state, "ours")
    assert not is_someone_in(path)
    stranger.execute("ROLLBACK")
    stranger.close()
    write(state, "ours")
    assert lines(state) == ["ours"]


def test_a_connection_is_as_patient_afterwards_as_before(state: State):
    write(state, "ours")
    with state.read() as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == store.BUSY_TIMEOUT_MS
