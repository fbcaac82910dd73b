"""
The pulse: every half second, look for work in the state store and put it into the queue.

Huey's own periodic tasks beat once a minute, which is too slow for a person who watches. Each piece
of work is put in once and not again while it waits in the queue, which all workers share, or runs here;
that is only thrift, since tasks take a lease before they work. What another worker has taken is known by
its lease: nobody waits for word of it. Campaigns that send at the same time share the threads there are.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

from core import logs
from core.services.work_queue import Work, WorkKind, WorkQueue
from jobs.app import huey, wake
from jobs.doing import Doing
from jobs.tasks import task_of, work_of

log = logging.getLogger(__name__)

BEAT_S = 0.5


class Pulse:
    """Finds work and enqueues it, from a thread of the worker process."""

    def __init__(self, work: WorkQueue, doing: Doing, clock: Callable[[], datetime], send_slots: int) -> None:
        """Take who finds work, who knows what is done here, the clock, and how many threads may send at a time."""
        self._work = work
        self._clock = clock
        self._send_slots = send_slots
        self._stop = threading.Event()
        self._doing = doing
        # The last turn at which each campaign was given a thread.
        self._turns: dict[Work, int] = {}
        self._next_turn = count(1)
        self._repeated_at: dict[WorkKind, datetime] = {}
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Enqueue nothing more."""
        self._stop.set()

    def beat(self) -> None:
        """Look once and enqueue what is not under way."""
        now = self._clock()
        found = self._work.find(now, self._list_due(now))
        if not found:
            # Nearly always: the queue is not even looked into.
            return
        queued = Counter(map(work_of, huey.pending()))
        if queued:
            # Another worker may have put it in, and have no thread for it.
            wake(huey)
        running = self._doing.counts()
        self._repeated_at |= {work.kind: now for work in found if work.kind in self._work.pauses}
        for work in found:
            if work.kind is not WorkKind.SEND and work not in queued and work not in running:
                self._enqueue(work)
        self._share_slots([work for work in found if work.kind is WorkKind.SEND], queued, running, now)

    def _list_due(self, now: datetime) -> list[WorkKind]:
        """Return what is done again and again and whose time has come."""
        pauses = self._work.pauses.items()
        return [kind for kind, pause in pauses if not _is_within(self._repeated_at.get(kind), now, pause)]

    def _share_slots(self, sends: Sequence[Work], queued: Counter[Work], running: Counter[Work], now: datetime) -> None:
        """Give every free thread to the campaign that has the fewest, and of those to the one that waits longest."""
        under_way = queued + running
        self._turns = {work: turn for work, turn in self._turns.items() if work in sends or work in under_way}
        mine = sum(number for work, number in under_way.items() if work.kind is WorkKind.SEND)
        if not sends or mine >= self._send_slots:
            return
        # Threads of all workers: a thread of this one between two batches has no lease.
        taken = Counter(dict(self._work.count_sending(now))) | running
        taken += queued
        for _ in range(self._send_slots - mine):
            # Several threads may send the same campaign: each takes another batch.
            work = min(sends, key=lambda item: (taken[item], self._turns.get(item, 0)))
            taken[work] += 1
            self._turns[work] = next(self._next_turn)
            self._enqueue(work)

    def _enqueue(self, work: Work) -> None:
        huey.enqueue(task_of(work))

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                self.beat()
                logs.tell_repeats()
            except Exception:
                # A store or the queue does not answer. Without a pulse this worker would never work again.
                log.exception("pulse_missed")


def _is_within(at: datetime | None, now: datetime, pause: timedelta) -> bool:
    # A time to come is from before the clock was set back.
    return at is not None and timedelta(0) <= now - at < pause
