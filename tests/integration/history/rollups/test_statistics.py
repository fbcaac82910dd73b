"""Statistics equal what one counts message by message, however much of them the rollups know."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import Settled, is_final, merge
from core.domain.numbering import country_name
from core.domain.reports.delays import MOST_ERROR
from core.domain.reports.statistics import NAMED, GroupBy, Measure, NameFilter, Operator, Sorting
from core.domain.times.periods import Period
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.rollups.adding_up import RollupReader, StatisticsQuery
from core.history.rollups.rollups import Rollups
from core.history.rollups.statistics import Names, Statistics
from tests.support.stores.messages import (
    NOW,
    make_random_message,
    make_update,
    merge_receipts,
    message_table,
    unsent_table,
)

START = datetime(2026, 2, 20, tzinfo=UTC)
SPAN = timedelta(days=50)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
NAMES = Names(account=lambda key: f"The {key}", country=country_name)
# Too little for all months: some are let go and read again.
MOST_BYTES = 40_000
ACCOUNTS = frozenset({"account-0", "account-1"})
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question as a person asks it."""

    query: StatisticsQuery
    sorting: Sorting


def test_every_answer_equals_the_count_message_by_message(lake: Lake) -> None:
    source, store, rollups = random.Random(11), MessageStore(lake), Rollups(lake)
    answers = Statistics(RollupReader(lake, MOST_BYTES))
    sent: list[Row] = []
    for stage in range(3):
        fresh = [make_random_message(source, START, SPAN) for _ in range(120)]
        sent += fresh
        store.append_batch(f"batch-{stage}", "campaign-1", message_table(*fresh), unsent_table(), NOW)
        _report(store, sent, source)
        for _ in range(6):
            _check(answers, sent, _ask(source), source)
        # The next answers rest on rollups for some of the months, with or without a log beside them.
        if source.random() < 0.6:
            rollups.fold()
        unbuilt = rollups.list_unbuilt(ZONES)
        for month in source.sample(unbuilt, min(3, len(unbuilt))):
            rollups.build(month)
        for _ in range(6):
            _check(answers, sent, _ask(source), source)


def test_what_is_grouped_by_everything_is_one_row_per_series_and_day(lake: Lake) -> None:
    source, store, rollups = random.Random(5), MessageStore(lake), Rollups(lake)
    sent = [make_random_message(source, START, SPAN) for _ in range(300)]
    store.append_batch("batch-1", "campaign-1", message_table(*sent), unsent_table(), NOW)
    for month in rollups.list_unbuilt(["Asia/Kathmandu"]):
        rollups.build(month)
    late = [make_random_message(source, START, SPAN) for _ in range(20)]
    store.append_batch("batch-2", "campaign-1", message_table(*late), unsent_table(), NOW)
    answers = Statistics(RollupReader(lake, MOST_BYTES))
    query = StatisticsQuery(ACCOUNTS, Period(START, START + SPAN), "Asia/Kathmandu", tuple(GroupBy))
    _check(answers, sent + late, Question(query, Sorting()), source)
    _check(answers, sent + late, Question(query, Sorting(Measure.COST, descending=True)), source)


def test_nobody_sees_what_no_account_sent(lake: Lake) -> None:
    query = StatisticsQuery(frozenset(), Period(START, START + SPAN), "UTC", (GroupBy.COUNTRY,))
    answer = Statistics(RollupReader(lake, MOST_BYTES)).page(query, NAMES, Sorting(), 15, 0)
    assert (answer.table.num_rows, answer.group_count, answer.chart.num_rows) == (0, 0, 0)
    assert answer.totals.to_pylist() == [
        {
            "sent": 0,
            "delivered": 0,
            "undelivered": 0,
            "transmitted": 0,
            "cost_eur_cents": Decimal("0.0000"),
            "delivery_rate": 0.0,
            "median_dlr_s": None,
            "p95_dlr_s": None,
        }
    ]


