import random
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import Settled, merge, settle
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.messages.queries import MessageQueries
from core.history.rollups.adding_up import RollupReader
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

PERIOD = Period(NOW - timedelta(days=60), NOW + timedelta(days=60))
EVERYTHING = MessageQuery(frozenset({"account-1"}), PERIOD)
NO_MESSAGES, NO_UNSENT = message_table(), unsent_table()


def stored(lake: Lake) -> dict[str, dict]:
    rows = MessageQueries(RollupReader(lake, 1 << 20)).page(EVERYTHING, 1_000_000, 0).table.to_pylist()
    return {row["gateway_message_id"]: row for row in rows}


def make_receipt(
    key: str, status: DeliveryStatus, seconds: int = 0, error_code: str = "", **overrides: Any
) -> ReceiptUpdate:
    done_at = NOW + timedelta(seconds=seconds)
    return make_update(status, gateway_message_id=key, error_code=error_code, done_at=done_at, **overrides)


def kept(lake: Lake, order: str = "receipt_no") -> list[dict]:
    with lake.read() as cursor:
        return cursor.execute(f"FROM lake.receipts ORDER BY {order}").to_arrow_table().to_pylist()


def test_a_message_comes_back_as_it_went_in(lake: Lake) -> None:
    message = make_message(
        sent_at=datetime(2026, 3, 10, 12, 0, 0, 123456, UTC),
        delivered_at=NOW,
        delivery_status="Delivered",
        price_eur_cents=Decimal("0.0001"),
        unicode=True,
        sender="Ünï 'quoted' %_",
    )
    assert MessageStore(lake).append_batch("batch-1", "campaign-1", message_table(message), NO_UNSENT, NOW)
    assert MessageQueries(RollupReader(lake, 1 << 20)).page(EVERYTHING, 10, 0).table.to_pylist() == [message]


def test_a_batch_is_appended_once(lake: Lake) -> None:
    store = MessageStore(lake)
    messages = message_table(*(make_message() for _ in range(50)))
    unsent = unsent_table(make_unsent(), make_unsent(outcome="unknown", reason=""))
    assert not store.is_appended("batch-1")
    assert store.append_batch("batch-1", "campaign-1", messages, unsent, NOW) is True
    assert store.append_batch("batch-1", "campaign-1", messages, unsent, NOW) is False
    assert store.is_appended("batch-1")
    assert MessageQueries(RollupReader(lake, 1 << 20)).count(EVERYTHING) == 50
    with lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.unsent").fetchone() == (2,)
        tags = cursor.execute("SELECT * FROM lake.appended_batches").fetchall()
    assert tags == [("batch-1", "campaign-1", 50, NOW.replace(tzinfo=None))]


def test_a_batch_of_nothing_but_unsent_rows_is_tagged_too(lake: Lake) -> None:
    store = MessageStore(lake)
    assert store.append_batch("batch-1", "campaign-1", NO_MESSAGES, unsent_table(make_unsent()), NOW)
    assert store.is_appended("batch-1")


def test_columns_may_come_in_any_order_and_missing_ones_are_refused(lake: Lake) -> None:
    store = MessageStore(lake)
    table = message_table(make_message())
    store.append_batch("batch-1", "campaign-1", table.select(table.schema.names[::-1]), NO_UNSENT, NOW)
    with pytest.raises(KeyError, match="receiver"):
        store.append_batch("batch-2", "campaign-1", table.drop_columns(["receiver"]), NO_UNSENT, NOW)
    assert not store.is_appended("batch-2")


def test_a_receipt_settles_its_message_and_says_it_was_found(lake: Lake) -> None:
    store = MessageStore(lake)
    table = message_table(make_message(gateway_message_id="a"), make_message(gateway_message_id="b"))
    store.append_batch("batch-1", "campaign-1", table, NO_UNSENT, NOW)
    receipts = [
        make_receipt("a", DeliveryStatus.DELIVERED, 5, "000"),
        make_receipt("nobody", DeliveryStatus.DELIVERED),
        make_receipt("b", DeliveryStatus.DELIVERED, gateway="another gateway"),
    ]
    assert merge_receipts(store, receipts) == {("simulator", "a")}
    rows = stored(lake)
    assert (rows["a"]["delivery_status"], rows["a"]["error_code"]) == ("Delivered", "000")
    assert rows["a"]["delivered_at"] == NOW + timedelta(seconds=5)
    assert (rows["b"]["delivery_status"], rows["b"]["delivered_at"]) == ("Submitted", None)


def test_a_receipt_merged_again_is_found_and_rewrites_nothing(lake: Lake) -> None:
    store = MessageStore(lake)
    store.append_batch("batch-1", "campaign-1", message_table(make_message(gateway_message_id="a")), NO_UNSENT, NOW)
    receipt = make_receipt("a", DeliveryStatus.DELIVERED)
    merge_receipts(store, [receipt])
    before = snapshot(lake)
    assert merge_receipts(store, [receipt, receipt]) == {("simulator", "a")}
    assert snapshot(lake) == before


