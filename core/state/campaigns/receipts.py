"""The receipts inbox: what gateways reported, until it is merged into history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, or_, select, text, union_all, update
from sqlalchemy.orm import Session

from core.domain.messages.messages import Receipt
from core.state.tables.base import in_portions, insert_of
from core.state.tables.leases import Moment
from core.state.tables.models import AGAIN, FIRST, LedgerRow, PartIdRow, ReceiptRow

# Whose batch has come into history is tried anew: whoever looked before that must not put it off any more.
NEWS = -1
# By these a receipt names its message.
_MESSAGE = ("gateway", "gateway_message_id")


@dataclass(frozen=True)
class InboxReceipt:
    """A receipt in the inbox with how often it found no message, `NEWS` when its batch has just come."""

    receipt_id: int
    receipt: Receipt
    received_at: datetime
    try_count: int


def add_receipts(session: Session, receipts: Sequence[Receipt], now: datetime) -> None:
    """Land receipts durably; the same one may come many times, and waits once."""
    rows = [vars(receipt) | {"received_at": now, "due_at": now, "try_count": 0} for receipt in receipts]
    if rows:
        # Past the session: its unit of work would double the cost of a row.
        session.connection().execute(insert_of(session)(ReceiptRow).on_conflict_do_nothing(), rows)


def due(now: Moment) -> Select[int]:
    """Find the receipts to merge now."""
    # Each half has an index of its own.
    halves = (select(ReceiptRow.receipt_id).where(text(half), ReceiptRow.due_at <= now) for half in (FIRST, AGAIN))
    return select(union_all(*halves).subquery().c.receipt_id)


def list_due(session: Session, now: datetime, limit: int) -> tuple[InboxReceipt, ...]:
    """
    Return receipts to merge now, those waiting longest first.

    Those that have found no message before come last: they may be hundreds of thousands that never will. One that names
    another part of a long message comes with the message's own id.
    """
    first = _list_due(session, FIRST, now, limit)
    return first + _list_due(session, AGAIN, now, limit - len(first))


def _list_due(session: Session, half: str, now: datetime, limit: int) -> tuple[InboxReceipt, ...]:
    rows = session.execute(
        select(
            ReceiptRow.receipt_id,
            ReceiptRow.received_at,
            ReceiptRow.try_count,
            ReceiptRow.gateway,
            func.coalesce(PartIdRow.known_as, ReceiptRow.gateway_message_id),
            ReceiptRow.receipt_state,
            ReceiptRow.error_code,
            ReceiptRow.done_at,
        )
        .outerjoin(PartIdRow, and_(*(getattr(PartIdRow, name) == getattr(ReceiptRow, name) for name in _MESSAGE)))
        .where(text(half), ReceiptRow.due_at <= now)
        .order_by(ReceiptRow.due_at, ReceiptRow.receipt_id)
        .limit(limit)
    )
    return tuple(
        InboxReceipt(receipt_id, Receipt(gateway, theirs, state, error_code, done_at), received_at, try_count)
        for receipt_id, received_at, try_count, gateway, theirs, state, error_code, done_at in rows
    )


def is_any_due(session: Session, now: datetime) -> bool:
    """Return whether `list_due` would find any."""
    return bool(session.scalar(select(due(now).exists())))


def delete_receipts(session: Session, receipt_ids: Collection[int]) -> None:
    """Forget receipts that are merged."""
    for chunk in in_portions(receipt_ids):
        session.execute(delete(ReceiptRow).where(ReceiptRow.receipt_id.in_(chunk)))


def postpone(session: Session, receipt_ids: Collection[int], try_count: int, due_at: datetime) -> None:
    """
    Try receipts without a message, tried *try_count* times before, again at *due_at*.

    Their batch may not be in history yet. Those whose batch came since they were listed stay due.
    """
    for chunk in in_portions(receipt_ids):
        session.execute(
            update(ReceiptRow)
            .where(ReceiptRow.receipt_id.in_(chunk), ReceiptRow.try_count == try_count)
            .values(due_at=due_at, try_count=try_count + 1),
            execution_options={"synchronize_session": False},
        )


def make_due(session: Session, gateway: str, batch_id: str, now: datetime) -> None:
    """Try what waits for the batch's messages that went by *gateway* at once: they have come into history."""
    theirs = select(LedgerRow.gateway_message_id).where(LedgerRow.batch_id == batch_id, LedgerRow.gateway == gateway)
    of_parts = select(PartIdRow.gateway_message_id).where(PartIdRow.gateway == gateway, PartIdRow.known_as.in_(theirs))
    session.execute(
        update(ReceiptRow)
        .where(ReceiptRow.gateway == gateway, ReceiptRow.gateway_message_id.in_(theirs.union(of_parts)))
        .values(due_at=now, try_count=NEWS),
        execution_options={"synchronize_session": False},
    )


def make_due_of(session: Session, gateway: str, gateway_message_ids: Collection[str], now: datetime) -> None:
    """Try what waits for these messages at once: they have come into history by themselves."""
    for portion in in_portions(gateway_message_ids):
        of_parts = select(PartIdRow.gateway_message_id).where(
            PartIdRow.gateway == gateway, PartIdRow.known_as.in_(portion)
        )
        theirs = or_(ReceiptRow.gateway_message_id.in_(portion), ReceiptRow.gateway_message_id.in_(of_parts))
        session.execute(
            update(ReceiptRow).where(ReceiptRow.gateway == gateway, theirs).values(due_at=now, try_count=NEWS),
            execution_options={"synchronize_session": False},
        )


def is_any_of(session: Session, gateway: str) -> bool:
    """Return whether any receipt of the *gateway* is in the inbox."""
    return bool(session.scalar(select(select(ReceiptRow.receipt_id).where(ReceiptRow.gateway == gateway).exists())))


def count_unmatched(session: Session, gateway: str, most: int) -> int:
    """Return how many receipts of the *gateway* have found no message yet, *most* where there are more."""
    found = select(ReceiptRow.receipt_id).where(ReceiptRow.gateway == gateway, text(AGAIN)).limit(most)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def count_waiting(session: Session) -> int:
    """Return how many receipts are in the inbox."""
    return session.scalar(select(func.count()).select_from(ReceiptRow)) or 0
