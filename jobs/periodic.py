"""
The pulse: every half second, look for work in the state store and put it into the queue.

Huey's own periodic tasks beat once a minute, which is too slow for a person who watches. Each piece
of work is put in once and not again while it is under way here; that is only thrift, since tasks take
a lease before they work.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from huey.api import Task, TaskWrapper
from huey.signals import SIGNAL_CANCELED, SIGNAL_COMPLETE, SIGNAL_ERROR, SIGNAL_INTERRUPTED

from core.errors import StorageError
from core.services.working import Work, Working, WorkKind
from jobs.app import huey
from jobs.importing import import_list, seed_demo
from jobs.receipts import merge_receipts
from jobs.sending import freeze_audience, send_campaign

log = logging.getLogger(__name__)

BEAT_S = 0.5
RECEIPTS_EVERY = timedelta(seconds=1)
# After this long a task that was never heard of again may be put in anew: its worker may be gone.
FORGOTTEN_AFTER = timedelta(seconds=60)

TASKS: Mapping[WorkKind, TaskWrapper] = {
    WorkKind.IMPORT: import_list,
    WorkKind.FREEZE: freeze_audience,
    WorkKind.SEND: send_campaign,
    WorkKind.RECEIPTS: merge_receipts,
    WorkKind.DEMO: seed_demo,
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
        self._receipts_at: datetime | None = None
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
        for work in self._wanted(now):
            self._enqueue(work, now)

    def _wanted(self, now: datetime) -> list[Work]:
        wanted: list[Work] = []
        for work in self._working.find(now):
            # Several threads may send the same campaign: each takes another batch.
            slots = self._send_slots if work.kind is WorkKind.SEND else 1
            wanted += [work] * slots
        if self._receipts_at is None or now - self._receipts_at >= RECEIPTS_EVERY:
            self._receipts_at = now
            wanted.append(Work(WorkKind.RECEIPTS))
        return wanted

    def _enqueue(self, work: Work, now: datetime) -> None:
        with self._lock:
            under_way = [item for item, _ in self._asked.values()]
        if work.kind is WorkKind.SEND:
            if sum(item.kind is WorkKind.SEND for item in under_way) >= self._send_slots:
                return
        elif work in under_way:
            return
        task: Task = TASKS[work.kind].s(work.subject)
        with self._lock:
            self._asked[task.id] = (work, now)
        huey.enqueue(task)

    def _finished(self, _signal: str, task: Task, _error: BaseException | None = None) -> None:
        with self._lock:
            self._asked.pop(task.id, None)

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                self.beat()
            except StorageError as error:
                log.warning("pulse_missed", extra={"reason": error.message})
