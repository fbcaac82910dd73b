"""
Times that lie further ahead than they can: stored before the clock was set back.

None of them is waited for. A lease is cut to what one lasts from now, so that a live owner renews it in time and a dead
one's runs out; the rest is brought back to now, or to the longest it can be from now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause, update
from sqlalchemy import text as condition
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.state.people.links import Purpose
from core.state.tables.base import count_changed
from core.state.tables.gateway_models import ReplyRow
from core.state.tables.leases import LEASED
from core.state.tables.models import AGAIN, FIRST, ExportRow, ReceiptRow
from core.state.tables.people_models import AttemptRow, LinkRow, SessionRow

# Two processes read the store's clock a little apart: such a difference needs no mending.
LEEWAY = timedelta(minutes=1)


@dataclass(frozen=True)
class Furthest:
    """How far ahead of now each kind of time can lie."""

    lease: timedelta
    receipt: timedelta
    reply: timedelta
    attempt: timedelta
    export: timedelta
    invitation: timedelta
    link: timedelta


def mend_times(session: Session, now: datetime, furthest: Furthest) -> int:
    """Bring every time back that lies further ahead than it can; return how many there were."""
    ends = [(table.lease_until, now + furthest.lease) for table in LEASED]
    ends += [
        (AttemptRow.blocked_until, now + furthest.attempt),
        (ExportRow.expires_at, now + furthest.export),
        # Nobody is active, and no session begins, in time to come: it would outlive its end by the difference.
        (SessionRow.active_at, now),
        (SessionRow.created_at, now),
    ]
    mended = sum(_cut(session, column, end, end) for column, end in ends)
    for purpose in Purpose:
        end = now + (furthest.invitation if purpose is Purpose.INVITATION else furthest.link)
        mended += _cut(session, LinkRow.expires_at, end, end, LinkRow.purpose == purpose)
    # When they were to be tried again is no longer known: at once. The first try is due at once, too.
    mended += _cut(session, ReceiptRow.due_at, now, now, condition(FIRST))
    mended += _cut(session, ReceiptRow.due_at, now + furthest.receipt, now, condition(AGAIN))
    mended += _cut(session, ReplyRow.due_at, now, now, ReplyRow.stored_at > now + LEEWAY)
    return mended + _cut(session, ReplyRow.due_at, now + furthest.reply, now)


def _cut(
    session: Session,
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    furthest: datetime,
    instead: datetime,
    *which: ColumnElement[bool] | TextClause,
) -> int:
    statement = update(column.class_).where(column > furthest + LEEWAY, *which).values({column.key: instead})
    return count_changed(session, statement)