def test_a_late_receipt_does_not_reopen_a_delivered_message(lake: Lake) -> None:
    store = MessageStore(lake)
    store.append_batch("batch-1", "campaign-1", message_table(make_message(gateway_message_id="a")), NO_UNSENT, NOW)
    merge_receipts(store, [make_receipt("a", DeliveryStatus.DELIVERED, 5)])
    merge_receipts(
        store, [make_receipt("a", DeliveryStatus.UNDELIVERED, 9, "27"), make_receipt("a", DeliveryStatus.SUBMITTED)]
    )
    row = stored(lake)["a"]
    assert (row["delivery_status"], row["error_code"]) == ("Delivered", "")


def test_a_message_sent_long_before_its_receipt_is_found_only_when_looked_for(lake: Lake) -> None:
    store = MessageStore(lake)
    old = make_message(gateway_message_id="old", sent_at=NOW - timedelta(days=20))
    store.append_batch("batch-1", "campaign-1", message_table(old), NO_UNSENT, NOW)
    receipt = make_receipt("old", DeliveryStatus.DELIVERED)
    assert merge_receipts(store, [receipt]) == set()
    assert merge_receipts(store, [receipt], lookback=timedelta(days=30)) == {("simulator", "old")}


def test_no_receipts_are_no_work(lake: Lake) -> None:
    assert merge_receipts(MessageStore(lake), []) == set()


@pytest.mark.parametrize("seed", range(2))
def test_receipts_in_any_order_batches_and_number_end_as_the_domain_says(lake: Lake, seed: int) -> None:
    source = random.Random(seed)
    keys = [f"message-{number}" for number in range(60)]
    # Over three months, so that the rows of one update lie in several partitions.
    table = message_table(
        *(make_message(gateway_message_id=key, sent_at=NOW - timedelta(days=source.randrange(60))) for key in keys)
    )
    store = MessageStore(lake)
    store.append_batch("batch-1", "campaign-1", table, NO_UNSENT, NOW)
    receipts = [
        make_receipt(
            source.choice(keys),
            source.choice(list(DeliveryStatus)),
            source.randrange(5),
            source.choice(["", "1", "27"]),
        )
        for _ in range(300)
    ]
    expected = {key: Settled(DeliveryStatus.SUBMITTED) for key in keys}
    for update in receipts:
        key = update.receipt.gateway_message_id
        expected[key] = merge(expected[key], settle(update.receipt))
    deliveries = receipts + source.sample(receipts, 100)
    source.shuffle(deliveries)
    while deliveries:
        size = source.randrange(1, 80)
        merge_receipts(store, deliveries[:size], lookback=timedelta(days=70))
        deliveries = deliveries[size:]
    assert {
        key: Settled(DeliveryStatus(row["delivery_status"]), row["error_code"], row["delivered_at"])
        for key, row in stored(lake).items()
    } == expected
    said = [tuple(row[name] for name in asdict(receipts[0].receipt)) for row in kept(lake)]
    assert len(said) == len(set(said))
    assert set(said) == {
        astuple(replace(update.receipt, done_at=update.receipt.done_at.replace(tzinfo=None))) for update in receipts
    }


def test_receipts_are_kept_as_they_came(lake: Lake) -> None:
    store = MessageStore(lake)
    message = make_message(gateway_message_id="a")
    store.append_batch("batch-1", "campaign-1", message_table(message), NO_UNSENT, NOW)
    came = [
        make_receipt("a", DeliveryStatus.DELIVERED, 5, "000"),
        make_receipt("a", DeliveryStatus.SUBMITTED, 2, receipt_state=" enroute "),
        make_receipt("a", DeliveryStatus.SUBMITTED, 9, receipt_state="BUFFRD ÿ"),
        make_receipt("a", DeliveryStatus.DELIVERED, 6, "000"),
        make_receipt("a", DeliveryStatus.UNDELIVERED, 7, "27"),
        make_receipt("nobody", DeliveryStatus.DELIVERED),
    ]
    merge_receipts(store, came[:2])
    merge_receipts(store, came[2:])
    of_a = [update for update in came if update.receipt.gateway_message_id == "a"]
    assert kept(lake) == [
        {
            "message_id": message["message_id"],
            "sent_at": message["sent_at"].replace(tzinfo=None),
            "receipt_no": update.receipt_no,
            **asdict(update.receipt),
            "done_at": update.receipt.done_at.replace(tzinfo=None),
            "received_at": update.received_at.replace(tzinfo=None),
        }
        for update in of_a
    ]


def test_a_receipt_that_comes_again_is_kept_once(lake: Lake) -> None:
    store = MessageStore(lake)
    store.append_batch("batch-1", "campaign-1", message_table(make_message(gateway_message_id="a")), NO_UNSENT, NOW)
    receipt = make_receipt("a", DeliveryStatus.DELIVERED)
    # Fetched anew it has another number, and another time at which it reached us.
    again = replace(receipt, received_at=receipt.received_at + timedelta(minutes=1), receipt_no=receipt.receipt_no + 1)
    merge_receipts(store, [receipt])
    first = kept(lake)
    merge_receipts(store, [again, again, receipt])
    assert kept(lake) == first
    later = make_receipt("a", DeliveryStatus.DELIVERED, 1)
    merge_receipts(store, [later, replace(later, receipt_no=later.receipt_no + 1)])
    assert len(kept(lake)) == 2


def snapshot(lake: Lake) -> int:
    with lake.read() as cursor:
        return cursor.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()[0]
