"""Rollups and log together equal the messages, whatever is done to them and in whatever order."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.rollups import rollups as rollups_module
from core.history.rollups.rollups import MonthOfCalendar, Rollups
from tests.support.stores.catalogs import seeds
from tests.support.stores.messages import (
    NOW,
    ReceiptUpdate,
    make_random_message,
    make_update,
    merge_receipts,
    message_table,
    unsent_table,
)

ZONES = ("Asia/Kathmandu", "America/St_Johns")
START = datetime(2026, 2, 20, tzinfo=UTC)
SPAN = timedelta(days=40)


def build_all(rollups: Rollups) -> list[MonthOfCalendar]:
    built = rollups.list_unbuilt(ZONES)
    for month in built:
        rollups.build(month)
    return built


def receipt_for(message: dict[str, Any], source: random.Random) -> ReceiptUpdate:
    status = source.choice([DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED, DeliveryStatus.SUBMITTED])
    done_at = message["sent_at"] + timedelta(seconds=source.expovariate(1 / 3000))
    return make_update(status, gateway_message_id=message["gateway_message_id"], done_at=done_at)


@seeds([1, 2])
def test_rollups_equal_the_messages_after_appends_and_late_receipts(lake: Lake, seed: int) -> None:
    source, store, rollups = random.Random(seed), MessageStore(lake), Rollups(lake)
    sent: list[dict[str, Any]] = []
    for number in range(6):
        fresh = [make_random_message(source, START, SPAN) for _ in range(60)]
        sent += fresh
        store.append_batch(f"batch-{number}", "campaign-1", message_table(*fresh), unsent_table(), NOW)
        due = source.sample(sent, 40)
        merge_receipts(store, [receipt_for(message, source) for message in due], lookback=timedelta(days=200))
        if source.random() < 0.5:
            rollups.fold()
        if source.random() < 0.4:
            build_all(rollups)
    build_all(rollups)
    differences = dict(rollups.verify())
    assert {month.calendar for month in differences} >= {"UTC", *ZONES}
    assert set(differences.values()) == {0}
    assert rollups.count_logged() == 0


def test_a_month_patched_again_and_again_is_written_anew(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 6
    monkeypatch.setattr(rollups_module, "MOST_PATCHES", most)
    source, store, rollups = random.Random(3), MessageStore(lake), Rollups(lake)
    for number in range(most + 3):
        # Each time another day, whose rows are too many for the catalog: what is written is a file that stays.
        day = START + timedelta(days=number)
        messages = [make_random_message(source, day, timedelta(days=1)) for _ in range(30)]
        store.append_batch(f"batch-{number}", "campaign-1", message_table(*messages), unsent_table(), NOW)
        rollups.fold()
        if not number:
            for month in rollups.list_unbuilt([]):
                rollups.build(month)
    with lake.read() as cursor:
        (files,) = cursor.execute("SELECT count(*) FROM ducklake_list_files('lake', 'series_delay_days')").fetchone()
    assert files < most
    assert {count for _, count in rollups.verify()} == {0}


def test_verify_counts_what_differs_and_building_again_repairs_it(lake: Lake) -> None:
    source, store, rollups = random.Random(7), MessageStore(lake), Rollups(lake)
    messages = [make_random_message(source, START, SPAN) for _ in range(50)]
    store.append_batch("batch-1", "campaign-1", message_table(*messages), unsent_table(), NOW)
    rollups.fold()
    build_all(rollups)
    lake.write(
        lambda cursor: cursor.execute("UPDATE lake.series_days SET sent = sent + 1 WHERE calendar = 'UTC'") and None
    )
    wrong = [month for month, count in rollups.verify() if count]
    assert wrong
    assert {month.calendar for month in wrong} == {"UTC"}
    for month in wrong:
        rollups.build(month, again=True)
    assert not [month for month, count in rollups.verify() if count]
