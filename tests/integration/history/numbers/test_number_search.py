"""Where a number is searched is where its messages are, whatever came when and whatever of it is indexed."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.messages.queries import MessageQueries
from core.history.numbers.number_index import FEWEST_LATE, MOST_FILES_OPEN, SETTLING, NumberIndex
from core.history.numbers.number_search import MOMENT, SLOT, find_stretches
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.rollups import Rollups
from tests.support.stores.catalogs import seeds
from tests.support.stores.messages import (
    NOW,
    make_message,
    make_random_message,
    make_update,
    merge_receipts,
    message_table,
    unsent_table,
)

START = datetime(2026, 2, 22, tzinfo=UTC)
SPAN = timedelta(days=16)
END = START + SPAN
EVERYTHING = Period(START - timedelta(days=400), END + timedelta(days=400))
TODAY = NOW.date()
MONTHS = date(2026, 2, 1), date(2026, 3, 1)
AFTER = datetime(2026, 4, 2, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _not_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index be asked for counts too, however few messages there are."""
    monkeypatch.setattr("core.history.messages.paging.SMALL_HISTORY", 0)


def make_receiver(source: random.Random) -> str:
    """Return a number of 7 to 15 digits, mostly of few different digits, or something that is none."""
    digits = "".join(source.choice("001234") for _ in range(source.randrange(7, 16)))
    odd = [digits[:5], f"{digits}x{digits[::-1]}", "Heliograph", "", f"{digits}{digits}", digits, f"+{digits}", "+"]
    return source.choice(odd) if source.random() < 0.2 else f"+{digits}"


def make_part(source: random.Random, sent: Sequence[Row]) -> str:
    """Return what people may look for: a piece of a number that was sent to, or of one that was not."""
    receiver = source.choice(sent)["receiver"] if source.random() < 0.8 else make_receiver(source)
    first = source.choice([0, 0, 1, source.randrange(max(1, len(receiver)))])
    part = receiver[first:]
    return part if source.random() < 0.5 else part[: source.randrange(6, 12)]


def make_period(source: random.Random) -> Period:
    if source.random() < 0.3:
        return EVERYTHING
    start = START + source.random() * SPAN
    return Period(start, start + timedelta(days=source.choice([0.005, 0.3, 2, 9])))


def append(lake: Lake, number: int, rows: Sequence[Row]) -> None:
    MessageStore(lake).append_batch(f"batch-{number}", "campaign-1", message_table(*rows), unsent_table(), NOW)


def look_for(lake: Lake, part: str, period: Period) -> list[Period] | None:
    with lake.read() as cursor:
        return find_stretches(cursor, part, period)


def check(lake: Lake, sent: Sequence[Row], source: random.Random) -> None:
    for _ in range(3):
        part, period = make_part(source, sent), make_period(source)
        stretches = look_for(lake, part, period)
        if stretches is None:
            continue
        for newer, older in pairwise(stretches):
            assert older.end < newer.start
        assert all(period.start <= stretch.start < stretch.end <= period.end for stretch in stretches)
        for row in sent:
            if part in row["receiver"] and period.start <= row["sent_at"] < period.end:
                assert any(stretch.start <= row["sent_at"] < stretch.end for stretch in stretches), (part, row)


def compare(lake: Lake, sent: Sequence[Row], source: random.Random) -> None:
    """Compare pages and counts with what was sent."""
    queries = MessageQueries(RollupReader(lake, 1 << 20))
    for _ in range(3):
        part, period = make_part(source, sent), make_period(source)
        query = MessageQuery(frozenset({"account-0", "account-1"}), period, receiver=f" {part[:3]} {part[3:]}")
        expected = sorted(
            (
                (row["sent_at"], row["message_id"])
                for row in sent
                if part in row["receiver"]
                and period.start <= row["sent_at"] < period.end
                and row["account"] in query.account_ids
            ),
            reverse=True,
        )
        assert queries.count(query) == len(expected)
        offset, limit = source.choice([(0, 15), (0, 1), (1, 2), (40, 15)])
        found = queries.page(query, limit, offset).table.to_pylist()
        assert [(row["sent_at"], row["message_id"]) for row in found] == expected[offset : offset + limit]


