"""Imports of suppressions: what was uploaded, and how far each is."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import (
    EVERYWHERE,
    SuppressionCounts,
    SuppressionImport,
)
from core.domain.accounts.suppressions import SuppressionImportStatus as Status
from core.domain.imports.lists import HiddenRows
from core.domain.words.control_characters import as_told
from core.errors import NotFound
from core.state.suppressions.suppressions import ensure_scope
from core.state.tables.leases import Moment, is_free, take_lease
from core.state.tables.suppression_models import SuppressionImportRow as Row
from core.state.tables.suppression_models import SuppressionScopeRow


def add_import(session: Session, new: SuppressionImport) -> None:
    """Add the import as it stands in *new*."""
    facts = {name: value for name, value in vars(new).items() if name not in {"account_id", "counts"}}
    session.add(Row(**facts, **_count_columns(new.counts), scope_no=ensure_scope(session, new.account_id)))
    session.flush()


def get_import(session: Session, import_id: str) -> SuppressionImport:
    """Return the import. Raises: NotFound."""
    found = session.execute(_asked().where(Row.import_id == import_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such import.")
    row, account_id = found
    return _import(row, account_id)


def list_imports(session: Session, account_ids: Collection[str], most: int) -> tuple[SuppressionImport, ...]:
    """Return the newest imports for these accounts and for all."""
    mine = SuppressionScopeRow.account_id.in_(account_ids) | SuppressionScopeRow.account_id.is_(None)
    rows = session.execute(_asked().where(mine).order_by(Row.created_at.desc(), Row.import_id).limit(most))
    return tuple(_import(row, account_id) for row, account_id in rows)


def waiting(now: Moment) -> Select[str]:
    """Find the imports that wait for a worker."""
    return select(Row.import_id).where(Row.status == Status.IN_PROGRESS, is_free(Row, now))


def list_waiting(session: Session, now: datetime) -> list[str]:
    """Return the imports that wait for a worker, oldest first."""
    return list(session.scalars(waiting(now).order_by(Row.created_at)))


def lease_import(session: Session, import_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take, or renew, the right to import the file; False when somebody else has it or it is done."""
    which = (Row.import_id == import_id) & (Row.status == Status.IN_PROGRESS)
    return take_lease(session, Row, which, owner=owner, now=now, until=until)


def note_origin(session: Session, import_id: str, origin_no: int) -> None:
    """Store what its numbers are part of: whoever begins anew goes on with it."""
    session.execute(update(Row).where(Row.import_id == import_id).values(origin_no=origin_no))


def record_progress(session: Session, import_id: str, counts: SuppressionCounts, progress: float) -> None:
    """Store how far the import has come."""
    values = {**_count_columns(counts), "progress": progress}
    session.execute(update(Row).where(Row.import_id == import_id).values(values))


def finish_import(
    session: Session, import_id: str, status: Status, now: datetime, *, fault: str = "", hint: str = ""
) -> None:
    """Store how the import ended."""
    told = {"fault": as_told(fault), "hint": as_told(hint), "finished_at": now}
    session.execute(
        update(Row).where(Row.import_id == import_id).values(status=status, **told, lease_owner="", lease_until=None)
    )


def _asked() -> Select[Row, str | None]:
    return select(Row, SuppressionScopeRow.account_id).join(
        SuppressionScopeRow, SuppressionScopeRow.scope_no == Row.scope_no
    )


def _count_columns(counts: SuppressionCounts) -> dict[str, int]:
    return {f"{name}_count": value for name, value in vars(counts).items()}


def _import(row: Row, account_id: str | None) -> SuppressionImport:
    return SuppressionImport(
        import_id=row.import_id,
        account_id=account_id or EVERYWHERE,
        file_name=row.file_name,
        reason=row.reason,
        hidden_rows=HiddenRows(row.hidden_rows),
        status=Status(row.status),
        created_at=row.created_at,
        created_by=row.created_by,
        counts=SuppressionCounts(
            row.read_count, row.added_count, row.known_count, row.repeated_count, row.rejected_count
        ),
        progress=row.progress,
        fault=row.fault,
        hint=row.hint,
        finished_at=row.finished_at,
        origin_no=row.origin_no,
    )
