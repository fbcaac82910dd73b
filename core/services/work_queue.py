"""
Working: what waits in the state store, and doing it.

The state store is the queue. Pages and scripts only write what shall be; `find` sees it, and `do`
takes a lease first, so that asking twice, or a worker that dies, does no harm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.services.alone import Alone
from core.services.campaigns.controlling import Controlling
from core.services.campaigns.launching import Launching
from core.services.lists.importing_lists import Importing
from core.services.reports.exporting import Exporting
from core.services.sending.receiving import Receiving
from core.services.sending.submitting import Sending
from core.services.traffic.importing_traffic import ImportingTraffic
from core.services.upkeep.forgetting import Forgetting
from core.services.upkeep.indexing import Indexing
from core.services.upkeep.maintaining import Maintaining
from core.services.upkeep.mending_times import MendingTimes
from core.services.upkeep.rolling_up import RollingUp

Clock = Callable[[], datetime]

# The lease of whoever keeps the rollups and the index of numbers up to date.
REFRESHING = "rollups"


class WorkKind(StrEnum):
    """What a worker can be asked to do."""

    IMPORT = "import"
    TRAFFIC = "traffic"
    START = "start"
    FREEZE = "freeze"
    CANCEL = "cancel"
    SEND = "send"
    RECEIPTS = "receipts"
    DEMO = "demo"
    ROLLUPS = "rollups"
    EXPORT = "export"
    TIDY = "tidy"
    MAINTENANCE = "maintenance"
    MEND = "mend"


@dataclass(frozen=True)
class Work:
    """One thing to do; *subject* is the id of what it is about, "" for what is about all."""

    kind: WorkKind
    subject: str = ""


class DemoSeeding(Protocol):
    """What working needs of the demo company."""

    def list_waiting(self, now: datetime) -> list[str]: ...  # noqa: D102
    def run(self, user_id: str, clock: Callable[[], datetime]) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Working:
    """Finds work and does it, for Huey tasks, the command line, tests and benchmarks alike."""

    importing: Importing
    importing_traffic: ImportingTraffic
    launching: Launching
    controlling: Controlling
    sending: Sending
    receiving: Receiving
    demo: DemoSeeding
    rolling_up: RollingUp
    exporting: Exporting
    maintaining: Maintaining
    indexing: Indexing
    forgetting: Forgetting
    mending_times: MendingTimes
    alone: Alone

    def find(self, now: datetime) -> list[Work]:
        """Return what waits, but for what is done again and again, such as receipts and tidying up."""
        return [
            *(Work(WorkKind.DEMO, user_id) for user_id in self.demo.list_waiting(now)),
            *(Work(WorkKind.IMPORT, list_id) for list_id in self.importing.list_waiting(now)),
            *(Work(WorkKind.TRAFFIC, import_id) for import_id in self.importing_traffic.list_waiting(now)),
            *(Work(WorkKind.START, campaign_id) for campaign_id in self.launching.list_due(now)),
            *(Work(WorkKind.FREEZE, campaign_id) for campaign_id in self.launching.list_processing(now)),
            *(Work(WorkKind.CANCEL, campaign_id) for campaign_id in self.controlling.list_canceled(now)),
            *(Work(WorkKind.EXPORT, export_id) for export_id in self.exporting.list_waiting(now)),
            *(Work(WorkKind.SEND, campaign_id) for campaign_id in self.sending.list_sendable(now)),
        ]

    def count_sending(self, now: datetime) -> Mapping[Work, int]:
        """Return how many threads of all workers send for each campaign, as the leases say."""
        return {Work(WorkKind.SEND, key): count for key, count in self.sending.count_running(now).items()}

    def do(self, work: Work, clock: Clock) -> None:
        """Do it, or nothing when somebody else does."""
        self._tasks()[work.kind](work.subject, clock)

    def _tasks(self) -> Mapping[WorkKind, Callable[[str, Clock], object]]:
        return {
            WorkKind.IMPORT: self.importing.run,
            WorkKind.TRAFFIC: self.importing_traffic.run,
            WorkKind.START: self.launching.start,
            WorkKind.FREEZE: self.launching.freeze,
            WorkKind.CANCEL: self.controlling.settle,
            WorkKind.SEND: self.sending.run,
            WorkKind.RECEIPTS: self._take_receipts,
            WorkKind.DEMO: self.demo.run,
            WorkKind.ROLLUPS: self._refresh,
            WorkKind.EXPORT: self.exporting.run,
            WorkKind.TIDY: lambda _, clock: self.forgetting.run(clock()),
            WorkKind.MAINTENANCE: lambda _, clock: self.maintaining.run(clock),
            WorkKind.MEND: lambda _, clock: self.mending_times.run(clock),
        }

    def _take_receipts(self, _subject: str, clock: Clock) -> None:
        self.receiving.collect(clock)
        self.receiving.merge(clock)

    def _refresh(self, _subject: str, clock: Clock) -> None:
        # Two workers would count the same months and write one after the other what is there already.
        with self.alone.hold(REFRESHING, clock) as mine:
            if mine:
                self.rolling_up.refresh()
                self.indexing.refresh(clock())

    def run_until_idle(self, clock: Callable[[], datetime]) -> None:
        """Do everything that waits now and what follows from it, in this thread; receipts not yet due stay."""
        while found := self.find(clock()):
            for work in found:
                self.do(work, clock)
        self.do(Work(WorkKind.RECEIPTS), clock)
