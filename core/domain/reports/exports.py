"""Exports: files people take away with them, and what becomes of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ExportFormat(StrEnum):
    """What a file can be, by its ending."""

    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"


class ExportStatus(StrEnum):
    """How far an export is. It ends as Ready or Failed, and is gone after a time."""

    WAITING = "Waiting"
    RUNNING = "Running"
    READY = "Ready"
    FAILED = "Failed"


# What an export may go on to; a worker that died leaves one Running, and the next one starts it again.
MOVES: dict[ExportStatus, frozenset[ExportStatus]] = {
    ExportStatus.WAITING: frozenset({ExportStatus.RUNNING, ExportStatus.FAILED}),
    ExportStatus.RUNNING: frozenset({ExportStatus.RUNNING, ExportStatus.READY, ExportStatus.FAILED}),
    ExportStatus.READY: frozenset(),
    ExportStatus.FAILED: frozenset(),
}


@dataclass(frozen=True)
class Export:
    """
    An export somebody asked for.

    *request* is the question as JSON. *row_count* is how many rows are written so far; *total_count* how many there
    will be, 0 while that is unknown. *expires_at* is when file and row are deleted. *account_ids* are the accounts the
    file was written for, and *shows_numbers* says whether numbers in it are in full.
    """

    export_id: str
    user_id: str
    name: str
    format: ExportFormat
    request: str
    status: ExportStatus
    created_at: datetime
    expires_at: datetime
    row_count: int = 0
    total_count: int = 0
    byte_count: int = 0
    fault: str = ""
    hint: str = ""
    account_ids: tuple[str, ...] = ()
    shows_numbers: bool = False

    @property
    def is_unfinished(self) -> bool:
        """Whether a worker has it, or shall take it."""
        return bool(MOVES[self.status])

    @property
    def progress(self) -> float:
        """How much of it is written, 0..1."""
        if self.status is ExportStatus.READY:
            return 1.0
        return min(self.row_count / self.total_count, 1.0) if self.total_count else 0.0

    @property
    def file_name(self) -> str:
        """What the file is called when it is taken away."""
        return f"{self.name}.{self.format}"
