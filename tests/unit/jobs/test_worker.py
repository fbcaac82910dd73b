import importlib
import pkgutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

import jobs
from core.clock import StoreClock
from core.config import Settings
from core.errors import StorageError
from core.services.work_queue import WorkKind
from jobs import worker
from jobs.app import huey
from jobs.periodic import TASKS
from jobs.worker import TASK_MODULES


def modules_with_tasks() -> set[str]:
    """Return the modules of `jobs` that decorate a task, found by loading every one."""
    for module in pkgutil.iter_modules(jobs.__path__, "jobs."):
        importlib.import_module(module.name)
    return {name.rpartition(".")[0] for name in huey._registry._registry}


def test_the_worker_loads_every_module_with_tasks():
    assert modules_with_tasks() == {module.__name__ for module in TASK_MODULES}


def test_there_is_a_task_for_every_kind_of_work():
    assert set(TASKS) == set(WorkKind)


def test_every_task_is_one_the_pulse_can_put_in():
    assert {task.task_class.__name__ for task in TASKS.values()} == {
        name.rpartition(".")[2] for name in huey._registry._registry
    }


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
