"""The dashboard's figures: a period summed up, from the rollups as far as they reach."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from core.answers import TrafficSummary
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period, day_start
from core.history.rollups.adding_up import AddingUp, RollupReader, StatisticsQuery
from core.history.rollups.hours import Hours, count_hours, find_hours
from core.history.rollups.sums import Labels, Sums, combined, concatenated
from core.history.sql.filters import condition

# Behind the point, in the rollups' whole numbers.
PRICE_DIGITS = 4
# Up to two days, of 25 hours at most, are drawn by the hour.
HOURLY_UP_TO = timedelta(hours=50)


class TrafficReader:
    """Sums periods up, within the accounts each question names."""

    def __init__(self, rollups: RollupReader) -> None:
        self._rollups = rollups

    def sum_up(self, account_ids: Iterable[str], period: Period, time_zone: str) -> TrafficSummary:
        """
        Sum up a period, all figures from one snapshot.

        Raises: InvalidInput: no such time zone.
        """
        query = StatisticsQuery(frozenset(account_ids), period, time_zone, (GroupBy.DAY,))
        with self._rollups.lake.read() as cursor:
            shared = self._rollups.latest.of(cursor)
            adding_up = self._rollups.ask(cursor, query, shared)
            labels = _label_countries(adding_up, query)
            found = concatenated(adding_up.add_up(labels))
            if period.end - period.start <= HOURLY_UP_TO:
                log, is_covered = self._rollups.log(cursor, shared), adding_up.is_covered
                hours = find_hours(cursor, shared, log, period, time_zone, is_covered=is_covered)
                series = _by_hour(hours, query.account_ids, period, time_zone)
            else:
                series = _by_day(adding_up, query, found, labels.count)
        sent, delivered, undelivered, cost = (int(row.sum()) for row in found.sums)
        return TrafficSummary(
            total=sent,
            cost_eur_cents=Decimal(cost).scaleb(-PRICE_DIGITS),
            delivered=delivered,
            undelivered=undelivered,
            transmitted=sent - delivered - undelivered,
            delivery_rate=delivered / sent if sent else 0.0,
            series=series,
            countries=_by_country(adding_up, found, labels.count),
        )

    def by_hour(self, query: MessageQuery) -> pa.Table:
        """
        Return what was sent in every hour of the query's period and time zone, as `TrafficSummary.series`.

        Raises: InvalidInput: no such time zone.
        """
        with self._rollups.lake.read() as cursor:
            hours = count_hours(cursor, condition(query), query.period, query.time_zone)
        return _by_hour([hours], query.account_ids, query.period, query.time_zone)


def _label_countries(adding_up: AddingUp, query: StatisticsQuery) -> Labels:
    codes = adding_up.routes.codes["country"]
    of = np.where(adding_up.find_routes(query.account_ids), codes, -1)
    return Labels(of, max(len(adding_up.routes.values["country"]), 1), is_priced=False)


def _by_country(adding_up: AddingUp, found: Sums, label_count: int) -> pa.Table:
    countries = combined([Sums(found.keys % label_count, found.sums)])
    names = pa.array(adding_up.routes.values["country"], pa.string()).take(pa.array(countries.keys))
    table = pa.table({"country": names, "sent": countries.sums[0]})
    return table.sort_by([("sent", "descending"), ("country", "ascending")])


def _by_day(adding_up: AddingUp, query: StatisticsQuery, found: Sums, label_count: int) -> pa.Table:
    days = combined([Sums(found.keys // label_count, found.sums)])
    dates = adding_up.find_days(days.keys).astype("datetime64[D]").tolist()
    sent = {day_start(day, query.time_zone): count for day, count in zip(dates, days.sums[0].tolist(), strict=True)}
    return _filled(_days(query.period, query.time_zone), sent, query.time_zone)


def _by_hour(found: Iterable[Hours], account_ids: frozenset[str], period: Period, time_zone: str) -> pa.Table:
    sent: Counter[datetime] = Counter()
    for hours in found:
        sent.update(hours.add_up(account_ids))
    return _filled(_hours(period, ZoneInfo(time_zone)), sent, time_zone)


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
