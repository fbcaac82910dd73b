"""The dashboard's figures: a period summed up, from the rollups as far as they reach."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from core.domain.periods import Period, day_start, list_offsets
from core.domain.statistics import GroupBy
from core.history.adding_up import AddingUp, Keys, StatisticsQuery
from core.history.arrow import fetch
from core.history.filters import offset_at, scope
from core.history.lake import Lake
from core.history.rollups import ReachReader
from core.history.statements import load_statements

_SQL = load_statements("traffic.sql")

# Up to two days, of 25 hours at most, are drawn by the hour.
HOURLY_UP_TO = timedelta(hours=50)


@dataclass(frozen=True)
class TrafficSummary:
    """
    The dashboard's figures; total = delivered + undelivered + transmitted.

    *delivery_rate* is delivered / total, 0..1, and 0 without messages. *series* has every hour or day of the
    period in order: bucket (timestamp[us] in the viewer's zone, its start), sent (int64, 0 in gaps).
    *countries* has country (ISO 3166-1 alpha-2, "" when unknown) and sent, most first.
    """

    total: int
    cost_eur_cents: Decimal
    delivered: int
    undelivered: int
    transmitted: int
    delivery_rate: float
    series: pa.Table
    countries: pa.Table


class TrafficReader:
    """Sums periods up, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        """Take the lake."""
        self._lake = lake
        self._reaches = ReachReader()

    def sum_up(self, account_ids: Iterable[str], period: Period, time_zone: str) -> TrafficSummary:
        """
        Sum up a period, all figures from one snapshot.

        Raises: InvalidInput: no such time zone.
        """
        query = StatisticsQuery(frozenset(account_ids), period, time_zone, (GroupBy.DAY, GroupBy.COUNTRY))
        with self._lake.read() as cursor:
            adding_up = AddingUp(cursor, query, self._reaches.read(cursor))
            countries = _by_country(cursor, adding_up)
            hourly = period.end - period.start <= HOURLY_UP_TO
            series = _by_hour(cursor, query) if hourly else _by_day(cursor, adding_up, query)
        total, delivered, undelivered = (_sum(countries, name) for name in ("sent", "delivered", "undelivered"))
        return TrafficSummary(
            total=total,
            cost_eur_cents=pc.sum(countries["cost_eur_cents"]).as_py() or Decimal(0),
            delivered=delivered,
            undelivered=undelivered,
            transmitted=total - delivered - undelivered,
            delivery_rate=delivered / total if total else 0.0,
            series=series,
            countries=countries.select(["country", "sent"]),
        )


def _by_country(cursor: DuckDBPyConnection, adding_up: AddingUp) -> pa.Table:
    routes = adding_up.routes()
    countries = routes["country"].combine_chunks().dictionary_encode()
    adding_up.ask_for(routes.append_column("group_no", countries.indices.cast(pa.int32())))
    grouped = adding_up.add_up(Keys.of([GroupBy.COUNTRY]))
    found = fetch(cursor, grouped.sql, grouped.values)
    names = countries.dictionary.take(found["group_no"])
    found = found.append_column("country", names)
    return found.sort_by([("sent", "descending"), ("country", "ascending")])


def _by_day(cursor: DuckDBPyConnection, adding_up: AddingUp, query: StatisticsQuery) -> pa.Table:
    grouped = adding_up.add_up(Keys.of([GroupBy.DAY]))
    rows = cursor.execute(f"SELECT time, sent FROM ({grouped.sql})", dict(grouped.values)).fetchall()
    sent = {day_start(day, query.time_zone): count for day, count in rows}
    return _filled(_days(query.period, query.time_zone), sent, query.time_zone)


def _by_hour(cursor: DuckDBPyConnection, query: StatisticsQuery) -> pa.Table:
    within = scope(query.account_ids, query.period)
    offset = offset_at(list_offsets(query.period, query.time_zone))
    sql = _SQL["sent_by_hour"].format(offset=offset.sql, where=within.sql)
    rows = cursor.execute(sql, {**within.values, **offset.values}).fetchall()
    sent = {bucket.replace(tzinfo=UTC): count for bucket, count in rows}
    return _filled(_hours(query.period, ZoneInfo(query.time_zone)), sent, query.time_zone)


def _filled(starts: Iterable[datetime], sent: dict[datetime, int], time_zone: str) -> pa.Table:
    """Return the buckets that start then, with nothing sent where nothing is known."""
    buckets = list(starts)
    return pa.table(
        {
            "bucket": pa.array(buckets, pa.timestamp("us", tz=time_zone)),
            "sent": pa.array([sent.get(start, 0) for start in buckets], pa.int64()),
        }
    )


def _hours(period: Period, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield where the local clock shows a full hour, or skips one, from the hour of the period's start on."""
    # Offsets are multiples of a quarter, so that no beginning is stepped over.
    quarter = timedelta(minutes=15)
    moment = _hour_start(period.start, zone)
    last = None
    while moment < period.end:
        start = _hour_start(moment, zone)
        if start != last:
            yield start
        last = start
        moment += quarter


def _hour_start(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    return (moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)).astimezone(
        UTC
    )


def _days(period: Period, time_zone: str) -> Iterator[datetime]:
    zone = ZoneInfo(time_zone)
    day = period.start.astimezone(zone).date()
    while (start := day_start(day, time_zone)) < period.end:
        yield start
        day += timedelta(days=1)


def _sum(table: pa.Table, column: str) -> int:
    return int(pc.sum(table[column]).as_py() or 0)
