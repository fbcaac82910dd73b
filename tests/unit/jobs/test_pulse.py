import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from huey.api import Task

from core.errors import StorageError
from core.services.work_queue import Work, WorkKind
from jobs import app, tasks
from jobs import pulse as pulse_module
from jobs.doing import Doing
from jobs.pulse import Pulse
from jobs.tasks import work_of
from tests.support.fakes.clock import StoppedClock

LIST, FREEZE = Work(WorkKind.IMPORT, "list-1"), Work(WorkKind.FREEZE, "campaign-1")
FIRST, SECOND, THIRD = (Work(WorkKind.SEND, f"campaign-{number}") for number in (1, 2, 3))
RECEIPTS, ROLLUPS, TIDY = Work(WorkKind.RECEIPTS), Work(WorkKind.ROLLUPS), Work(WorkKind.TIDY)
MAINTENANCE, MEND = Work(WorkKind.MAINTENANCE), Work(WorkKind.MEND)
ALWAYS = dict.fromkeys((RECEIPTS, ROLLUPS, TIDY, MAINTENANCE, MEND), 1)
PAUSES = {
    WorkKind.RECEIPTS: timedelta(seconds=0.5),
    WorkKind.ROLLUPS: timedelta(seconds=60),
    WorkKind.TIDY: timedelta(minutes=10),
    WorkKind.MAINTENANCE: timedelta(seconds=60),
    WorkKind.MEND: timedelta(seconds=30),
}


