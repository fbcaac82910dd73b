"""
Importing outside traffic: messages that HTTP and SMPP accounts sent without the tool, from CDR files.

`upload` stores the file and proposes how to read it; `begin` lets a worker call `run`. A file may come again, whole or
in part, with newer states: no message is there twice, and no final state goes back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.cdr import (
    CdrField,
    CdrMapping,
    TrafficCounts,
    TrafficImport,
    TrafficImportStatus,
    check_mapping,
)
from core.domain.imports.cdr_guessing import guess_columns, guess_mapping, signature_of
from core.domain.imports.cdr_prices import ask_rates
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.paging import Page, PageRequest
from core.domain.words.counting import agree, grouped
from core.errors import AppError, Conflict, Forbidden, InvalidFile, InvalidInput, StorageError
from core.files.imports.cdr import CdrKind
from core.files.imports.cdr_sample import CdrSample
from core.files.stored_uploads import NO_ROOM, store_upload
from core.history.messages.cdr_blocks import CdrSpec
from core.history.messages.outside_traffic import Beginning, OutsideTraffic
from core.identifiers import new_id
from core.services.leases import Lease, Leases
from core.services.traffic.traffic_previews import TrafficPreview, preview_of
from core.services.traffic.traffic_runs import RunFiles, TrafficRun
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.imports import traffic_imports
from core.state.reports import audit

log = logging.getLogger(__name__)

DATES_LOOKED_AT = 2_000
# An upload that nobody mapped is deleted after this long.
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class TrafficUpload:
    """Whose traffic it is. *file_name* is only shown, never opened as a path."""

    account_id: str
    file_name: str


@dataclass(frozen=True)
class TrafficLimits:
    """Where uploads wait, how large they may be, and how long a lease lasts."""

    uploads_dir: Path
    max_bytes: int
    max_rows: int


@dataclass(frozen=True)
class Proposal:
    """How a file would be read; *is_remembered* when one of the same form was imported so before."""

    mapping: CdrMapping
    is_remembered: bool


# Returns the beginning of a CDR file, or raises InvalidFile.
Look = Callable[[Path], CdrSample]


class ImportingTraffic:
    """CDR files, from upload to history."""

    def __init__(
        self, state: State, traffic: OutsideTraffic, limits: TrafficLimits, look: Look, leases: Leases
    ) -> None:
        """Take the stores, the limits, who looks into a file before it is imported, and the worker's leases."""
        self._leases = leases
        self._state = state
        self._traffic = traffic
        self._limits = limits
        self._look = look

    def list_accounts(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return the viewer's active accounts that send outside the tool, by display name."""
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        with self._state.read() as session:
            found = accounts.list_accounts(session, viewer.account_ids)
        return tuple(each for each in found if _obstacle(each) is None)

    def upload(self, viewer: Viewer, upload: TrafficUpload, content: BinaryIO, now: datetime) -> TrafficImport:
        """
        Store the file and return the import, To Map.

        Raises: InvalidInput, InvalidFile: account or file cannot be used; nothing is kept then. Forbidden, NotFound.
            StorageError: there is no room.
        """
        self._require_account(viewer, upload.account_id)
        import_id = new_id()
        path = self._path(import_id)
        try:
            store_upload(content, path, self._limits.max_bytes)
            sample = self._look(path)
            new = _new_import(import_id, upload, sample, viewer, now)
            guessed = guess_mapping(sample.columns, _sent_dates(sample), viewer.time_zone, now)
            with self._state.write() as session:
                remembered = traffic_imports.find_remembered(session, upload.account_id, new.signature)
                traffic_imports.add_import(session, new, remembered or guessed)
                subject = Subject("file", import_id, new.file_name)
                audit.record(session, viewer, Action.TRAFFIC_IMPORTED, subject, now)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        log.info("traffic_uploaded", extra={"import_id": import_id, "account_id": upload.account_id})
        return new

    def propose(self, viewer: Viewer, import_id: str) -> Proposal:
        """Return how the file would be read. Raises: NotFound: unknown, or another account's."""
        found = self.get(viewer, import_id)
        with self._state.read() as session:
            mapping = traffic_imports.get_mapping(session, import_id)
            remembered = traffic_imports.find_remembered(session, found.account_id, found.signature)
        return Proposal(mapping, remembered is not None)

    def preview(self, viewer: Viewer, import_id: str, mapping: CdrMapping) -> TrafficPreview:
        """Return the file's beginning as *mapping* understands it. Raises: InvalidInput: as `check_mapping`."""
        found = self.get(viewer, import_id)
        sample, beginning = self._understand(found, mapping)
        return preview_of(beginning, sample, masked=not _sees_numbers(viewer, found))

    def begin(self, viewer: Viewer, import_id: str, mapping: CdrMapping) -> TrafficImport:
        """
        Let a worker import the file as *mapping* reads it.

        Raises: InvalidInput: as `check_mapping`, a price's currency has no rate, or the account takes none any more.
            Conflict: it was begun already.
        """
        found = self.get(viewer, import_id)
        self._require_account(viewer, found.account_id)
        check_mapping(mapping, found.columns)
        if found.status is TrafficImportStatus.TO_MAP and (unrated := self._list_unrated(found, mapping)):
            raise ask_rates(unrated)
        with self._state.write() as session:
            if not traffic_imports.begin_import(session, import_id, mapping):
                raise Conflict("This file is already being imported.")
        return self.get(viewer, import_id)

    def list_unrated(self, viewer: Viewer, import_id: str) -> tuple[str, ...]:
        """Return the currencies in the file's beginning for which the proposed mapping has no rate."""
        return self._list_unrated(self.get(viewer, import_id), self.propose(viewer, import_id).mapping)

    def _list_unrated(self, found: TrafficImport, mapping: CdrMapping) -> tuple[str, ...]:
        return self._understand(found, mapping)[1].unrated if CdrField.PRICE in mapping.columns else ()

    def _understand(self, found: TrafficImport, mapping: CdrMapping) -> tuple[CdrSample, Beginning]:
        """Return the file's beginning, and how it is understood."""
        check_mapping(mapping, found.columns)
        path = self._path(found.import_id)
        if not path.exists():
            raise InvalidFile("The uploaded file is gone.", hint="Upload it again.")
        sample = self._look(path)
        if sample.block is None:
            raise InvalidFile("None of the file's first rows has as many cells as the header.")
        return sample, self._traffic.preview(self._spec(found, mapping), sample.block)

    def page(self, viewer: Viewer, request: PageRequest) -> Page[TrafficImport]:
        """Return one page of the imports of the viewer's accounts, newest first."""
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        with self._state.read() as session:
            return traffic_imports.page_imports(session, viewer.account_ids, request)

    def get(self, viewer: Viewer, import_id: str) -> TrafficImport:
        """Return the import. Raises: NotFound: unknown, or another account's."""
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        with self._state.read() as session:
            found = traffic_imports.get_import(session, import_id)
        viewer.require_account(found.account_id, "import")
        return found

    def rejected_csv(self, viewer: Viewer, import_id: str) -> bytes:
        """
        Return the first rejected rows as CSV with row number and reason; empty when there are none.

        Raises: Forbidden: they hold numbers, which this viewer neither uploaded nor may see.
        """
        found = self.get(viewer, import_id)
        if not _sees_numbers(viewer, found):
            raise Forbidden("The rejected rows show numbers in full.", hint=f"Ask {found.created_by} for them.")
        path = self._rejected_path(import_id)
        return path.read_bytes() if path.exists() else b""

    def delete(self, viewer: Viewer, import_id: str) -> None:
        """Forget the import and its file; messages stay. Raises: Conflict: it is under way."""
        if self.get(viewer, import_id).status is TrafficImportStatus.IN_PROGRESS:
            raise Conflict("The file is being imported.", hint="Wait until the import has finished.")
        self._forget(import_id)
        log.info("traffic_import_deleted", extra={"import_id": import_id, "user_id": viewer.user_id})

    def delete_forgotten(self, now: datetime) -> int:
        """Delete uploads that nobody mapped in time; return how many."""
        with self._state.read() as session:
            over = traffic_imports.list_forgotten(session, now - FORGOTTEN_AFTER)
        for import_id in over:
            self._forget(import_id)
        return len(over)

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the imports that wait for `run`."""
        with self._state.read() as session:
            return traffic_imports.list_waiting(session, now)

    def run(self, import_id: str, clock: Callable[[], datetime]) -> None:
        """
        Import the file; running it twice, or in two workers at once, does no harm.

        Raises: StorageError: a store did not answer, or has no room; the import stays In Progress and is tried again.
        """
        with self._leases.hold(import_id, clock, traffic_imports.lease_import) as lease:
            if lease is None:
                return
            with self._state.read() as session:
                found = traffic_imports.get_import(session, import_id)
                mapping = traffic_imports.get_mapping(session, import_id)
            try:
                ended = self._import(found, mapping, lease)
            except StorageError as error:
                self._note_obstacle(import_id, error)
                raise
            except Exception:
                # Whatever it is, it would be the same again: the import must not be In Progress for ever.
                stopped = _faulted(found, "The import stopped unexpectedly.", "See the worker's log.")
                self._finish(stopped, lease, clock())
                raise
            self._finish(ended, lease, clock())

    def _import(self, found: TrafficImport, mapping: CdrMapping, lease: Lease) -> TrafficImport:
        """Read the file and merge it; return how the import ended."""
        # Each run has a file of its own: two of them may overlap.
        draft = self._rejected_path(found.import_id).with_suffix(f".{lease.owner[-12:]}")
        files = RunFiles(self._path(found.import_id), draft, self._limits.max_rows)
        try:
            run = TrafficRun(self._traffic, self._spec(found, mapping), files, self._recorder(found.import_id, lease))
            counts = run.run(found.import_id)
            if draft.exists():
                draft.replace(self._rejected_path(found.import_id))
        except StorageError:
            raise
        except AppError as error:
            return _faulted(found, error.message, error.hint)
        except FileNotFoundError:
            return _faulted(found, "The uploaded file is gone.", "Upload it again.")
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageError("There is no room for the rejected rows.", hint="Free disk space.") from error
        finally:
            draft.unlink(missing_ok=True)
        ended = replace(found, counts=counts, remarks=run.remarks, progress=1.0, fault="", hint="")
        if counts.read == counts.rejected:
            fault = agree(
                counts.read, "The only row is not a message.", f"None of the {grouped(counts.read)} rows is a message."
            )
            hint = "Download the rejected rows to see why, then upload the file again and check the columns."
            return replace(ended, status=TrafficImportStatus.FAULTED, fault=fault, hint=hint)
        return replace(ended, status=TrafficImportStatus.COMPLETED)

    def _recorder(self, import_id: str, lease: Lease) -> Callable[[TrafficCounts, float], None]:
        def record(counts: TrafficCounts, progress: float) -> None:
            lease.check()
            with self._state.write() as session:
                traffic_imports.record_progress(session, import_id, counts, progress)

        return record

    def _note_obstacle(self, import_id: str, error: StorageError) -> None:
        try:
            with self._state.write() as session:
                traffic_imports.record_obstacle(session, import_id, error.message, error.hint)
        except StorageError:
            log.warning("obstacle_not_noted", extra={"import_id": import_id, "reason": error.message})

    def _finish(self, ended: TrafficImport, lease: Lease, now: datetime) -> None:
        with self._state.write() as session:
            # Somebody else may have been faster while this worker was asleep, or may be reading the file.
            mine = lease.renew(session)
            if mine:
                traffic_imports.finish_import(session, replace(ended, finished_at=now))
                if ended.status is TrafficImportStatus.COMPLETED:
                    traffic_imports.remember_mapping(session, ended, now)
        if not mine:
            log.warning("traffic_import_overtaken", extra={"import_id": ended.import_id})
            return
        self._path(ended.import_id).unlink(missing_ok=True)
        log.info("traffic_imported", extra={"import_id": ended.import_id, "status": ended.status, "fault": ended.fault})

    def _require_account(self, viewer: Viewer, account_id: str) -> None:
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        viewer.require_account(account_id, "account")
        with self._state.read() as session:
            obstacle = _obstacle(accounts.get_account(session, account_id))
        if obstacle is not None:
            raise obstacle

    def _spec(self, found: TrafficImport, mapping: CdrMapping) -> CdrSpec:
        # What lies in the future is judged at the upload, so that a second run finds the same.
        return CdrSpec(found.account_id, mapping, found.columns, found.created_at)

    def _forget(self, import_id: str) -> None:
        # The row last: as long as it is there, somebody knows of the files.
        self._path(import_id).unlink(missing_ok=True)
        self._rejected_path(import_id).unlink(missing_ok=True)
        with self._state.write() as session:
            traffic_imports.delete_import(session, import_id)

    def _path(self, import_id: str) -> Path:
        return self._limits.uploads_dir / f"{import_id}.cdr"

    def _rejected_path(self, import_id: str) -> Path:
        return self._limits.uploads_dir / f"{import_id}.rejected.csv"


def _obstacle(account: Account) -> InvalidInput | None:
    """Return why traffic cannot be imported for the account, None when it can."""
    if account.account_type is AccountType.CAMPAIGN:
        return InvalidInput(
            f"{account.display_name} is of type Campaign: what it sends is already in the history.",
            hint="Choose an account of type HTTP or SMPP.",
            field="account",
        )
    if account.status is AccountStatus.INACTIVE:
        return InvalidInput(
            f"{account.display_name} is inactive.", hint="Ask an administrator to activate it.", field="account"
        )
    return None


def _new_import(import_id: str, upload: TrafficUpload, file: CdrSample, viewer: Viewer, now: datetime) -> TrafficImport:
    # A gzipped file is read as what is inside.
    kind = CdrKind.PARQUET if file.kind is CdrKind.PARQUET else CdrKind.CSV
    return TrafficImport(
        import_id=import_id,
        account_id=upload.account_id,
        user_id=viewer.user_id,
        file_name=Path(upload.file_name).name[:255],
        columns=file.columns,
        signature=signature_of(file.columns, kind),
        status=TrafficImportStatus.TO_MAP,
        created_at=now,
        created_by=viewer.name,
    )


def _sent_dates(file: CdrSample) -> list[str]:
    """Return the first cells of the column that is probably the Sent Date."""
    block = file.block
    column = guess_columns(file.columns).get(CdrField.SENT_DATE)
    if block is None or column is None:
        return []
    return list(block[f"c{file.columns.index(column)}"].slice(0, DATES_LOOKED_AT).to_pylist())


def _sees_numbers(viewer: Viewer, found: TrafficImport) -> bool:
    return viewer.sees_numbers or viewer.user_id == found.user_id


def _faulted(found: TrafficImport, fault: str, hint: str) -> TrafficImport:
    return replace(found, status=TrafficImportStatus.FAULTED, fault=fault, hint=hint)
