"""
Working: what waits in the state store, and doing it.

The state store is the queue. Pages and scripts only write what shall be; `find` sees it, and `do`
takes a lease first, so that asking twice, or a worker that dies, does no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.services.exporting import Exporting
from core.services.importing import Importing
from core.services.indexing import Indexing
from core.services.launching import Launching
from core.services.receiving import Receiving
from core.services.rolling_up import RollingUp
from core.services.sending import Sending


class WorkKind(StrEnum):
    """What a worker can be asked to do."""

    IMPORT = "import"
    FREEZE = "freeze"
    SEND = "send"
    RECEIPTS = "receipts"
    DEMO = "demo"
    ROLLUPS = "rollups"
    EXPORT = "export"
    TIDY = "tidy"


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
    launching: Launching
    sending: Sending
    receiving: Receiving
    demo: DemoSeeding
    rolling_up: RollingUp
    exporting: Exporting
    indexing: Indexing

    def find(self, now: datetime) -> list[Work]:
        """Return what waits, but for what is done again and again: receipts, rollups, tidying up."""
        return [
            *(Work(WorkKind.DEMO, user_id) for user_id in self.demo.list_waiting(now)),
            *(Work(WorkKind.IMPORT, list_id) for list_id in self.importing.list_waiting(now)),
            *(Work(WorkKind.FREEZE, campaign_id) for campaign_id in self.launching.list_processing(now)),
            *(Work(WorkKind.EXPORT, export_id) for export_id in self.exporting.list_waiting(now)),
            *(Work(WorkKind.SEND, campaign_id) for campaign_id in self.sending.list_sendable(now)),
        ]

    def do(self, work: Work, clock: Callable[[], datetime]) -> None:
        """Do it, or nothing when somebody else does."""
        match work.kind:
            case WorkKind.IMPORT:
                self.importing.run(work.subject, clock)
            case WorkKind.FREEZE:
                self.launching.freeze(work.subject, clock)
            case WorkKind.SEND:
                self.sending.run(work.subject, clock)
            case WorkKind.RECEIPTS:
                self.receiving.collect(clock())
                self.receiving.merge(clock())
            case WorkKind.DEMO:
                self.demo.run(work.subject, clock)
            case WorkKind.ROLLUPS:
                self.rolling_up.refresh()
                self.indexing.refresh(clock())
            case WorkKind.EXPORT:
                self.exporting.run(work.subject, clock)
            case WorkKind.TIDY:
                self.exporting.delete_expired(clock())

    def run_until_idle(self, clock: Callable[[], datetime]) -> None:
        """Do everything that waits now and what follows from it, in this thread; receipts not yet due stay."""
        while found := self.find(clock()):
            for work in found:
                self.do(work, clock)
        self.do(Work(WorkKind.RECEIPTS), clock)