class Queue:
    """Stands where Huey stands: keeps what was put in until a thread takes it."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.full = False
        self.storage = object()

    def enqueue(self, task: Task) -> None:
        if self.full:
            raise OSError("no space left")
        self.tasks.append(task)

    def pending(self) -> list[Task]:
        return list(self.tasks)

    def signal(self, *_signals: str):
        return lambda handler: handler

    def taken(self) -> Counter[Work]:
        return Counter(map(work_of, self.tasks))


class Waiting:
    """What waits in the state store, and what is done again and again."""

    pauses = PAUSES

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.leased: Counter[Work] = Counter()
        self.asked = threading.Semaphore(0)
        self.broken = False
        self.not_due: set[WorkKind] = set()

    def find(self, _now: object, again: Iterable[WorkKind] = ()) -> list[Work]:
        self.asked.release()
        if self.broken:
            raise StorageError("The state store is busy.")
        return [*self.works, *(Work(kind) for kind in again if kind not in self.not_due)]

    def count_sending(self, _now: object) -> Counter[Work]:
        return self.leased


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(pulse_module, "huey", queue)
    return queue


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def doing() -> Doing:
    return Doing()


@pytest.fixture
def pulse(queue: Queue, waiting: Waiting, doing: Doing, clock: StoppedClock) -> Pulse:
    return Pulse(waiting, doing, clock, send_slots=2)


def take(queue: Queue, work: Work) -> Task:
    """Let a thread, here or elsewhere, take one task for *work* out of the queue."""
    task = next(task for task in queue.tasks if work_of(task) == work)
    queue.tasks.remove(task)
    return task


def test_each_piece_of_work_is_put_in_once(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST, FREEZE, Work(WorkKind.DEMO, "user-1")]
    for _ in range(3):
        pulse.beat()
    assert queue.taken() == Counter([*waiting.works, *ALWAYS])


def test_what_has_ended_and_waits_again_is_put_in_again(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST]
    pulse.beat()
    take(queue, LIST)
    assert LIST not in queue.taken()
    pulse.beat()
    assert queue.taken()[LIST] == 1


def test_what_runs_here_is_not_put_in_again(pulse: Pulse, queue: Queue, waiting: Waiting, doing: Doing):
    waiting.works = [LIST]
    pulse.beat()
    take(queue, LIST)
    with doing.under_way(LIST):
        pulse.beat()
    assert LIST not in queue.taken()


def locked(_key: str) -> None:
    raise sqlite3.OperationalError("database is locked")


def test_what_ended_while_the_queue_was_locked_is_put_in_again(
    monkeypatch: pytest.MonkeyPatch, queue: Queue, waiting: Waiting, clock: StoppedClock
):
    pulse = Pulse(waiting, tasks.doing, clock, send_slots=2)
    pulse.beat()
    monkeypatch.setattr(tasks, "shared_app", lambda: SimpleNamespace(work=SimpleNamespace(do=lambda *_: None)))
    # Huey deletes a mark of each task that has ended, before it says so.
    monkeypatch.setattr(app.huey, "delete", locked)
    with pytest.raises(sqlite3.OperationalError):
        app.huey.execute(take(queue, RECEIPTS))
    clock.now += PAUSES[WorkKind.RECEIPTS]
    pulse.beat()
    assert queue.taken()[RECEIPTS] == 1


def test_what_another_worker_took_and_gave_back_waits_for_nobody(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST]
    pulse.beat()
    take(queue, LIST)
    # It has a lease now, so it is not found.
    waiting.works = []
    pulse.beat()
    assert LIST not in queue.taken()
    waiting.works = [LIST]
    pulse.beat()
    assert queue.taken()[LIST] == 1


def test_what_another_worker_has_put_in_is_not_put_in_twice(queue: Queue, waiting: Waiting, clock: StoppedClock):
    waiting.works = [LIST, FIRST]
    for pulse in (Pulse(waiting, Doing(), clock, send_slots=2), Pulse(waiting, Doing(), clock, send_slots=2)):
        pulse.beat()
    assert queue.taken() == {LIST: 1, FIRST: 2, **ALWAYS}


def test_threads_are_woken_for_what_is_in_the_queue_and_not_for_nothing(
    pulse: Pulse, queue: Queue, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
):
    woken: list[object] = []
    monkeypatch.setattr(pulse_module, "wake", woken.append)
    waiting.works = [LIST]
    pulse.beat()
    assert woken == []
    # What was put in then is still there: this worker has no thread for it, or another one has put it in.
    pulse.beat()
    assert woken == [queue]


def test_threads_of_another_worker_take_none_of_ours(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [FIRST]
    pulse.beat()
    for _ in range(2):
        take(queue, FIRST)
    waiting.leased[FIRST] = 2
    pulse.beat()
    assert queue.taken()[FIRST] == 2


def test_a_campaign_that_another_worker_sends_lets_those_go_first_that_nobody_does(
    pulse: Pulse, queue: Queue, waiting: Waiting
):
    waiting.works = [FIRST, SECOND, THIRD]
    waiting.leased[FIRST] = 1
    pulse.beat()
    assert queue.taken() == {SECOND: 1, THIRD: 1, **ALWAYS}


def test_a_clock_set_back_stops_nothing_that_is_done_again_and_again(pulse: Pulse, queue: Queue, clock: StoppedClock):
    pulse.beat()
    for work in ALWAYS:
        take(queue, work)
    clock.advance(hours=-1)
    pulse.beat()
    assert queue.taken() == ALWAYS


def test_receipts_are_looked_for_with_every_beat_and_never_twice_at_once(
    pulse: Pulse, queue: Queue, clock: StoppedClock
):
    counts = []
    for _ in range(4):
        pulse.beat()
        counts.append(queue.taken()[RECEIPTS])
        clock.advance(milliseconds=500)
    assert counts == [1, 1, 1, 1]
    take(queue, RECEIPTS)
    pulse.beat()
    pulse.beat()
    assert queue.taken()[RECEIPTS] == 1


def test_what_has_nothing_to_do_costs_no_task_and_is_done_as_soon_as_it_has(
    pulse: Pulse, queue: Queue, waiting: Waiting, clock: StoppedClock
):
    waiting.not_due = {WorkKind.RECEIPTS}
    for _ in range(3):
        pulse.beat()
        clock.advance(milliseconds=500)
    assert RECEIPTS not in queue.taken()
    waiting.not_due = set()
    pulse.beat()
    assert queue.taken()[RECEIPTS] == 1


def test_rollups_are_refreshed_every_minute(pulse: Pulse, queue: Queue, clock: StoppedClock):
    for _ in range(3):
        pulse.beat()
        assert queue.taken()[ROLLUPS] == 1
        clock.advance(seconds=20)
    take(queue, ROLLUPS)
    pulse.beat()
    assert queue.taken()[ROLLUPS] == 1


def test_one_campaign_gets_all_threads_for_sending_and_no_more(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [FIRST]
    pulse.beat()
    pulse.beat()
    assert queue.taken() == {FIRST: 2, **ALWAYS}


def test_campaigns_share_the_threads(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [FIRST, SECOND, THIRD]
    pulse.beat()
    assert queue.taken() == {FIRST: 1, SECOND: 1, **ALWAYS}


def test_a_long_campaign_does_not_keep_a_later_one_waiting(
    pulse: Pulse, queue: Queue, waiting: Waiting, clock: StoppedClock
):
    waiting.works = [FIRST]
    pulse.beat()
    waiting.works = [FIRST, SECOND]
    take(queue, FIRST)
    pulse.beat()
    assert queue.taken() == {FIRST: 1, SECOND: 1, **ALWAYS}


def test_more_campaigns_than_threads_take_turns(pulse: Pulse, queue: Queue, waiting: Waiting, clock: StoppedClock):
    waiting.works = [FIRST, SECOND, THIRD]
    turns: Counter[Work] = Counter()
    for _ in range(6):
        pulse.beat()
        for work in [work for work in queue.taken() if work.kind is WorkKind.SEND]:
            turns[work] += 1
            take(queue, work)
        clock.advance(seconds=10)
    assert turns == {FIRST: 4, SECOND: 4, THIRD: 4}


def test_a_queue_that_took_nothing_is_asked_again(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST]
    queue.full = True
    with pytest.raises(OSError, match="space"):
        pulse.beat()
    queue.full = False
    pulse.beat()
    assert queue.taken()[LIST] == 1


@pytest.mark.parametrize("trouble", ["store", "queue"])
def test_trouble_does_not_stop_the_pulse(
    pulse: Pulse, queue: Queue, waiting: Waiting, monkeypatch: pytest.MonkeyPatch, trouble: str
):
    monkeypatch.setattr(pulse_module, "BEAT_S", 0.001)
    waiting.works = [LIST]
    waiting.broken, queue.full = trouble == "store", trouble == "queue"
    pulse.start()
    for _ in range(3):
        assert waiting.asked.acquire(timeout=10)
    pulse.stop()
    pulse._thread.join(timeout=10)
    assert not pulse._thread.is_alive()
