import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huey.storage import SqliteStorage

from jobs import waking
from jobs.waking import WakingStorage


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever is not woken is not there when the test looks.
    monkeypatch.setattr(waking, "WAIT_S", 60.0)


def open_queue(folder: Path) -> WakingStorage:
    return WakingStorage("work", filename=str(folder / "queue.sqlite"))


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[WakingStorage]:
    storage = open_queue(tmp_path)
    yield storage
    storage.close()


class Taking:
    """A thread that takes what comes next."""

    def __init__(self, queue: WakingStorage) -> None:
        self.taken: list[bytes | None] = []
        self._thread = threading.Thread(target=lambda: self.taken.append(queue.dequeue()), daemon=True)
        self._thread.start()

    def end(self) -> list[bytes | None]:
        self._thread.join(timeout=20)
        return self.taken


@pytest.mark.usefixtures("long")
def test_each_task_wakes_a_thread_that_waits(queue: WakingStorage):
    for number in range(3):
        thread = Taking(queue)
        queue.enqueue(b"%d" % number)
        assert thread.end() == [b"%d" % number]


@pytest.mark.usefixtures("long")
def test_a_task_that_is_there_is_taken_without_waiting(queue: WakingStorage):
    queue.enqueue(b"task")
    assert queue.dequeue() == b"task"


@pytest.mark.usefixtures("long")
def test_what_comes_between_looking_and_waiting_is_not_missed(queue: WakingStorage, monkeypatch: pytest.MonkeyPatch):
    look = SqliteStorage.dequeue

    def too_early(storage: SqliteStorage) -> bytes | None:
        monkeypatch.setattr(SqliteStorage, "dequeue", look)
        found = look(storage)
        queue.enqueue(b"task")
        return found

    monkeypatch.setattr(SqliteStorage, "dequeue", too_early)
    assert Taking(queue).end() == [b"task"]


@pytest.mark.usefixtures("long")
def test_what_another_process_put_in_is_taken_when_the_pulse_has_seen_it(queue: WakingStorage, tmp_path: Path):
    thread = Taking(queue)
    other = open_queue(tmp_path)
    other.enqueue(b"task")
    other.close()
    queue.wake()
    assert thread.end() == [b"task"]


@pytest.mark.usefixtures("long")
def test_a_thread_woken_for_nothing_can_look_whether_it_shall_end(queue: WakingStorage):
    thread = Taking(queue)
    while not queue._changed._waiters:
        time.sleep(0.001)
    queue.wake()
    assert thread.end() == [None]


@pytest.mark.usefixtures("long")
def test_nobody_waits_when_the_worker_ends(queue: WakingStorage):
    threads = [Taking(queue) for _ in range(2)]
    queue.end_waiting()
    assert [thread.end() for thread in threads] == [[None], [None]]
    assert Taking(queue).end() == [None]
    queue.enqueue(b"task")
    assert Taking(queue).end() == [b"task"]


def test_a_thread_that_nobody_wakes_looks_by_itself_in_the_end(queue: WakingStorage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waking, "WAIT_S", 0.01)
    assert queue.dequeue() is None
