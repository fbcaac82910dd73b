"""
Importing suppressions: a file of numbers that shall get no messages.

`upload` stores the file and returns at once; a worker calls `run`. It reads the whole file first and sorts its numbers:
put in by their order, ten million go in as fast as they can be written. They go in portions, so that nobody waits for
long who sends meanwhile, and each portion is counted in its own transaction: a worker that is killed is followed by
one that goes on where it ended.
"""

import logging
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from core.domain.accounts.suppressions import (
    Origin,
    SuppressionCounts,
    SuppressionImport,
    SuppressionImportStatus,
    SuppressionSource,
)
from core.domain.imports.lists import ROW_FAULTS, HiddenRows
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action
from core.domain.words.counting import count_of
from core.errors import AppError, InvalidFile, StorageError
from core.files.imports.numbers import RowRefused, check_row
from core.files.imports.reading import ContactSheet, open_sheet
from core.files.stored_uploads import NO_ROOM, store_upload
from core.files.tables.rejected import RejectedRows
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.reading_numbers import open_reader
from core.identifiers import new_id
from core.services.leases import Lease, Leases
from core.services.suppressions.managing import check_reason, require_change, require_scope, suppression_subject
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.engine.store import State
from core.state.reports import audit
from core.state.suppressions import imports
from core.state.suppressions.numbers import Numbers, arrange, to_number
from core.state.suppressions.suppressions import add_numbers, add_origin

log = logging.getLogger(__name__)

# Rows between two looks whether the worker shall end, and numbers in a transaction.
_CHUNK_ROWS, PORTION = 20_000, 20_000
# Reading and checking the numbers is most of the work.
_READING_SHARE = 0.7
SHOWN = 5

# Returns the columns of a file with this name, or raises InvalidFile.
Look = Callable[[Path, str, HiddenRows], tuple[str, ...]]


@dataclass(frozen=True)
class SuppressionUpload:
    """
    What a person says about a file: for which account (`EVERYWHERE` for all), why, and what it is called.

    *hidden_rows* says what becomes of rows that a workbook hides.
    """

    account_id: str
    reason: str
    file_name: str
    hidden_rows: HiddenRows = HiddenRows.ASK


@dataclass(frozen=True)
class SuppressionLimits:
    """Where uploads wait, what is kept to read numbers, and how large uploads may be."""

    uploads_dir: Path
    cache_dir: Path
    max_bytes: int
    max_rows: int


