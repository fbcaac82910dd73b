"""Reading the message history: pages, statistics and the dashboard's figures, which agree to the row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from core.domain.periods import Period, day_start, list_offsets
from core.history.arrow import fetch, fetch_one
from core.history.filters import Condition, MessageQuery, condition, offset_at, scope
from core.history.lake import Lake
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

__all__ = ["GroupBy", "MessageQueries", "MessageQuery", "StatisticsQuery", "TrafficSummary"]

_SQL = load_statements("queries.sql")
_COLUMNS = ", ".join(MESSAGE_SCHEMA.names)

# Up to two days, of 25 hours at most, are drawn by the hour.
HOURLY_UP_TO = timedelta(hours=50)


class GroupBy(StrEnum):
    """The guide's words for what statistics may be grouped by."""

    YEAR = "Year"
    MONTH = "Month"
    DAY = "Day"
    ACCOUNT = "Account"
    COUNTRY = "Country"
    NETWORK = "Network"
    NETWORK_CODE = "Network Code"
    PRICE = "Price"


_GROUPS: dict[GroupBy, str] = {
    GroupBy.YEAR: "year({local})::INTEGER",
    GroupBy.MONTH: "date_trunc('month', {local})::DATE",
    GroupBy.DAY: "({local})::DATE",
    GroupBy.ACCOUNT: "account",
    GroupBy.COUNTRY: "country",
    GroupBy.NETWORK: "network",
    GroupBy.NETWORK_CODE: "mccmnc",
    GroupBy.PRICE: "price_eur_cents",
}
_CALENDAR = frozenset({GroupBy.YEAR, GroupBy.MONTH, GroupBy.DAY})


@dataclass(frozen=True)
class StatisticsQuery:
    """Messages of *account_ids* in *period*, by *group_by*; days, months and years are those of *time_zone*."""

    account_ids: frozenset[str]
    period: Period
    time_zone: str
    group_by: tuple[GroupBy, ...]


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


class MessageQueries:
    """Answers questions about messages, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def page(self, query: MessageQuery, limit: int, offset: int) -> pa.Table:
        """Return up to *limit* messages after the first *offset*, newest first, as `MESSAGE_SCHEMA`."""
        wanted = condition(query)
        sql = _SQL["page"].format(columns=_COLUMNS, where=wanted.sql)
        with self._lake.read() as cursor:
            return fetch(cursor, sql, {**wanted.values, "limit": limit, "offset": offset})

    def count(self, query: MessageQuery) -> int:
        """Return how many messages match."""
        wanted = condition(query)
        with self._lake.read() as cursor:
            return int(fetch_one(cursor, _SQL["count"].format(where=wanted.sql), wanted.values)[0])

    def statistics(self, query: StatisticsQuery) -> pa.Table:
        """
        Count messages by group; sent = delivered + undelivered + transmitted in every row.

        Returns: One column per group, named and ordered as in `group_by` (Year int32; Month date32, its
            first day; Day date32; Price decimal128(12, 4), EUR cents of a message; else text, "" when
            unknown), then sent, delivered, undelivered, transmitted (int64), cost_eur_cents
            (decimal128(38, 4)). Ordered by the groups. Without a message there is no row, but
            without a group there always is one.
        Raises: InvalidInput: no such time zone.
        """
        within = scope(query.account_ids, query.period)
        offset = offset_at(list_offsets(query.period, query.time_zone))
        groups = dict.fromkeys(query.group_by)
        columns = "".join(f'{_GROUPS[group].format(local=_local(offset))} AS "{group}", ' for group in groups)
        values = {**within.values, **(offset.values if _CALENDAR & groups.keys() else {})}
        with self._lake.read() as cursor:
            return fetch(cursor, _SQL["statistics"].format(groups=columns, where=within.sql), values)

    def traffic(self, account_ids: Iterable[str], period: Period, time_zone: str) -> TrafficSummary:
        """
        Sum up a period, all figures from one snapshot.

        Raises: InvalidInput: no such time zone.
        """
        within = scope(account_ids, period)
        with self._lake.read() as cursor:
            countries = fetch(cursor, _SQL["totals_by_country"].format(where=within.sql), within.values)
            series = _series(cursor, within, period, time_zone)
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


def _series(cursor: DuckDBPyConnection, within: Condition, period: Period, time_zone: str) -> pa.Table:
    offset = offset_at(list_offsets(period, time_zone))
    hourly = period.end - period.start <= HOURLY_UP_TO
    sql = _SQL["sent_by_hour" if hourly else "sent_by_day"]
    filled = sql.format(local=_local(offset), offset=offset.sql, where=within.sql)
    rows = cursor.execute(filled, {**within.values, **offset.values}).fetchall()
    if hourly:
        starts = list(_hours(period, ZoneInfo(time_zone)))
        sent = {bucket.replace(tzinfo=UTC): count for bucket, count in rows}
    else:
        starts = list(_days(period, time_zone))
        sent = {day_start(bucket, time_zone): count for bucket, count in rows}
    return pa.table(
        {
            "bucket": pa.array(starts, pa.timestamp("us", tz=time_zone)),
            "sent": pa.array([sent.get(start, 0) for start in starts], pa.int64()),
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


def _local(offset: Condition) -> str:
    return f"sent_at + {offset.sql}"


def _sum(table: pa.Table, column: str) -> int:
    return int(pc.sum(table[column]).as_py() or 0)
