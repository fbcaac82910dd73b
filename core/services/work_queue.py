"""
The work queue: what waits in the state store, and doing it.

The state store is the queue. Pages and scripts only write what shall be; `find` sees it, and `do`
takes a lease first, so that asking twice, or a worker that dies, does no harm.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.services.campaigns import Campaigns
from core.services.leases import Leases
from core.services.lists.importing_lists import ImportingLists
from core.services.reports import Reports
from core.services.sending import Sending
from core.services.suppressions import Suppressions
from core.services.traffic.importing_traffic import ImportingTraffic
from core.services.upkeep import Upkeep
from core.state.engine.store import State
from core.state.upkeep.waiting import Waiting, look

Clock = Callable[[], datetime]

# The lease of whoever keeps the rollups and the index of numbers up to date.
REFRESHING = "rollups"


class WorkKind(StrEnum):
    """What a worker can be asked to do."""

    IMPORT = "import"
    TRAFFIC = "traffic"
    SUPPRESSIONS = "suppressions"
    START = "start"
    FREEZE = "freeze"
    CANCEL = "cancel"
    SEND = "send"
    GIVE_UP = "give up"
    RECEIPTS = "receipts"
    REPLIES = "replies"
    DEMO = "demo"
    CONFIRM = "confirm"
    PROBE = "probe"
    ROLLUPS = "rollups"
    SPENDING = "spending"
    EXPORT = "export"
    TIDY = "tidy"
    MAINTENANCE = "maintenance"
    MEND = "mend"


@dataclass(frozen=True)
class Work:
    """One thing to do; *subject* is the id of what it is about, "" for what is about all."""

    kind: WorkKind
    subject: str = ""


class DemoWork(Protocol):
    """What the queue needs of the demo company."""

    def list_waiting(self, now: datetime) -> list[str]: ...  # noqa: D102
    def run(self, user_id: str, clock: Clock) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class _Found:
    """Work that waits in the state store: who does it for a subject, and who lists the subjects."""

    run: Callable[[str, Clock], object]
    list_waiting: Callable[[datetime], Iterable[str]]


@dataclass(frozen=True)
class _Repeated:
    """
    Work that is done again and again: who does it, how long after the last time, and whether it is worth doing.

    The last is asked all the time, of what a look into the state store saw, and asks nobody outside.
    """

    run: Callable[[Clock], object]
    every: timedelta
    is_due: Callable[[Waiting, datetime], bool] = lambda *_: True


class WorkQueue:
    """Finds work and does it, for Huey's tasks, the command line, tests and benchmarks alike."""

    def __init__(  # noqa: PLR0913, PLR0917 - every room has work of its own
        self,
        lists: ImportingLists,
        traffic: ImportingTraffic,
        campaigns: Campaigns,
        sending: Sending,
        suppressions: Suppressions,
        reports: Reports,
        upkeep: Upkeep,
        demo: DemoWork,
        leases: Leases,
        state: State,
    ) -> None:
        """Take the rooms. A new kind of work is a line in one of the two tables and in `core.state.upkeep.waiting`."""
        self._state = state
        self._sending = sending
        self._upkeep = upkeep
        self._leases = leases
        launching, controlling = campaigns.launching, campaigns.controlling
        # In the order in which it is found.
        self._found: Mapping[WorkKind, _Found] = {
            WorkKind.DEMO: _Found(demo.run, demo.list_waiting),
            WorkKind.IMPORT: _Found(lists.run, lists.list_waiting),
            WorkKind.TRAFFIC: _Found(traffic.run, traffic.list_waiting),
            WorkKind.SUPPRESSIONS: _Found(suppressions.importing.run, suppressions.importing.list_waiting),
            WorkKind.START: _Found(launching.start, launching.list_due),
            WorkKind.FREEZE: _Found(launching.freeze, launching.list_processing),
            WorkKind.CANCEL: _Found(controlling.settle, controlling.list_canceled),
            WorkKind.EXPORT: _Found(reports.exporting.run, reports.exporting.list_waiting),
            WorkKind.SEND: _Found(sending.submitting.run, sending.submitting.list_sendable),
            WorkKind.GIVE_UP: _Found(sending.giving_up.run, sending.giving_up.list_abandoned),
        }
        self._repeated: Mapping[WorkKind, _Repeated] = {
            WorkKind.RECEIPTS: _Repeated(self._take_receipts, timedelta(seconds=0.5), sending.receiving.is_due),
            WorkKind.REPLIES: _Repeated(sending.linking.link, timedelta(seconds=1), sending.linking.is_due),
            WorkKind.CONFIRM: _Repeated(campaigns.confirming.run, timedelta(seconds=5), campaigns.confirming.is_due),
            WorkKind.PROBE: _Repeated(
                sending.health.probe, timedelta(seconds=15), lambda waiting, _: waiting.has_failing_gateways
            ),
            WorkKind.ROLLUPS: _Repeated(self._refresh, timedelta(seconds=60)),
            WorkKind.SPENDING: _Repeated(sending.counting.reconcile, timedelta(minutes=30)),
            WorkKind.TIDY: _Repeated(lambda clock: upkeep.forgetting.run(clock()), timedelta(minutes=10)),
            WorkKind.MAINTENANCE: _Repeated(upkeep.maintaining.run, timedelta(seconds=60)),
            WorkKind.MEND: _Repeated(upkeep.mending_times.run, timedelta(seconds=30)),
        }

    @property
    def pauses(self) -> Mapping[WorkKind, timedelta]:
        """How long after the last time each kind of work is done that is not found by looking."""
        return {kind: repeated.every for kind, repeated in self._repeated.items()}

    def find(self, now: datetime, again: Iterable[WorkKind] = ()) -> list[Work]:
        """
        Return what waits.

        Args:
            now: When.
            again: What is done again and again, and whose time has come: it is found, too, if it is worth doing now.
        """
        with self._state.ask() as connection:
            # Asked twice a second: one question instead of one for each kind, and nearly always the answer is nothing.
            waiting = look(connection, now)
        self._sending.receiving.note(waiting)
        found = self._found.items() if waiting.has_work else ()
        waits = [Work(kind, subject) for kind, listed in found for subject in listed.list_waiting(now)]
        return waits + [Work(kind) for kind in again if self._repeated[kind].is_due(waiting, now)]

    def count_sending(self, now: datetime) -> Mapping[Work, int]:
        """Return how many threads of all workers send for each campaign, as the leases say."""
        counts = self._sending.submitting.count_running(now)
        return {Work(WorkKind.SEND, campaign_id): count for campaign_id, count in counts.items()}

    def do(self, work: Work, clock: Clock) -> None:
        """Do it, or nothing when somebody else does."""
        if work.kind in self._repeated:
            self._repeated[work.kind].run(clock)
        else:
            self._found[work.kind].run(work.subject, clock)

    def run_until_idle(self, clock: Clock) -> None:
        """Do everything that waits now and what follows from it, in this thread; what is not due yet stays."""
        while found := self.find(clock()):
            for work in found:
                self.do(work, clock)
        self.do(Work(WorkKind.RECEIPTS), clock)
        self.do(Work(WorkKind.REPLIES), clock)

    def stop(self) -> None:
        """Let what is under way end soon, as when the worker shuts down; what is left waits for the next one."""
        self._leases.stop.set()

    def _take_receipts(self, clock: Clock) -> None:
        self._sending.receiving.collect(clock)
        self._sending.answering_late.settle(clock)
        self._sending.receiving.merge(clock)

    def _refresh(self, clock: Clock) -> None:
        # Two workers would count the same months and write one after the other what is there already.
        with self._leases.alone(REFRESHING, clock) as mine:
            if mine:
                self._upkeep.rolling_up.refresh()
                self._upkeep.indexing.refresh(clock())