def _report(store: MessageStore, sent: Sequence[Row], source: random.Random) -> None:
    """Let receipts come for some of the messages, and note in *sent* what they change."""
    updates = []
    for row in source.sample(list(sent), len(sent) // 3):
        status = source.choice([DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED])
        done_at = row["sent_at"] + timedelta(seconds=source.lognormvariate(2, 2))
        updates.append(make_update(status, gateway_message_id=row["gateway_message_id"], done_at=done_at))
        before = Settled(DeliveryStatus(row["delivery_status"]), row["error_code"], row["delivered_at"])
        after = merge(before, Settled(status, "", done_at if is_final(status) else None))
        row |= {"delivery_status": after.status, "error_code": after.error_code, "delivered_at": after.delivered_at}
    merge_receipts(store, updates, lookback=timedelta(days=200))


def _ask(source: random.Random) -> Question:
    groups = tuple(group for group in GroupBy if source.random() < 0.4) or (GroupBy.COUNTRY,)
    start = START + source.random() * SPAN / 2 if source.random() < 0.7 else START - timedelta(days=40)
    if source.random() < 0.5:
        start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    period = Period(start, start + timedelta(days=source.choice([0.01, 1, 7, 31, 200])))
    filters = tuple(
        NameFilter(
            field, source.choice(list(Operator)), source.choice(["a", "e", "the account-1", "vodafone", "262", "x"])
        )
        for field in NAMED
        if source.random() < 0.2
    )
    by = source.choice([None, *Measure, *groups])
    accounts = ACCOUNTS if source.random() < 0.8 else frozenset({"account-1"})
    query = StatisticsQuery(accounts, period, source.choice(ZONES), groups, filters)
    return Question(query, Sorting(by, descending=source.random() < 0.5))


def _check(answers: Statistics, sent: Sequence[Row], question: Question, source: random.Random) -> None:
    """Compare the answer, page by page, with the count of *sent*."""
    query, sorting = question.query, question.sorting
    expected = _count(sent, query)
    limit = source.choice([7, 15, 1000])
    found: list[Row] = []
    while True:
        answer = answers.page(query, NAMES, sorting, limit, len(found))
        assert answer.group_count == len(expected)
        page = answer.table.to_pylist()
        found += page
        if len(page) < limit:
            break
    _compare(found, expected, query.group_by)
    if sorting.by is not None:
        values = [_sortable(row[sorting.by.value]) for row in found]
        assert values == sorted(values, reverse=sorting.descending)
    total = _count(sent, replace(query, group_by=()))
    _compare(answer.totals.to_pylist(), total or {(): _nothing()}, ())
    assert sum(answer.chart["sent"].to_pylist()) == sum(row["sent"] for row in expected.values())
    everything, totals = answers.everything(query, NAMES, sorting)
    assert (everything.num_rows, totals) == (len(expected), answer.totals)


def _sortable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _count(sent: Sequence[Row], query: StatisticsQuery) -> dict[tuple[Any, ...], Row]:
    zone = ZoneInfo(query.time_zone)
    counts: dict[tuple[Any, ...], Row] = defaultdict(_nothing)
    for row in sent:
        if row["account"] not in query.account_ids or not query.period.start <= row["sent_at"] < query.period.end:
            continue
        shown = _shown(row, zone)
        if not all(condition.matches(shown[condition.field]) for condition in query.filters):
            continue
        counted = counts[tuple(shown[group] for group in query.group_by)]
        counted["sent"] += 1
        counted["statuses"][row["delivery_status"]] += 1
        counted["cost"] += row["price_eur_cents"]
        if row["delivery_status"] == DeliveryStatus.DELIVERED and row["delivered_at"]:
            counted["delays"].append((row["delivered_at"] - row["sent_at"]).total_seconds())
    return dict(counts)


def _nothing() -> Row:
    return {"sent": 0, "statuses": Counter(), "cost": Decimal(0), "delays": []}


def _shown(row: Row, zone: ZoneInfo) -> dict[GroupBy, Any]:
    day = row["sent_at"].astimezone(zone).date()
    return {
        GroupBy.YEAR: day.year,
        GroupBy.MONTH: day.replace(day=1),
        GroupBy.DAY: day,
        GroupBy.ACCOUNT: NAMES.account(row["account"]),
        GroupBy.COUNTRY: NAMES.country(row["country"]),
        GroupBy.NETWORK: row["network"],
        GroupBy.NETWORK_CODE: row["mccmnc"],
        GroupBy.PRICE: row["price_eur_cents"],
    }


def _compare(found: Sequence[Row], expected: Mapping[tuple[Any, ...], Row], groups: Sequence[GroupBy]) -> None:
    by_group = {tuple(row[group.value] for group in groups): row for row in found}
    assert len(by_group) == len(found)
    assert by_group.keys() == expected.keys()
    for group, counted in expected.items():
        row = by_group[group]
        delivered, undelivered = (counted["statuses"][status] for status in ("Delivered", "Undelivered"))
        assert (row["sent"], row["delivered"], row["undelivered"]) == (counted["sent"], delivered, undelivered)
        assert row["transmitted"] == counted["sent"] - delivered - undelivered
        assert row["cost_eur_cents"] == counted["cost"]
        assert row["delivery_rate"] == pytest.approx(delivered / max(1, counted["sent"]))
        _compare_delays(row, sorted(counted["delays"]))


def _compare_delays(row: Row, delays: Sequence[float]) -> None:
    for column, share in (("median_dlr_s", 0.5), ("p95_dlr_s", 0.95)):
        if not delays:
            assert row[column] is None
            continue
        exact = delays[max(0, -int(-len(delays) * share // 1) - 1)]
        # Delays below the first bucket's end are all shown as its end.
        assert row[column] == pytest.approx(max(exact, 0.1), rel=MOST_ERROR + 1e-9)
