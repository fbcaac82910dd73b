"""The receipts inbox: what gateways reported, until it is merged into history."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.domain.messages.messages import Receipt
from core.state.engine.prepared import Prepared
from core.state.tables.base import UtcDateTime, in_portions, insert_of
from core.state.tables.leases import Moment
from core.state.tables.models import AGAIN, FIRST, LedgerRow, PartIdRow, ReceiptRow

# Whose batch has come into history is tried anew: whoever looked before that must not put it off any more.
NEWS = -1
# By these a receipt names its message.
_MESSAGE = ("gateway", "gateway_message_id")
_READ_AT_ONCE = 5_000


class InboxReceipt(NamedTuple):
    """
    A receipt in the inbox with how often it found no message, `NEWS` when its batch has just come.

    Tens of thousands are read at once, and hardly one is looked at by itself: so what it says lies open in columns, and
    *receipt* makes a thing of it.
    """

    receipt_id: int
    received_at: datetime
    try_count: int
    gateway: str
    gateway_message_id: str
    receipt_state: str
    error_code: str
    done_at: datetime

    @property
    def receipt(self) -> Receipt:
        """The receipt as the gateway sent it."""
        return Receipt(self.gateway, self.gateway_message_id, self.receipt_state, self.error_code, self.done_at)


_ROW = ReceiptRow.__table__.c
_INSERTED = [
    "gateway",
    "gateway_message_id",
    "receipt_state",
    "error_code",
    "done_at",
    "received_at",
    "due_at",
    "try_count",
]


@cache
def _insert(insert: Callable[..., sqlite.Insert | postgresql.Insert]) -> Prepared:
    new = insert(ReceiptRow).values({name: bindparam(name) for name in _INSERTED})
    return Prepared(new.on_conflict_do_nothing(), _INSERTED)


def _due_of(half: str) -> Prepared:
    """Return the question for those of a *half* that are due at a time, so many at most after those seen already."""
    theirs = func.coalesce(PartIdRow.known_as, _ROW.gateway_message_id)
    return Prepared(
        select(*(theirs if name == "gateway_message_id" else _ROW[name] for name in InboxReceipt._fields))
        .outerjoin(PartIdRow, and_(*(getattr(PartIdRow, name) == _ROW[name] for name in _MESSAGE)))
        .where(text(half), _ROW.due_at <= bindparam("now", type_=UtcDateTime()))
        .order_by(_ROW.due_at, _ROW.receipt_id)
        .limit(bindparam("most", type_=Integer()))
        .offset(bindparam("seen", type_=Integer())),
        ("now", "most", "seen"),
    )


_DUE_FIRST, _DUE_AGAIN = _due_of(FIRST), _due_of(AGAIN)


def add_receipts(session: Session, receipts: Sequence[Receipt], now: datetime) -> None:
    """Land receipts durably; the same one may come many times, and waits once."""
    count = len(receipts)
    if count:
        _insert(insert_of(session)).run_many(
            session,
            [receipt.gateway for receipt in receipts],
            [receipt.gateway_message_id for receipt in receipts],
            [receipt.receipt_state for receipt in receipts],
            [receipt.error_code for receipt in receipts],
            [receipt.done_at for receipt in receipts],
            [now] * count,
            [now] * count,
            [0] * count,
        )


def due(now: Moment) -> Select[int]:
    """Find the receipts to merge now."""
    # Each half has an index of its own.
    halves = (select(ReceiptRow.receipt_id).where(text(half), ReceiptRow.due_at <= now) for half in (FIRST, AGAIN))
    return select(union_all(*halves).subquery().c.receipt_id)


def read_due(session: Session, now: datetime, limit: int) -> Iterator[tuple[InboxReceipt, ...]]:
    """
    Yield receipts to merge now, those waiting longest first, some thousands at a time: together they take much memory.

    Those that have found no message before come last: they may be hundreds of thousands that never will. One that names
    another part of a long message comes with the message's own id.
    """
    for half in (_DUE_FIRST, _DUE_AGAIN):
        seen = 0
        while limit > 0 and (rows := half.fetch(session, now, min(limit, _READ_AT_ONCE), seen)):
            yield tuple(map(InboxReceipt._make, rows))
            seen += len(rows)
            limit -= len(rows)


def is_any_due(session: Session, now: datetime) -> bool:
    """Return whether `read_due` would find any."""
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