def work(lake: Lake, sent: Sequence[Row], now: datetime, source: random.Random) -> None:
    """Do one of the things that happen to a lake besides new messages."""
    if source.random() < 0.5:
        work_on_index(NumberIndex(lake), now, source)
        return
    rollups = Rollups(lake)
    if source.random() < 0.3:
        rollups.fold()
    for month in rollups.list_unbuilt([])[:2]:
        rollups.build(month, again=source.random() < 0.5)
    updates = [
        make_update(
            DeliveryStatus.DELIVERED,
            gateway=row["gateway"],
            gateway_message_id=row["gateway_message_id"],
            done_at=row["sent_at"],
        )
        for row in source.sample(list(sent), len(sent) // 4)
    ]
    merge_receipts(MessageStore(lake), updates, lookback=timedelta(days=400))


def work_on_index(index: NumberIndex, now: datetime, source: random.Random) -> None:
    """Index some days, sort a month though not always to the end, or build one anew."""
    chance = source.random()
    if chance < 0.6:
        days = index.list_unindexed(now)
        for day in source.sample(days, min(4, len(days))):
            index.index_day(day)
    elif chance < 0.9:
        for _ in index.sort_month(source.choice(MONTHS)):
            if source.random() < 0.05:
                break
    else:
        index.rebuild(date(2026, 2, 1))


@seeds([1, 2])
def test_no_message_is_missed_whatever_is_indexed(lake: Lake, seed: int) -> None:
    source = random.Random(seed)
    sent: list[Row] = []
    for number in range(4):
        # Time goes on, and some of what comes in is old.
        now = START + SPAN * (number + 1) / 4
        first = START if number % 2 else now - timedelta(days=4)
        fresh = [
            make_random_message(source, first, now - first) | {"receiver": make_receiver(source)} for _ in range(25)
        ]
        sent += fresh
        append(lake, number, fresh)
        check(lake, sent, source)
        for _ in range(3):
            work(lake, sent, now, source)
            check(lake, sent, source)
        compare(lake, sent, source)
    index = NumberIndex(lake)
    for day in source.sample(index.list_unindexed(END), 9):
        index.index_day(day)
    compare(lake, sent, source)
    assert {found.missing_count for found in index.verify()} == {0}


def indexed(lake: Lake, *rows: Row, since: date = TODAY) -> NumberIndex:
    """Append the messages and index their days from *since* on."""
    append(lake, 0, rows)
    index = NumberIndex(lake)
    for day in index.list_unindexed(max(row["sent_at"] for row in rows) + timedelta(days=1, hours=12)):
        if day >= since:
            index.index_day(day)
    return index


def test_only_the_moments_of_a_number_are_looked_at_once_its_days_are_indexed(lake: Lake) -> None:
    row = make_message(receiver="+491796548754")
    indexed(lake, row, make_message(receiver="+491796548755", sent_at=NOW - timedelta(hours=3)))
    day_of_slot = Period(NOW - timedelta(hours=9), NOW + timedelta(hours=9))
    for part in ("+491796548754", "96548754", "548754", "9179654875", "491796548754"):
        stretches = look_for(lake, part, day_of_slot)
        assert stretches is not None
        assert Period(NOW, NOW + MOMENT) == stretches[0]
        assert (len(stretches) == 1) == part.endswith("54")
    assert look_for(lake, "77777777", day_of_slot) == []
    # Trailing digits that the number does not have, and a beginning it does not have.
    assert look_for(lake, "965487541", day_of_slot) == []
    assert look_for(lake, "191796548754", day_of_slot) == []


def test_a_part_without_six_digits_in_a_row_is_not_for_the_index(lake: Lake) -> None:
    indexed(lake, make_message())
    for part in ("", "12345", "+12345", "abc", "12345x12345", "١٢٣٤٥٦٧"):
        assert look_for(lake, part, EVERYTHING) is None
    assert look_for(lake, "491796x", EVERYTHING) is not None


def test_messages_that_come_late_are_looked_at_and_indexed_when_they_are_many(lake: Lake) -> None:
    index = indexed(lake, make_message(receiver="+49170000001"))
    near = Period(NOW - timedelta(hours=12), NOW + timedelta(hours=6))
    late = [make_message(receiver="+49170000002", sent_at=NOW - number * SLOT) for number in range(1, FEWEST_LATE)]
    append(lake, 1, late)
    after = AFTER
    assert NOW.date() not in index.list_unindexed(after)
    assert look_for(lake, "70000009", near) == [Period(NOW - (FEWEST_LATE - 1) * SLOT, NOW)]
    # Receipts change nothing about numbers.
    updates = [make_update(DeliveryStatus.DELIVERED, gateway_message_id=late[0]["gateway_message_id"])]
    merge_receipts(MessageStore(lake), updates)
    assert look_for(lake, "70000009", near) == [Period(NOW - (FEWEST_LATE - 1) * SLOT, NOW)]
    append(lake, 2, [make_message(receiver="+49170000002", sent_at=NOW - timedelta(hours=9))])
    assert NOW.date() in index.list_unindexed(after)
    index.index_day(NOW.date())
    assert look_for(lake, "70000009", near) == []
    moments = [*(NOW - number * SLOT for number in range(1, FEWEST_LATE)), NOW - timedelta(hours=9)]
    assert look_for(lake, "70000002", near) == [Period(moment, moment + MOMENT) for moment in moments]


def test_a_day_is_indexed_an_hour_after_it_is_over(lake: Lake) -> None:
    append(lake, 0, [make_message()])
    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    index = NumberIndex(lake)
    assert max(index.list_unindexed(midnight + SETTLING - timedelta(seconds=1))) == date(2026, 3, 9)
    assert max(index.list_unindexed(midnight + SETTLING)) == NOW.date()


def test_a_month_that_is_over_is_sorted_into_few_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(4)
    rows = [
        make_random_message(source, datetime(2026, 2, 1, tzinfo=UTC), timedelta(days=28))
        | {"receiver": make_receiver(source)}
        for _ in range(600)
    ]
    index = indexed(lake, *rows, since=MONTHS[0])
    february, after = MONTHS[0], AFTER
    february_days = 28
    assert count_files(lake) == february_days > MOST_FILES_OPEN
    assert index.list_unsorted(after) == [february]
    monkeypatch.setattr("core.history.numbers.number_index.SORTED_AT_ONCE", 500)
    for number, _ in enumerate(index.sort_month(february)):
        if number % 8 == 0:
            check(lake, rows, source)
    # One for each cut, and those that were not sorted are gone.
    assert 1 < count_files(lake) < february_days
    assert not index.list_unsorted(after)
    assert not index.list_unindexed(after)
    check(lake, rows, source)
    assert [(found.month, found.missing_count) for found in index.verify()] == [(february, 0)]


def count_files(lake: Lake) -> int:
    with lake.read() as cursor:
        found = cursor.execute("SELECT count(*) FROM ducklake_list_files('lake', 'receiver_endings')").fetchone()
    return int(found[0])


def test_verify_counts_what_is_missing_and_rebuilding_brings_it_back(lake: Lake) -> None:
    index = indexed(lake, make_message(receiver="+49170000001"), make_message(receiver="+49170000002"))

    def lose(cursor: Any) -> None:
        cursor.execute("DELETE FROM lake.receiver_endings WHERE ending = 49170000001 * 10 ** 4 OR ending % 10 = 0")

    lake.write(lose)
    [found] = index.verify()
    assert found.missing_count > 0
    index.rebuild(found.month)
    assert [again.missing_count for again in index.verify()] == [0]
    assert look_for(lake, "70000002", Period(NOW - timedelta(hours=9), NOW + timedelta(hours=9))) == [
        Period(NOW, NOW + MOMENT)
    ]


def test_a_part_that_was_sent_to_very_often_is_known_by_its_slots(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [NOW + timedelta(seconds=number) for number in range(5)]
    rows = [make_message(receiver="+49170000001", sent_at=time) for time in times]
    indexed(lake, *rows)
    day = Period(NOW - timedelta(hours=9), NOW + timedelta(hours=9))
    assert look_for(lake, "70000001", day) == [Period(time, time + MOMENT) for time in reversed(times)]
    monkeypatch.setattr("core.history.numbers.number_search.MOST_MOMENTS", 4)
    assert look_for(lake, "70000001", day) == [Period(NOW, NOW + SLOT)]


def test_many_moments_are_read_in_turns_and_counted_to_the_last(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [NOW + timedelta(minutes=7 * number) for number in range(60)]
    rows = [
        make_message(receiver="+49170000001", sent_at=time, account=f"account-{number % 5 // 4}")
        for number, time in enumerate(times)
    ]
    indexed(lake, *rows)
    queries = MessageQueries(RollupReader(lake, 1 << 20))
    query = MessageQuery(frozenset({"account-1"}), EVERYTHING, receiver="70000001")
    expected = [time for number, time in enumerate(times) if number % 5 == 4][::-1]
    for at_once, most_counted in ((3, 1000), (800, 1000), (800, 2)):
        monkeypatch.setattr("core.history.messages.paging.MOMENTS_AT_ONCE", at_once)
        monkeypatch.setattr("core.history.messages.paging.MOST_MOMENTS_COUNTED", most_counted)
        monkeypatch.setattr("core.history.messages.paging.MOMENTS_FOUND", at_once)
        assert queries.count(query) == len(expected)
        assert queries.page(query, 5, 0).table["sent_at"].to_pylist() == expected[:5]
        assert queries.page(query, 5, 10).table["sent_at"].to_pylist() == expected[10:]
