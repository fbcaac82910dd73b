"""A lake with many small files: batches appended one by one, receipts merged over them, the log folded meanwhile."""

import random
from datetime import timedelta
from typing import Any

from core.domain.messages.messages import DeliveryStatus
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.rollups.rollups import Rollups
from tests.support.stores.messages import (
    NOW,
    ReceiptUpdate,
    make_message,
    make_unsent,
    make_update,
    merge_receipts,
    message_table,
    unsent_table,
)

ROWS = 15
# The batches' messages lie in two months.
DAYS_APART = 25


def append_batches(lake: Lake, count: int, first: int = 0, *, receipts: bool = True) -> list[dict[str, Any]]:
    """Append batches of `ROWS` messages and return these; of every third one receipts come, in small lots."""
    store, rollups, source = MessageStore(lake), Rollups(lake), random.Random(first)
    sent: list[dict[str, Any]] = []
    for number in range(first, first + count):
        sent_at = NOW + timedelta(days=DAYS_APART * (number % 2), seconds=number)
        fresh = [make_message(sent_at=sent_at, campaign_id=f"campaign-{number}") for _ in range(ROWS)]
        sent += fresh
        store.append_batch(
            f"batch-{number}", f"campaign-{number}", message_table(*fresh), unsent_table(make_unsent()), NOW
        )
        if receipts and number % 4 == 3:
            due = source.sample(sent, min(len(sent), ROWS * 2))
            merge_receipts(store, [receipt_for(message) for message in due], lookback=timedelta(days=100))
        if receipts and number % 8 == 7:
            if number == 7:
                build_missing(rollups)
            rollups.fold()
    return sent


def receipt_for(message: dict[str, Any]) -> ReceiptUpdate:
    done_at = message["sent_at"] + timedelta(seconds=3)
    names = {name: message[name] for name in ("gateway", "gateway_message_id")}
    return make_update(DeliveryStatus.DELIVERED, done_at=done_at, **names)


def build_missing(rollups: Rollups) -> None:
    for month in rollups.list_unbuilt([]):
        rollups.build(month)


def everything_in(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, sorted: what maintenance must leave as it is."""
    with lake.read() as cursor:
        tables = cursor.execute("SELECT table_name FROM ducklake_table_info('lake')").fetchall()
        return {
            name: sorted(cursor.execute(f"SELECT COLUMNS(*)::VARCHAR FROM lake.{name}").fetchall(), key=repr)
            for (name,) in tables
        }