class ImportingSuppressions:
    """From a file to suppressions."""

    def __init__(
        self, state: State, numbers: SuppressedNumbers, limits: SuppressionLimits, look: Look, leases: Leases
    ) -> None:
        """Take the store, who holds all numbers, the limits, who looks into a file first, and the worker's leases."""
        self._state = state
        self._numbers = numbers
        self._limits = limits
        self._look = look
        self._leases = leases
        self._ranges = KeptRanges(limits.cache_dir)

    def upload(self, viewer: Viewer, upload: SuppressionUpload, content: BinaryIO, now: datetime) -> SuppressionImport:
        """
        Store the file and return the import, In Progress.

        Raises: InvalidInput, InvalidFile: reason or file cannot be used; nothing is kept then. Forbidden, NotFound.
        """
        require_change(viewer, upload.account_id)
        reason = check_reason(upload.reason, is_needed=False)
        import_id = new_id()
        path = self._path(import_id)
        try:
            store_upload(content, path, self._limits.max_bytes)
            self._look(path, upload.file_name, upload.hidden_rows)
            new = SuppressionImport(
                import_id=import_id,
                account_id=upload.account_id,
                file_name=Path(upload.file_name).name[:255],
                reason=reason,
                status=SuppressionImportStatus.IN_PROGRESS,
                created_at=now,
                created_by=viewer.name,
                hidden_rows=upload.hidden_rows,
            )
            with self._state.write() as session:
                imports.add_import(session, new)
                subject = suppression_subject(session, upload.account_id)
                details = {"file": new.file_name}
                audit.record(session, viewer, Action.SUPPRESSIONS_IMPORTED, subject, now, details)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        log.info("suppressions_uploaded", extra={"import_id": import_id, "bytes": path.stat().st_size})
        return new

    def list_recent(self, viewer: Viewer) -> tuple[SuppressionImport, ...]:
        """Return the latest imports for the viewer's accounts and for all. Raises: Forbidden."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        with self._state.read() as session:
            return imports.list_imports(session, viewer.account_ids, SHOWN)

    def get(self, viewer: Viewer, import_id: str) -> SuppressionImport:
        """Return the import. Raises: Forbidden. NotFound: unknown, or another account's."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        with self._state.read() as session:
            found = imports.get_import(session, import_id)
        require_scope(viewer, found.account_id)
        return found

    def rejected_csv(self, viewer: Viewer, import_id: str) -> bytes:
        """Return the rows without a usable number as CSV, with row number and reason; empty when there are none."""
        self.get(viewer, import_id)
        path = self._rejected_path(import_id)
        return path.read_bytes() if path.exists() else b""

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the imports that wait for `run`."""
        with self._state.read() as session:
            return imports.list_waiting(session, now)

    def run(self, import_id: str, clock: Callable[[], datetime]) -> None:
        """
        Import the file; running it twice, or in two workers at once, does no harm.

        Raises: StorageError: a store did not answer; the import stays In Progress and is tried again.
        """
        with self._leases.hold(import_id, clock, imports.lease_import) as lease:
            if lease is None:
                return
            status, fault, hint = SuppressionImportStatus.COMPLETED, "", ""
            try:
                self._import(import_id, lease, clock)
            except StorageError:
                raise
            except AppError as error:
                status, fault, hint = SuppressionImportStatus.FAULTED, error.message, error.hint
            except Exception:
                # Whatever it is, it would be the same again: nothing must be In Progress for ever.
                stopped = "The import stopped unexpectedly."
                self._finish(
                    import_id, lease, SuppressionImportStatus.FAULTED, stopped, "See the worker's log.", clock()
                )
                raise
            self._finish(import_id, lease, status, fault, hint, clock())
        self._numbers.refresh()

    def _import(self, import_id: str, lease: Lease, clock: Callable[[], datetime]) -> None:
        with self._state.read() as session:
            found = imports.get_import(session, import_id)
        numbers, counts = self._read(found, lease)
        done = found.counts.added + found.counts.known
        counts = replace(counts, added=found.counts.added, known=found.counts.known)
        for start in range(done, len(numbers), PORTION):
            lease.check()
            counts = self._store(found, lease, numbers[start : start + PORTION], counts, len(numbers), clock())

    def _read(self, found: SuppressionImport, lease: Lease) -> tuple[Numbers, SuppressionCounts]:
        """Return the numbers of the file, sorted, each once, and what became of its rows so far."""
        read, rejected = 0, 0
        numbers = array("q")
        try:
            with (
                open_sheet(self._path(found.import_id), found.file_name, found.hidden_rows) as sheet,
                open_reader(self._ranges) as reader,
                RejectedRows(self._rejected_path(found.import_id), sheet.columns, self._limits.max_rows) as refused,
            ):
                while rows := list(islice(sheet.rows, _CHUNK_ROWS)):
                    read += len(rows)
                    self._check_count(read)
                    texts = [row.cells[sheet.phone_index] for row in rows]
                    for row, number in zip(rows, reader.read_texts(texts), strict=True):
                        try:
                            check_row(row, sheet.phone_index, number)
                            numbers.append(to_number(number.msisdn))
                        except RowRefused as why:
                            rejected += 1
                            refused.write(row.row_no, why.detail or ROW_FAULTS[why.fault], row.cells)
                    lease.check()
                    self._record_reading(found, sheet, SuppressionCounts(read, rejected=rejected))
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageError("There is no room for the rejected rows.", hint="Free disk space.") from error
        known = arrange(np.frombuffer(numbers, np.int64)) if numbers else arrange()
        if not len(known):
            raise InvalidFile(
                f"None of the {count_of(read, 'row', 'rows')} has a usable number.",
                hint="Download the rows left out to see why.",
            )
        return known, SuppressionCounts(read, repeated=len(numbers) - len(known), rejected=rejected)

    def _check_count(self, read: int) -> None:
        if read > self._limits.max_rows:
            raise InvalidFile(
                f"The file has more than {count_of(self._limits.max_rows, 'row', 'rows')}.",
                hint="Split it into several.",
            )

    def _record_reading(self, found: SuppressionImport, sheet: ContactSheet, counts: SuppressionCounts) -> None:
        counts = replace(counts, added=found.counts.added, known=found.counts.known)
        with self._state.write() as session:
            imports.record_progress(session, found.import_id, counts, sheet.progress() * _READING_SHARE)

    def _store(
        self,
        found: SuppressionImport,
        lease: Lease,
        portion: Numbers,
        counts: SuppressionCounts,
        total: int,
        now: datetime,
    ) -> SuppressionCounts:
        with self._state.write() as session:
            if not lease.renew(session):
                raise StorageError("Somebody else imports this file by now.")
            origin_no = imports.get_import(session, found.import_id).origin_no
            if origin_no is None:
                reason = found.reason or f"From {found.file_name}"[:200]
                origin = Origin(SuppressionSource.IMPORT, reason, found.created_by, found.created_at)
                origin_no = add_origin(session, found.account_id, origin)
                imports.note_origin(session, found.import_id, origin_no)
            added = add_numbers(session, found.account_id, portion, SuppressionSource.IMPORT, origin_no, now)
            counts = replace(counts, added=counts.added + added, known=counts.known + len(portion) - added)
            share = (counts.added + counts.known) / total
            progress = _READING_SHARE + (1 - _READING_SHARE) * share
            imports.record_progress(session, found.import_id, counts, progress)
        return counts

    def _finish(
        self, import_id: str, lease: Lease, status: SuppressionImportStatus, fault: str, hint: str, now: datetime
    ) -> None:
        with self._state.write() as session:
            # Somebody else may have been faster while this worker was asleep, or may be reading the file.
            mine = lease.renew(session)
            if mine:
                imports.finish_import(session, import_id, status, now, fault=fault, hint=hint)
        if not mine:
            log.warning("import_overtaken", extra={"import_id": import_id})
            return
        self._path(import_id).unlink(missing_ok=True)
        log.info("suppressions_imported", extra={"import_id": import_id, "status": status})

    def _path(self, import_id: str) -> Path:
        return self._limits.uploads_dir / f"{import_id}.upload"

    def _rejected_path(self, import_id: str) -> Path:
        return self._limits.uploads_dir / f"{import_id}.rejected.csv"
