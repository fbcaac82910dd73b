import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import StoreClock
from core.config import Settings
from core.errors import StorageError
from core.services.work_queue import Work, WorkKind
from jobs import worker
from jobs.app import huey
from jobs.tasks import task_of, work_of


def test_a_piece_of_work_comes_out_of_the_queue_as_it_went_in():
    for kind in WorkKind:
        for work in (Work(kind), Work(kind, "a-subject")):
            assert work_of(huey.deserialize_task(huey.serialize_task(task_of(work)))) == work


class Away:
    """An application whose state store is away for so many tries."""

    def __init__(self, tries: int, data_dir: Path) -> None:
        self.state = self
        self.clock = StoreClock(lambda: datetime.now(UTC))
        self.settings = Settings(data_dir=data_dir)
        self.tries = tries

    def migrate(self) -> None:
        self.tries -= 1
        if self.tries >= 0:
            raise StorageError("The state store does not answer: connection refused")


@pytest.fixture
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAIT_S", 0)
    monkeypatch.setattr(worker, "prepare", lambda *_: None)


@pytest.mark.usefixtures("in_no_time")
def test_a_worker_started_while_a_store_is_away_waits_for_it(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    app = Away(30, tmp_path)
    worker.wait_for_stores(app)
    assert app.tries == -1
    assert {record.getMessage() for record in caplog.records} == {"store_away"}


@pytest.mark.usefixtures("in_no_time")
def test_a_worker_waits_for_its_queue_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    answers = iter([sqlite3.OperationalError("unable to open database file"), None])

    def prepare(*_: object) -> None:
        if (error := next(answers)) is not None:
            raise error

    monkeypatch.setattr(worker, "prepare", prepare)
    worker.wait_for_stores(Away(0, tmp_path))
    assert list(answers) == []


@pytest.mark.usefixtures("in_no_time")
def test_a_worker_with_a_defect_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Away, "migrate", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        worker.wait_for_stores(Away(0, tmp_path))


def test_what_a_worker_starts_with_is_none_of_the_garbage_collectors():
    # In a process of its own: this one's garbage is to be collected.
    script = """
import gc, jobs.worker
before = len(gc.get_objects())
jobs.worker.set_apart_what_stays()
print(before > 50_000, len(gc.get_objects()) < 1_000)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


def test_a_worker_does_without_pandas_and_the_lake_does_so_too():
    # Values that are bound are what DuckDB imports it for, and lists what PyArrow does. In a process of its own: here
    # it may have been imported.
    script = """
import sys, duckdb, pyarrow
from jobs.worker import leave_out_pandas
leave_out_pandas()
print(duckdb.execute("SELECT $text, $none", {"text": "a", "none": None}).to_arrow_table().num_rows)
print(pyarrow.table([["a", None]], names=["column"]).num_rows)
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["1", "2", "False"], "")
