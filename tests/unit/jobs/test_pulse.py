import threading
from collections import Counter

import pytest
from huey.api import Task
from huey.signals import SIGNAL_COMPLETE

from core.errors import StorageError
from core.services.working import Work, WorkKind
from jobs import periodic
from jobs.periodic import Pulse
from tests.support.clock import StoppedClock

LIST, FREEZE = Work(WorkKind.IMPORT, "list-1"), Work(WorkKind.FREEZE, "campaign-1")
FIRST, SECOND, THIRD = (Work(WorkKind.SEND, f"campaign-{number}") for number in (1, 2, 3))
RECEIPTS, ROLLUPS, TIDY = Work(WorkKind.RECEIPTS), Work(WorkKind.ROLLUPS), Work(WorkKind.TIDY)
MAINTENANCE = Work(WorkKind.MAINTENANCE)
ALWAYS = dict.fromkeys((RECEIPTS, ROLLUPS, TIDY, MAINTENANCE), 1)
KINDS = {wrapper.task_class.__name__: kind for kind, wrapper in periodic.TASKS.items()}


class Queue:
    """Stands where Huey stands: keeps what was put in and tells of what has ended."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.full = False

    def enqueue(self, task: Task) -> None:
        if self.full:
            raise OSError("no space left")
        self.tasks.append(task)

    def signal(self, *_signals: str):
        return lambda handler: handler

    def taken(self) -> Counter[Work]:
        return Counter(Work(KINDS[type(task).__name__], *task.args) for task in self.tasks)


class Waiting:
    """What waits in the state store."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.asked = threading.Semaphore(0)
        self.broken = False

    def find(self, _now: object) -> list[Work]:
        self.asked.release()
        if self.broken:
            raise StorageError("The state store is busy.")
        return list(self.works)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(periodic, "huey", queue)
    return queue


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def pulse(queue: Queue, waiting: Waiting, clock: StoppedClock) -> Pulse:
    return Pulse(waiting, clock, send_slots=2)


def finish(pulse: Pulse, queue: Queue, work: Work) -> None:
    """Let one task for *work* come to its end."""
    task = next(task for task in queue.tasks if (KINDS[type(task).__name__], *task.args) == (work.kind, work.subject))
    queue.tasks.remove(task)
    pulse._finished(SIGNAL_COMPLETE, task)


def test_each_piece_of_work_is_put_in_once(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST, FREEZE, Work(WorkKind.DEMO, "user-1")]
    for _ in range(3):
        pulse.beat()
    assert queue.taken() == Counter([*waiting.works, *ALWAYS])


def test_what_has_ended_and_waits_again_is_put_in_again(pulse: Pulse, queue: Queue, waiting: Waiting):
    waiting.works = [LIST]
    pulse.beat()
    finish(pulse, queue, LIST)
    assert LIST not in queue.taken()
    pulse.beat()
    assert queue.taken()[LIST] == 1


def test_a_task_nobody_heard_of_again_is_put_in_anew_after_a_while(
    pulse: Pulse, queue: Queue, waiting: Waiting, clock: StoppedClock
):
    waiting.works = [LIST]
    pulse.beat()
    clock.advance(seconds=59)
    pulse.beat()
    assert queue.taken()[LIST] == 1
    clock.advance(seconds=2)
    pulse.beat()
    assert queue.taken()[LIST] == 2


def test_receipts_are_looked_for_every_second_and_never_twice_at_once(pulse: Pulse, queue: Queue, clock: StoppedClock):
    counts = []
    for _ in range(4):
        pulse.beat()
        counts.append(queue.taken()[RECEIPTS])
        clock.advance(milliseconds=500)
    assert counts == [1, 1, 1, 1]
    finish(pulse, queue, RECEIPTS)
    pulse.beat()
    pulse.beat()
    assert queue.taken()[RECEIPTS] == 1


def test_rollups_are_refreshed_every_minute(pulse: Pulse, queue: Queue, clock: StoppedClock):
    for _ in range(3):
        pulse.beat()
        assert queue.taken()[ROLLUPS] == 1
        clock.advance(seconds=20)
    finish(pulse, queue, ROLLUPS)
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
    finish(pulse, queue, FIRST)
    pulse.beat()
    assert queue.taken() == {FIRST: 1, SECOND: 1, **ALWAYS}


def test_more_campaigns_than_threads_take_turns(pulse: Pulse, queue: Queue, waiting: Waiting, clock: StoppedClock):
    waiting.works = [FIRST, SECOND, THIRD]
    turns: Counter[Work] = Counter()
    for _ in range(6):
        pulse.beat()
        for work in [work for work in queue.taken() if work.kind is WorkKind.SEND]:
            turns[work] += 1
            finish(pulse, queue, work)
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
    monkeypatch.setattr(periodic, "BEAT_S", 0.001)
    waiting.works = [LIST]
    waiting.broken, queue.full = trouble == "store", trouble == "queue"
    pulse.start()
    for _ in range(3):
        assert waiting.asked.acquire(timeout=10)
    pulse.stop()
    pulse._thread.join(timeout=10)
    assert not pulse._thread.is_alive()
