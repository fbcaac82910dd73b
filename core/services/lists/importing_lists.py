"""
Importing: a file becomes a distribution list.

`upload` stores the file and the list's metadata and returns at once; a worker calls `run`, which
reads every row, finds number, country and network, and writes the entries to the lake in one
commit. Killed at any point, it starts again from the file.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.imports.entries import ALL_ENTRIES, EntryQuery
from core.domain.imports.lists import DistributionList, HiddenRows, ListStatus, is_phone_column
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.paging import Page, PageRequest
from core.domain.words.counting import agree
from core.domain.words.names import check_name
from core.errors import AppError, Conflict, InvalidInput, StorageError
from core.files.imports.contacts import open_contacts
from core.files.imports.looking import find_plan
from core.files.stored_uploads import NO_ROOM, store_upload
from core.history.audience.contacts import ContactStore
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.reading_numbers import open_reader
from core.identifiers import new_id
from core.services.accounts.managing_accounts import ManagingAccounts
from core.services.leases import Lease, Leases
from core.services.lists.reading_entries import EntryReader
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.imports.lists import ImportCounts
from core.state.reports import audit

log = logging.getLogger(__name__)

# Returns the columns of the list in a file with this name, or raises InvalidFile; also to ask about hidden rows.
Look = Callable[[Path, str, HiddenRows], tuple[str, ...]]


@dataclass(frozen=True)
class Upload:
    """
    What a person says about a file.

    *file_name* is only shown, never opened as a path. *hidden_rows* says what becomes of rows that a workbook hides.
    """

    account_id: str
    name: str
    file_name: str
    hidden_rows: HiddenRows = HiddenRows.ASK


@dataclass(frozen=True)
class ImportLimits:
    """Where uploads wait, where what is made anew at any time is kept, and how large uploads may be."""

    uploads_dir: Path
    cache_dir: Path
    max_bytes: int
    max_rows: int


@dataclass(frozen=True)
class _Verdict:
    """What becomes of a list that was read."""

    status: ListStatus
    fault: str = ""
    hint: str = ""


class ImportingLists:
    """Distribution lists, from file to entries."""

    def __init__(
        self,
        state: State,
        contacts: ContactStore,
        accounts: ManagingAccounts,
        limits: ImportLimits,
        look: Look,
        leases: Leases,
    ) -> None:
        """Take the stores, the limits, who looks into a file before it is taken, and the worker's leases."""
        self._ranges = KeptRanges(limits.cache_dir)
        self._leases = leases
        self._state = state
        self._contacts = contacts
        self._accounts = accounts
        self._limits = limits
        self._look = look

    def upload(self, viewer: Viewer, upload: Upload, content: BinaryIO, now: datetime) -> DistributionList:
        """
        Store the file and return the list, In Progress.

        Raises: InvalidInput, InvalidFile: name or file cannot be used; nothing is kept then.
            Forbidden, NotFound: not with this permission, not in this account.
        """
        viewer.require(Permission.DISTRIBUTION_LISTS)
        viewer.require_account(upload.account_id, "account")
        name = check_name(upload.name, "list")
        with self._state.read() as session:
            self._refuse_taken(lists.is_name_taken(session, upload.account_id, name), name)
        list_id = new_id()
        path = self._path(list_id)
        try:
            store_upload(content, path, self._limits.max_bytes)
            columns = self._look(path, upload.file_name, upload.hidden_rows)
            size_bytes = path.stat().st_size
            new = _new_list(list_id, upload, name, columns, viewer, now)
            with self._state.write() as session:
                self._refuse_taken(lists.is_name_taken(session, upload.account_id, name), name)
                lists.add_list(session, new)
                audit.record(session, viewer, Action.LIST_UPLOADED, Subject("list", list_id, name), now)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        log.info("list_uploaded", extra={"list_id": list_id, "bytes": size_bytes})
        return new

    def page(self, viewer: Viewer, request: PageRequest) -> Page[DistributionList]:
        """Return one page of the lists of the viewer's accounts."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        with self._state.read() as session:
            return lists.page_lists(session, viewer.account_ids, request)

    def page_ready(self, viewer: Viewer, account_id: str, request: PageRequest) -> Page[DistributionList]:
        """Return one page of the account's Ready lists, to choose recipients from."""
        viewer.require_any(Permission.CAMPAIGN, Permission.DISTRIBUTION_LISTS)
        viewer.require_account(account_id, "account")
        with self._state.read() as session:
            return lists.page_lists(session, {account_id}, request, ListStatus.READY)

    def get(self, viewer: Viewer, list_id: str) -> DistributionList:
        """Return the list. Raises: NotFound: unknown, or another account's."""
        viewer.require_any(Permission.DISTRIBUTION_LISTS, Permission.CAMPAIGN)
        with self._state.read() as session:
            found = lists.get_list(session, list_id)
        viewer.require_account(found.account_id, "distribution list")
        return found

    def count_campaigns(self, viewer: Viewer, found: Iterable[DistributionList]) -> dict[str, int]:
        """Return how many completed campaigns each list has; lists without one are absent."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        visible = [item.list_id for item in found if item.account_id in viewer.account_ids]
        with self._state.read() as session:
            return campaigns.count_completed_by_list(session, visible)

    def preview(
        self, viewer: Viewer, list_id: str, offset: int, limit: int, wanted: EntryQuery = ALL_ENTRIES
    ) -> pa.Table:
        """
        Return the wanted entries: Row, Number, Country, Network, MCCMNC (text), then the file's columns.

        Raises: Forbidden: they are looked for, or put in order, by who sees no numbers: that would spell them out.
        """
        found = self._get_searched(viewer, list_id, wanted)
        entries = self._contacts.page(list_id, offset, limit, wanted)
        numbers = entries["msisdn"].to_pylist()
        shown = numbers if viewer.sees_numbers else [mask_msisdn(number) for number in numbers]
        table = {
            "Row": entries["row_no"],
            "Number": pa.array(shown, pa.string()),
            "Country": pa.array([country_name(code) for code in entries["country"].to_pylist()], pa.string()),
            "Network": entries["network"],
            "MCCMNC": entries["mccmnc"],
        }
        rows = entries["fields"].to_pylist()
        for index, column in enumerate(found.columns):
            if not is_phone_column(column):
                table[column] = pa.array([row[index] for row in rows], pa.string())
        return pa.table(table)

    def count_entries(self, viewer: Viewer, list_id: str, wanted: EntryQuery) -> int:
        """Return how many entries of the list are wanted. Raises: as `preview`."""
        found = self._get_searched(viewer, list_id, wanted)
        return self._contacts.count(list_id, wanted) if wanted.term else found.entry_count

    def _get_searched(self, viewer: Viewer, list_id: str, wanted: EntryQuery) -> DistributionList:
        if wanted != ALL_ENTRIES:
            viewer.require(Permission.DISTRIBUTION_LISTS)
        return self.get(viewer, list_id)

    def rejected_csv(self, viewer: Viewer, list_id: str) -> bytes:
        """Return the rows that are not entries, as CSV with row number and reason; empty when there are none."""
        viewer.require(Permission.DISTRIBUTION_LISTS)
        self.get(viewer, list_id)
        path = self._rejected_path(list_id)
        return path.read_bytes() if path.exists() else b""

    def delete(self, viewer: Viewer, list_id: str, now: datetime) -> None:
        """
        Delete list and entries for good; campaigns that were launched keep their frozen audience.

        It is gone for everybody at once. What a store that does not answer leaves behind, `finish_deletions` deletes.

        Raises: Conflict: it is being imported, or a campaign is just freezing its audience.
        """
        viewer.require(Permission.DISTRIBUTION_LISTS)
        found = self.get(viewer, list_id)
        if found.status is ListStatus.IN_PROGRESS:
            raise Conflict("The list is being imported.", hint="Wait until the import has finished.")
        with self._state.write() as session:
            # First: whoever launches with it holds it until that is written, and stands among the readers then.
            lists.mark_deleting(session, list_id)
            reader = campaigns.find_reader(session, list_id)
            if reader is not None:
                raise _in_use(reader)
            audit.record(session, viewer, Action.LIST_DELETED, Subject("list", list_id, found.name), now)
        log.info("list_deleted", extra={"list_id": list_id, "user_id": viewer.user_id})
        try:
            self._finish_deletion(list_id)
        except StorageError as error:
            log.warning("list_deletion_unfinished", extra={"list_id": list_id, "reason": error.message})

    def finish_deletions(self, _now: datetime) -> int:
        """Delete what is left of lists that were deleted; return how many. Raises: StorageError: later, then."""
        with self._state.read() as session:
            marked = lists.list_deleting(session)
        for list_id in marked:
            self._finish_deletion(list_id)
        return len(marked)

    def _finish_deletion(self, list_id: str) -> None:
        # The row last: as long as it is there, somebody knows that the rest may be.
        self._contacts.delete(list_id)
        self._path(list_id).unlink(missing_ok=True)
        self._rejected_path(list_id).unlink(missing_ok=True)
        with self._state.write() as session:
            lists.delete_list(session, list_id)

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the lists that wait for `run`."""
        with self._state.read() as session:
            return lists.list_waiting(session, now)

    def run(self, list_id: str, clock: Callable[[], datetime]) -> None:
        """
        Import the list; running it twice, or in two workers at once, does no harm.

        Raises: StorageError: a store did not answer; the list stays In Progress and is tried again.
        """
        with self._leases.hold(list_id, clock, lists.lease_list) as lease:
            if lease is None:
                return
            try:
                verdict = self._judge(list_id, lease)
            except StorageError:
                raise
            except Exception:
                # Whatever it is, it would be the same again: the list must not be In Progress for ever.
                stopped = _Verdict(ListStatus.FAULTED, "The import stopped unexpectedly.", "See the worker's log.")
                self._finish(list_id, stopped, lease)
                raise
            self._finish(list_id, verdict, lease)

    def _judge(self, list_id: str, lease: Lease) -> _Verdict:
        """Read the file and store its entries; say what becomes of the list."""
        try:
            counts = self._read(list_id, lease)
        except StorageError:
            raise
        except AppError as error:
            return _Verdict(ListStatus.FAULTED, error.message, error.hint)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise StorageError("There is no room for the rejected rows.", hint="Free disk space.") from error
        if counts.entry_count == 0:
            fault = agree(
                counts.read_count,
                "The only row has no usable number.",
                f"None of the {counts.read_count} rows has a usable number.",
            )
            return _Verdict(ListStatus.FAULTED, fault, "Download the rows left out to see why.")
        return _Verdict(ListStatus.READY)

    def _read(self, list_id: str, lease: Lease) -> ImportCounts:
        with self._state.read() as session:
            found = lists.get_list(session, list_id)
        path, rejected, most = self._path(list_id), self._rejected_path(list_id), self._limits.max_rows
        plan = find_plan(path, found.hidden_rows)
        with (
            open_contacts(path, plan) as contacts,
            open_reader(self._ranges) as numbers,
            EntryReader(contacts, plan.phone_column, rejected, most, numbers) as reader,
        ):
            # Read to the end before writing: the lake has one writer, who must not wait for a parser.
            tables = []
            for table in reader.tables():
                tables.append(table)
                lease.check()
                self._record(list_id, reader.counts())
            counts = reader.counts()
        self._contacts.replace(list_id, tables)
        self._record(list_id, counts)
        return counts

    def _record(self, list_id: str, counts: ImportCounts) -> None:
        with self._state.write() as session:
            lists.record_progress(session, list_id, counts)

    def _finish(self, list_id: str, verdict: _Verdict, lease: Lease) -> None:
        with self._state.write() as session:
            # Somebody else may have been faster while this worker was asleep, or may be reading the file.
            mine = lease.renew(session)
            if mine:
                lists.finish_import(session, list_id, verdict.status, verdict.fault, verdict.hint)
        if not mine:
            log.warning("import_overtaken", extra={"list_id": list_id})
            return
        # Read to its end or not at all: nobody reads it again.
        self._path(list_id).unlink(missing_ok=True)
        log.info("list_imported", extra={"list_id": list_id, "status": verdict.status, "fault": verdict.fault})

    def _path(self, list_id: str) -> Path:
        return self._limits.uploads_dir / f"{list_id}.upload"

    def _rejected_path(self, list_id: str) -> Path:
        return self._limits.uploads_dir / f"{list_id}.rejected.csv"

    @staticmethod
    def _refuse_taken(taken: bool, name: str) -> None:
        if taken:
            raise InvalidInput(f"There is already a list called {name}.", hint="Choose another name.", field="name")


def _in_use(reader: Campaign) -> Conflict:
    if reader.status is CampaignStatus.SCHEDULED:
        return Conflict(
            f"The campaign {reader.name} is scheduled with this list.",
            hint="Wait until it has started, or change it.",
        )
    return Conflict(f"The campaign {reader.name} is reading this list right now.", hint="Try again in a minute.")


def _new_list(
    list_id: str, upload: Upload, name: str, columns: tuple[str, ...], viewer: Viewer, now: datetime
) -> DistributionList:
    return DistributionList(
        list_id=list_id,
        account_id=upload.account_id,
        name=name,
        status=ListStatus.IN_PROGRESS,
        file_name=Path(upload.file_name).name[:255],
        columns=columns,
        read_count=0,
        entry_count=0,
        duplicate_count=0,
        rejected_count=0,
        progress=0.0,
        fault="",
        hint="",
        created_at=now,
        created_by=viewer.name,
        hidden_rows=upload.hidden_rows,
    )
