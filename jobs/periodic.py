"""
The pulse: every half second, look for work in the state store and put it into the queue.

Huey's own periodic tasks beat once a minute, which is too slow for a person who watches. Each piece
of work is put in once and not again while it is under way here; that is only thrift, since tasks take
a lease before they work. Campaigns that send at the same time share the threads there are for it.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count

from huey.api import Task, TaskWrapper
from huey.signals import SIGNAL_CANCELED, SIGNAL_COMPLETE, SIGNAL_ERROR, SIGNAL_INTERRUPTED

from core.services.working import Work, Working, WorkKind
from jobs.app import huey
from jobs.exporting import tidy_up, write_export
from jobs.importing import import_list, import_traffic, seed_demo
from jobs.maintenance import maintain_history
from jobs.receipts import merge_receipts
from jobs.rollups import refresh_rollups
from jobs.sending import freeze_audience, send_campaign, settle_canceled, start_campaign

log = logging.getLogger(__name__)

BEAT_S = 0.5
# What is not found by looking, but done again and again.
REPEATED: Mapping[WorkKind, timedelta] = {
    WorkKind.RECEIPTS: timedelta(seconds=1),
    WorkKind.ROLLUPS: timedelta(seconds=60),
    WorkKind.TIDY: timedelta(minutes=10),
    WorkKind.MAINTENANCE: timedelta(seconds=60),
}
# After this long a task that was never heard of again may be put in anew: its worker may be gone.
FORGOTTEN_AFTER = timedelta(seconds=60)

TASKS: Mapping[WorkKind, TaskWrapper] = {
    WorkKind.IMPORT: import_list,
    WorkKind.TRAFFIC: import_traffic,
    WorkKind.START: start_campaign,
    WorkKind.FREEZE: freeze_audience,
    WorkKind.CANCEL: settle_canceled,
    WorkKind.SEND: send_campaign,
    WorkKind.RECEIPTS: merge_receipts,
    WorkKind.DEMO: seed_demo,
    WorkKind.ROLLUPS: refresh_rollups,
    WorkKind.EXPORT: write_export,
    WorkKind.TIDY: tidy_up,
    WorkKind.MAINTENANCE: maintain_history,
}


class Pulse:
    """Finds work and enqueues it, from a thread of the worker process."""

    def __init__(self, working: Working, clock: Callable[[], datetime], send_slots: int) -> None:
        """Take who finds work, the clock, and how many threads may send at a time."""
        self._working = working
        self._clock = clock
        self._send_slots = send_slots
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[Work, datetime]] = {}
        # The last turn at which each campaign was given a thread.
        self._turns: dict[Work, int] = {}
        self._next_turn = count(1)
        self._repeated_at: dict[WorkKind, datetime] = {}
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat, and to hear of finished tasks."""
        huey.signal(SIGNAL_COMPLETE, SIGNAL_ERROR, SIGNAL_CANCELED, SIGNAL_INTERRUPTED)(self._finished)
        self._thread.start()

    def stop(self) -> None:
        """Enqueue nothing more."""
        self._stop.set()

    def beat(self) -> None:
        """Look once and enqueue what is not under way."""
        now = self._clock()
        with self._lock:
            self._asked = {key: item for key, item in self._asked.items() if now - item[1] < FORGOTTEN_AFTER}
            under_way = Counter(work for work, _ in self._asked.values())
        found = [*self._working.find(now), *self._repeat(now)]
        for work in found:
            if work.kind is not WorkKind.SEND and work not in under_way:
                self._enqueue(work, now)
        self._share_slots([work for work in found if work.kind is WorkKind.SEND], under_way, now)

    def _repeat(self, now: datetime) -> list[Work]:
        due = [
            kind
            for kind, pause in REPEATED.items()
            if kind not in self._repeated_at or now - self._repeated_at[kind] >= pause
        ]
        self._repeated_at |= dict.fromkeys(due, now)
        return [Work(kind) for kind in due]

    def _share_slots(self, sends: Sequence[Work], under_way: Mapping[Work, int], now: datetime) -> None:
        """Give every free thread to the campaign that has the fewest, and of those to the one that waits longest."""
        self._turns = {work: turn for work, turn in self._turns.items() if work in sends or work in under_way}
        taken = Counter({work: count for work, count in under_way.items() if work.kind is WorkKind.SEND})
        while sends and taken.total() < self._send_slots:
            # Several threads may send the same campaign: each takes another batch.
            work = min(sends, key=lambda item: (taken[item], self._turns.get(item, 0)))
            taken[work] += 1
            self._turns[work] = next(self._next_turn)
            self._enqueue(work, now)

    def _enqueue(self, work: Work, now: datetime) -> None:
        task: Task = TASKS[work.kind].s(work.subject)
        with self._lock:
            self._asked[task.id] = (work, now)
        try:
            huey.enqueue(task)
        except BaseException:
            self._forget(task)
            raise

    def _finished(self, _signal: str, task: Task, _error: BaseException | None = None) -> None:
        self._forget(task)

    def _forget(self, task: Task) -> None:
        with self._lock:
            self._asked.pop(task.id, None)

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                self.beat()
            except Exception:
                # A store or the queue does not answer. Without a pulse this worker would never work again.
                log.exception("pulse_missed")
