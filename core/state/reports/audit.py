"""The audit's lines: added, listed, never changed."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, AuditEntry, AuditFilter, Subject
from core.identifiers import new_id
from core.state.tables.people_models import AuditRow
from core.state.tables.search import contains

_NAME_MAX, _ADDRESS_MAX = 254, 64


def record(
    session: Session,
    viewer: Viewer,
    action: Action,
    subject: Subject,
    now: datetime,
    details: Mapping[str, str] | None = None,
) -> None:
    """Add a line, in the transaction of what it is about: both are there or neither."""
    session.add(
        AuditRow(
            entry_id=new_id(),
            at=now,
            user_id=viewer.user_id,
            who=viewer.name[:_NAME_MAX],
            action=action,
            subject_kind=subject.kind,
            subject_id=subject.subject_id,
            subject_name=subject.name[:_NAME_MAX],
            address=viewer.address[:_ADDRESS_MAX],
            details=dict(details or {}),
        )
    )


def list_entries(session: Session, wanted: AuditFilter, limit: int, offset: int) -> list[AuditEntry]:
    """Return up to *limit* lines after the first *offset*, newest first."""
    rows = session.scalars(_found(wanted).order_by(*_NEWEST).limit(limit).offset(offset))
    return [_entry(row) for row in rows]


def find_last(session: Session, kind: str, subject_id: str) -> AuditEntry | None:
    """Return the newest line about this subject, or None."""
    mine = select(AuditRow).where(AuditRow.subject_kind == kind, AuditRow.subject_id == subject_id)
    row = session.scalars(mine.order_by(*_NEWEST).limit(1)).first()
    return None if row is None else _entry(row)


def count_entries(session: Session, wanted: AuditFilter) -> int:
    """Return how many lines there are."""
    return session.scalar(select(func.count()).select_from(_found(wanted).subquery())) or 0


def stream_entries(session: Session, wanted: AuditFilter) -> Iterator[AuditEntry]:
    """Yield all lines, newest first, a thousand in memory at a time."""
    for row in session.scalars(_found(wanted).order_by(*_NEWEST).execution_options(yield_per=1_000)):
        yield _entry(row)


_NEWEST = (AuditRow.at.desc(), AuditRow.entry_id.desc())


def _found(wanted: AuditFilter) -> Select[AuditRow]:
    found = select(AuditRow)
    if wanted.start:
        found = found.where(AuditRow.at >= wanted.start)
    if wanted.end:
        found = found.where(AuditRow.at < wanted.end)
    if wanted.action:
        found = found.where(AuditRow.action == wanted.action)
    if wanted.text.strip():
        text = wanted.text.strip()
        found = found.where(contains(AuditRow.who.expression, text) | contains(AuditRow.subject_name.expression, text))
    return found


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        entry_id=row.entry_id,
        at=row.at,
        user_id=row.user_id,
        who=row.who,
        action=Action(row.action),
        subject=Subject(row.subject_kind, row.subject_id, row.subject_name),
        address=row.address,
        details=row.details,
    )
