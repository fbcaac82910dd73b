"""Every figure against a plain recount in Python."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.config import Settings
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period, Preset, resolve_period
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.history.messages.queries import MessageQueries
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.traffic import TrafficReader
from tests.support.stores.messages import NOW, make_message, make_random_message, message_table, unsent_table

# Both changes of clocks of 2026, in Berlin and in Lord Howe, where it is half an hour.
START, END = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
ACCOUNTS = frozenset({"account-0", "account-1"})


SPECIAL_DAYS = [date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25), date(2026, 6, 1)]


def append(lake: Lake, *messages: dict[str, Any]) -> None:
    MessageStore(lake).append_batch("batch-1", "campaign-1", message_table(*messages), unsent_table(), NOW)


def make_history() -> list[dict[str, Any]]:
    source = random.Random(7)
    two_days, one_day = timedelta(days=2), timedelta(days=1)
    messages = [make_random_message(source, START - one_day, END - START + two_days) for _ in range(900)]
    for day in SPECIAL_DAYS:
        noon = datetime.combine(day, time(12), tzinfo=UTC)
        messages += [make_random_message(source, noon - one_day, two_days) for _ in range(200)]
    # At the very edges of the period, and several of one moment, so that only the id orders them.
    messages += [make_message(sent_at=moment) for moment in (START, END)]
    messages += [make_message(sent_at=START + one_day) for _ in range(30)]
    return messages


HAYSTACK = [
    make_message(
        message_id=f"0197f000-0000-7000-8000-00000000000{number}",
        gateway_message_id=str(number),
        account="haystack",
        **fields,
    )
    for number, fields in enumerate(
        [
            {"receiver": "+491791111111", "sender": "Shop", "delivery_status": "Delivered", "error_code": "0"},
            {"receiver": "+491792222222", "sender": "100%", "network": "T_Mobile", "campaign_id": "campaign-2"},
            {"receiver": "+33611111111", "sender": "a_b", "country": "FR", "mccmnc": "20801", "network": "Orange"},
            {"receiver": "+4366", "sender": "Café axb", "country": "", "mccmnc": "", "network": "", "error_code": "27"},
        ]
    )
]


@dataclass(frozen=True)
class History:
    queries: MessageQueries
    traffic: TrafficReader
    messages: list[dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    catalog = request.getfixturevalue("new_lake_database")() if request.param == "postgres" else ""
    lake = Lake(Settings(data_dir=tmp_path_factory.mktemp("history"), lake_catalog=catalog))
    messages = make_history()
    append(lake, *messages, *HAYSTACK)
    yield History(MessageQueries(RollupReader(lake, 1 << 20)), TrafficReader(RollupReader(lake, 1 << 20)), messages)
    lake.close()


def within(messages: list[dict[str, Any]], period: Period) -> list[dict[str, Any]]:
    return [m for m in messages if m["account"] in ACCOUNTS and period.start <= m["sent_at"] < period.end]


def test_the_stream_is_all_pages_in_one(history: History) -> None:
    for query in (
        MessageQuery(ACCOUNTS, Period(START, END)),
        MessageQuery(ACCOUNTS, Period(START + timedelta(days=3), START + timedelta(days=4))),
        MessageQuery(ACCOUNTS, Period(START, END), sender="nobody"),
    ):
        count, tables = history.queries.stream(query)
        streamed = [row for table in tables for row in table.to_pylist()]
        assert streamed == history.queries.page(query, 1_000_000, 0).table.to_pylist()
        assert count == len(streamed)


def test_a_stream_is_as_long_as_it_says_whatever_is_committed_meanwhile(lake: Lake) -> None:
    queries = MessageQueries(RollupReader(lake, 1 << 20))
    append(lake, make_message(account="account-0", sent_at=START))
    count, tables = queries.stream(MessageQuery(ACCOUNTS, Period(START, END)))
    more = message_table(make_message(account="account-0", sent_at=START))
    assert MessageStore(lake).append_batch("another", "campaign-1", more, unsent_table(), NOW)
    assert count == sum(table.num_rows for table in tables) == 1


def test_history_and_traffic_agree(history: History) -> None:
    period, sent = Period(START, END), within(history.messages, Period(START, END))
    traffic = history.traffic.sum_up(ACCOUNTS, period, "Europe/Berlin")
    assert history.queries.count(MessageQuery(ACCOUNTS, period)) == len(sent) == traffic.total
    statuses = Counter(message["delivery_status"] for message in sent)
    found = {"Delivered": traffic.delivered, "Undelivered": traffic.undelivered, "Submitted": traffic.transmitted}
    assert found == statuses
    assert traffic.cost_eur_cents == sum(message["price_eur_cents"] for message in sent)
    assert traffic.delivery_rate == pytest.approx(traffic.delivered / len(sent))
    assert sum(traffic.series["sent"].to_pylist()) == sum(traffic.countries["sent"].to_pylist()) == len(sent)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", SPECIAL_DAYS)
def test_the_hours_of_a_day_are_those_of_the_local_clock(history: History, zone: str, day: date) -> None:
    period = resolve_period(Preset.CUSTOM_RANGE, NOW, zone, (day, day))
    series = history.traffic.sum_up(ACCOUNTS, period, zone).series.to_pylist()

    def shown(moment: datetime) -> tuple[datetime, Any]:
        local = moment.astimezone(ZoneInfo(zone))
        return local.replace(minute=0, second=0, microsecond=0, tzinfo=None, fold=0), local.utcoffset()

    counted = Counter(shown(message["sent_at"]) for message in within(history.messages, period))
    # Every quarter of an hour of the day, to know the hours the clock shows, in order.
    quarters = int((period.end - period.start) / timedelta(minutes=15))
    hours = list(dict.fromkeys(shown(period.start + timedelta(minutes=15) * number) for number in range(quarters)))
    assert counted.total() > 50
    assert [row["sent"] for row in series] == [counted[hour] for hour in hours]
    # Compared in UTC: datetimes of one zone compare by their clocks, which here may go back.
    starts = [row["bucket"].astimezone(UTC) for row in series]
    assert starts == sorted(set(starts))
    assert starts[0] == period.start
    assert str(series[0]["bucket"].tzinfo) == zone


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_a_month_include_those_without_messages(history: History, zone: str) -> None:
    period = resolve_period(Preset.CUSTOM_RANGE, NOW, zone, (date(2026, 10, 20), date(2026, 11, 30)))
    series = history.traffic.sum_up(ACCOUNTS, period, zone).series.to_pylist()
    counted = Counter(m["sent_at"].astimezone(ZoneInfo(zone)).date() for m in within(history.messages, period))
    days = [date(2026, 10, 20) + timedelta(days=number) for number in range(42)]
    assert [row["bucket"].date() for row in series] == days
    assert [row["sent"] for row in series] == [counted[day] for day in days]
    assert series[-1]["sent"] == 0


def test_countries_come_most_first(lake: Lake) -> None:
    append(lake, *(make_message(country=country) for country in ["FR", "DE", "AT", "DE", "FR", "DE"]))
    countries = (
        TrafficReader(RollupReader(lake, 1 << 20))
        .sum_up({"account-1"}, Period(START - timedelta(days=30), END), "UTC")
        .countries
    )
    assert countries.to_pylist() == [
        {"country": "DE", "sent": 3},
        {"country": "FR", "sent": 2},
        {"country": "AT", "sent": 1},
    ]


def test_pages_are_newest_first_complete_and_without_repetition(history: History) -> None:
    period = Period(START, START + timedelta(days=10))
    expected = sorted(within(history.messages, period), key=lambda m: (m["sent_at"], m["message_id"]), reverse=True)
    query = MessageQuery(ACCOUNTS, period)
    offsets = range(0, len(expected) + 17, 17)
    pages = [history.queries.page(query, 17, offset).table.to_pylist() for offset in offsets]
    assert [row for page in pages for row in page] == expected


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "0123"),
        ({"receiver": "11111"}, "02"),
        ({"receiver": "+49 179/11-11"}, "0"),
        ({"receiver": "%"}, ""),
        ({"sender": "SHO"}, "0"),
        ({"sender": "%"}, "1"),
        ({"sender": "a_b"}, "2"),
        ({"sender": "CAFE"}, "3"),
        ({"sender": "shöp"}, "0"),
        ({"sender": "cafe\u0301"}, "3"),
        ({"sender": "'; --"}, ""),
        ({"network": "t_m"}, "1"),
        ({"network": "orang"}, "2"),
        ({"network": "ORÀNGÉ"}, "2"),
        ({"country": "fr"}, "2"),
        ({"country": "F"}, ""),
        ({"mccmnc": "208"}, "2"),
        ({"mccmnc": "801"}, ""),
        ({"delivery_status": "Delivered"}, "0"),
        ({"error_code": "27"}, "3"),
        ({"error_code": "2"}, ""),
        ({"campaign_id": "campaign-2"}, "1"),
        ({"message_id": " 0197F000-0000-7000-8000-000000000002 "}, "2"),
        ({"message_id": "0197f000"}, ""),
        ({"receiver": "111", "country": "DE"}, "0"),
    ],
)
def test_filters_find_what_they_say(history: History, filters: dict[str, str], found: str) -> None:
    query = MessageQuery(frozenset({"haystack"}), Period(NOW, NOW + timedelta(seconds=1)), **filters)
    rows = history.queries.page(query, 10, 0).table.to_pylist()
    assert sorted(row["gateway_message_id"] for row in rows) == list(found)
    assert history.queries.count(query) == len(found)


def test_selected_ids_that_are_none_are_no_message(history: History) -> None:
    query = MessageQuery(frozenset({"haystack"}), Period(NOW, NOW + timedelta(seconds=1)))
    known = HAYSTACK[2]["message_id"]
    assert history.queries.count(replace(query, message_ids=frozenset({known.upper(), "", "x'); --"}))) == 1
    assert history.queries.count(replace(query, message_ids=frozenset({"0197f000"}))) == 0


def test_without_an_account_there_is_nothing_to_see(lake: Lake) -> None:
    append(lake, make_message())
    period = Period(NOW, NOW + timedelta(hours=1))
    nobody, queries = MessageQuery(frozenset(), period), MessageQueries(RollupReader(lake, 1 << 20))
    assert queries.page(nobody, 10, 0).total == queries.count(nobody) == 0
    assert queries.count(replace(nobody, account_ids=frozenset({"account-1"}))) == 1
    traffic = TrafficReader(RollupReader(lake, 1 << 20)).sum_up(frozenset(), period, "UTC")
    assert (traffic.total, traffic.cost_eur_cents, traffic.delivery_rate) == (0, 0, 0)
    assert traffic.series["sent"].to_pylist() == [0]


def test_an_account_id_is_a_value_and_never_sql(lake: Lake) -> None:
    append(lake, make_message())
    query = MessageQuery(frozenset({"') OR (true"}), Period(NOW, NOW + timedelta(hours=1)))
    assert MessageQueries(RollupReader(lake, 1 << 20)).count(query) == 0
