"""Exports people asked for: the questions, how far their files are, and until when they are kept."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from core.domain.reports.exports import MOVES, Export, ExportFormat, ExportStatus
from core.domain.words.control_characters import as_told
from core.state.tables.counted import hold_person
from core.state.tables.leases import Moment, give_back, is_free, renew_lease, take_lease
from core.state.tables.models import ExportRow

_UNFINISHED = [status for status, moves in MOVES.items() if moves]


def add_export(session: Session, new: Export, most: int) -> bool:
    """
    Add the export as it stands in *new*; False, with nothing added, where *most* of the person's are not written yet.

    Raises: NotFound: there is no such person any more.
    """
    hold_person(session, new.user_id)
    unfinished = select(func.count()).where(ExportRow.user_id == new.user_id, ExportRow.status.in_(_UNFINISHED))
    if (session.scalar(unfinished) or 0) >= most:
        return False
    session.add(ExportRow(**vars(new) | {"account_ids": list(new.account_ids)}))
    session.flush()
    return True


def find_export(session: Session, export_id: str) -> Export | None:
    """Return the export, or None when there is none of that id (any more)."""
    row = session.get(ExportRow, export_id)
    return _export(row) if row else None


# Asked for by every page, so made once, and without the ORM's books of rows that nobody changes.
_LATEST = (
    select(*ExportRow.__table__.columns)
    .where(ExportRow.user_id == bindparam("user_id"))
    .order_by(ExportRow.export_id.desc())
    .limit(bindparam("limit"))
)


def list_exports(session: Session, user_id: str, limit: int) -> list[Export]:
    """Return the person's latest exports, newest first."""
    return [_export(row) for row in session.execute(_LATEST, {"user_id": user_id, "limit": limit})]


def waiting(now: Moment) -> Select[str]:
    """Find the exports that are to be written and that nobody works on."""
    return select(ExportRow.export_id).where(ExportRow.status.in_(_UNFINISHED), is_free(ExportRow, now))


def list_waiting(session: Session, now: datetime) -> list[str]:
    """Return the exports that are to be written and that nobody works on, oldest first."""
    return list(session.scalars(waiting(now).order_by(ExportRow.export_id)))


def lease_export(session: Session, export_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take the export and let it be Running; False when somebody else has it, or it has ended or is gone."""
    which = (ExportRow.export_id == export_id) & ExportRow.status.in_(_UNFINISHED)
    taken = take_lease(session, ExportRow, which, owner=owner, now=now, until=until)
    if taken:
        session.execute(update(ExportRow).where(which).values(status=ExportStatus.RUNNING))
    return taken


def renew_export(session: Session, export_id: str, owner: str, until: datetime) -> bool:
    """Keep the export; False when somebody else has taken it."""
    return renew_lease(session, ExportRow, ExportRow.export_id == export_id, owner=owner, until=until)


def record_progress(session: Session, export_id: str, row_count: int, total_count: int) -> None:
    """Note how many rows are written, of how many."""
    changed = {"row_count": row_count, "total_count": total_count}
    session.execute(update(ExportRow).where(ExportRow.export_id == export_id).values(**changed))


def record_end(session: Session, ended: Export, owner: str) -> None:
    """Note how the export ended: status, counts, fault, hint, what it shows and when it expires."""
    kept = ("status", "row_count", "total_count", "byte_count", "fault", "hint", "shows_numbers", "expires_at")
    values = {name: getattr(ended, name) for name in kept} | {"account_ids": list(ended.account_ids)}
    values |= {"fault": as_told(ended.fault), "hint": as_told(ended.hint)}
    session.execute(update(ExportRow).where(ExportRow.export_id == ended.export_id).values(**values))
    give_back(session, ExportRow, ExportRow.export_id == ended.export_id, owner=owner)


def list_expired(session: Session, now: datetime) -> list[str]:
    """Return the exports whose time is over."""
    return list(session.scalars(select(ExportRow.export_id).where(ExportRow.expires_at <= now)))


def list_kept(session: Session, export_ids: Iterable[str]) -> set[str]:
    """Return which of *export_ids* there still are."""
    return set(session.scalars(select(ExportRow.export_id).where(ExportRow.export_id.in_(list(export_ids)))))


def delete_export(session: Session, export_id: str) -> None:
    """Forget the export; harmless when it is gone."""
    session.execute(delete(ExportRow).where(ExportRow.export_id == export_id))


def _export(row: ExportRow | Row[*tuple[Any, ...]]) -> Export:
    return Export(
        export_id=row.export_id,
        user_id=row.user_id,
        name=row.name,
        format=ExportFormat(row.format),
        request=row.request,
        status=ExportStatus(row.status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        row_count=row.row_count,
        total_count=row.total_count,
        byte_count=row.byte_count,
        fault=row.fault,
        hint=row.hint,
        account_ids=tuple(row.account_ids),
        shows_numbers=row.shows_numbers,
    )
