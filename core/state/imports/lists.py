"""Distribution lists: their metadata, search and import progress."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from core.domain.imports.lists import DistributionList, HiddenRows, ListStatus
from core.domain.reports.paging import Page, PageRequest
from core.domain.words.control_characters import as_told
from core.errors import NotFound
from core.state.tables.leases import Moment, is_free, take_lease
from core.state.tables.models import ListRow
from core.state.tables.search import contains, exact_first, folded

# A list whose entries are being deleted: gone for everybody, and kept only so that it is not forgotten halfway.
_DELETING = "Deleting"
_IS_THERE = ListRow.status != _DELETING

SORTABLE = {
    "name": folded(ListRow.name.expression),
    "status": ListRow.status,
    "entry_count": ListRow.entry_count,
    "created_at": ListRow.created_at,
}


@dataclass(frozen=True)
class ImportCounts:
    """How far an import has come, in rows of the file; *progress* is 0..1."""

    read_count: int
    entry_count: int
    duplicate_count: int
    rejected_count: int
    progress: float


def add_list(session: Session, new: DistributionList) -> None:
    """Add the list as it stands in *new*."""
    session.add(
        ListRow(
            list_id=new.list_id,
            account_id=new.account_id,
            name=new.name,
            status=new.status,
            file_name=new.file_name,
            columns=list(new.columns),
            read_count=new.read_count,
            entry_count=new.entry_count,
            duplicate_count=new.duplicate_count,
            rejected_count=new.rejected_count,
            progress=new.progress,
            fault=new.fault,
            hint=new.hint,
            created_at=new.created_at,
            created_by=new.created_by,
            hidden_rows=new.hidden_rows,
        )
    )
    session.flush()


def get_list(session: Session, list_id: str) -> DistributionList:
    """Return the list. Raises: NotFound."""
    row = session.get(ListRow, list_id)
    if row is None or row.status == _DELETING:
        raise NotFound("There is no such distribution list.")
    return _list(row)


def find_lists(session: Session, list_ids: Collection[str], *, lock: bool = False) -> dict[str, DistributionList]:
    """Return those of the lists that are there, by id; *lock* keeps everybody from deleting them until the end."""
    # In one order, so that two who lock them do not wait for each other.
    found = select(ListRow).where(ListRow.list_id.in_(list_ids), _IS_THERE).order_by(ListRow.list_id)
    rows = session.scalars(found.with_for_update(read=True) if lock else found) if list_ids else ()
    return {row.list_id: _list(row) for row in rows}


def is_name_taken(session: Session, account_id: str, name: str) -> bool:
    """Return whether the account has a list of this name, whatever its case."""
    same = (ListRow.account_id == account_id) & (func.lower(ListRow.name) == name.lower()) & _IS_THERE
    return session.scalar(select(ListRow.list_id).where(same).limit(1)) is not None


def page_lists(
    session: Session, account_ids: Collection[str], request: PageRequest, status: ListStatus | None = None
) -> Page[DistributionList]:
    """Return one page of the accounts' lists whose name contains the search, exact matches first."""
    wanted: Select[ListRow] = select(ListRow).where(*_conditions(account_ids, request.search, status))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    column = SORTABLE.get(request.sort, ListRow.created_at)
    direction = column.desc() if request.descending else column.asc()
    exact = exact_first(request.search, ListRow.name.expression)
    ordered = wanted.order_by(*exact, direction, ListRow.list_id)
    rows = session.scalars(ordered.offset(request.offset).limit(request.size))
    return Page(tuple(_list(row) for row in rows), total)


def mark_deleting(session: Session, list_id: str) -> None:
    """Let the list be gone for everybody, until its entries are and `delete_list` forgets it."""
    session.execute(update(ListRow).where(ListRow.list_id == list_id).values(status=_DELETING))


def list_deleting(session: Session) -> list[str]:
    """Return the lists that are marked so."""
    return list(session.scalars(select(ListRow.list_id).where(ListRow.status == _DELETING)))


def delete_list(session: Session, list_id: str) -> None:
    """Forget the list's metadata."""
    session.execute(delete(ListRow).where(ListRow.list_id == list_id))


def waiting(now: Moment) -> Select[str]:
    """Find the lists that wait for an import nobody is working on."""
    return select(ListRow.list_id).where(ListRow.status == ListStatus.IN_PROGRESS, is_free(ListRow, now))


def list_waiting(session: Session, now: datetime) -> list[str]:
    """Return the lists that wait for an import nobody is working on, oldest first."""
    return list(session.scalars(waiting(now).order_by(ListRow.created_at)))


def lease_list(session: Session, list_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take, or renew, the right to import the list; False when somebody else has it or it is done."""
    which = (ListRow.list_id == list_id) & (ListRow.status == ListStatus.IN_PROGRESS)
    return take_lease(session, ListRow, which, owner=owner, now=now, until=until)


def record_progress(session: Session, list_id: str, counts: ImportCounts) -> None:
    """Store how far the import has come."""
    session.execute(update(ListRow).where(ListRow.list_id == list_id).values(**vars(counts)))


def finish_import(session: Session, list_id: str, status: ListStatus, fault: str = "", hint: str = "") -> None:
    """Make the list Ready, or Faulted with what is wrong and what to do."""
    session.execute(
        update(ListRow)
        .where(ListRow.list_id == list_id)
        .values(status=status, fault=as_told(fault), hint=as_told(hint), lease_owner="", lease_until=None)
    )


def _conditions(account_ids: Collection[str], search: str, status: ListStatus | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ListRow.account_id.in_(account_ids), _IS_THERE]
    if search.strip():
        conditions.append(contains(ListRow.name.expression, search.strip()))
    if status is not None:
        conditions.append(ListRow.status == status)
    return conditions


def _list(row: ListRow) -> DistributionList:
    return DistributionList(
        list_id=row.list_id,
        account_id=row.account_id,
        name=row.name,
        status=ListStatus(row.status),
        file_name=row.file_name,
        columns=tuple(row.columns),
        read_count=row.read_count,
        entry_count=row.entry_count,
        duplicate_count=row.duplicate_count,
        rejected_count=row.rejected_count,
        progress=row.progress,
        fault=row.fault,
        hint=row.hint,
        created_at=row.created_at,
        created_by=row.created_by,
        hidden_rows=HiddenRows(row.hidden_rows),
    )


def list_entry_counts(session: Session) -> list[tuple[str, str, int]]:
    """Return (list_id, name, entries) of every Ready list."""
    found = select(ListRow.list_id, ListRow.name, ListRow.entry_count).where(ListRow.status == ListStatus.READY)
    return [(list_id, name, count) for list_id, name, count in session.execute(found.order_by(ListRow.name))]


def list_ids(session: Session) -> list[str]:
    """Return the ids of all lists, deleted ones too as long as they are known."""
    return list(session.scalars(select(ListRow.list_id)))
