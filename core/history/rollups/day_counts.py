"""How many messages a query has on each day: exact where rollups can tell, else at most so many."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.domain.messages.messages import DeliveryStatus
from core.domain.numbering import country_name
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period, day_start
from core.domain.words.folding import fold
from core.history.engine.door import Cursor
from core.history.rollups.adding_up import AddingUp, RollupReader, StatisticsQuery
from core.history.rollups.calendars import find_calendar
from core.history.rollups.reach import Ints, Routes
from core.history.rollups.sums import Labels, concatenated, in_order

_PRICE_UNITS = 10_000
# Filters the rollups know nothing of.
_UNCOUNTED = ("receiver", "sender", "message_id", "error_code", "campaign_id", "gateway_message_id", "message_ids")
_COLUMNS = {GroupBy.COUNTRY: "country", GroupBy.NETWORK: "network", GroupBy.NETWORK_CODE: "mccmnc"}


@dataclass(frozen=True)
class DayCounts:
    """
    The days of a query that have messages, newest first, as stretches of time within its period.

    *counts* has the number of each, or where *is_exact* is false a number it cannot exceed.
    """

    periods: tuple[Period, ...]
    counts: tuple[int, ...]
    is_exact: bool

    @property
    def total(self) -> int:
        """All of them together."""
        return sum(self.counts)


def count_days(cursor: Cursor, rollups: RollupReader, query: MessageQuery) -> DayCounts:
    """Count by the days of the query's time zone, or those of UTC while its own are not rolled up."""
    shared = rollups.latest.of(cursor)
    zone = query.time_zone if find_calendar(query.time_zone, rollups.reach(cursor, shared).built) else "UTC"
    grouping = (GroupBy.DAY,) if query.price_eur_cents is None else (GroupBy.DAY, GroupBy.PRICE)
    adding_up = rollups.ask(cursor, StatisticsQuery(query.account_ids, query.period, zone, grouping), shared)
    found = in_order(concatenated(adding_up.add_up(_label(adding_up, query))))
    counts = _status_counts(query.delivery_status, found.sums)
    some = np.flatnonzero(counts)[::-1]
    days = adding_up.find_days(found.keys[some]).astype("datetime64[D]").tolist()
    periods = tuple(_within(day, zone, query.period) for day in days)
    return DayCounts(periods, tuple(counts[some].tolist()), not any(getattr(query, name) for name in _UNCOUNTED))


def _within(day: date, zone: str, period: Period) -> Period:
    start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    return Period(max(start, period.start), min(end, period.end))


def _status_counts(status: str, sums: Ints) -> Ints:
    sent, delivered, undelivered, _ = sums
    known = {
        "": sent,
        DeliveryStatus.DELIVERED: delivered,
        DeliveryStatus.UNDELIVERED: undelivered,
        DeliveryStatus.SUBMITTED: sent - delivered - undelivered,
    }
    return np.asarray(known.get(status.strip(), np.zeros_like(sent)))


def _label(adding_up: AddingUp, query: MessageQuery) -> Labels:
    """Return one label for what fulfils the conditions on accounts, countries, networks and price."""
    asked = adding_up.find_routes(query.account_ids)
    for column, is_wanted in _wanted(query).items():
        asked &= _fitting(adding_up.routes, column, is_wanted)
    if query.price_eur_cents is not None:
        price = query.price_eur_cents * _PRICE_UNITS
        # What is no whole number of units is nobody's price.
        is_price = adding_up.series.price == int(price) if price == int(price) else False
        asked = asked[adding_up.series.route] & is_price
    return Labels(np.where(asked, 0, -1), 1, is_priced=query.price_eur_cents is not None)


def _fitting(routes: Routes, column: str, is_wanted: Callable[[str], bool]) -> Ints:
    fits = np.array([is_wanted(value) for value in routes.values[column]] + [False])
    return np.asarray(fits[routes.codes[column]])


def _wanted(query: MessageQuery) -> dict[str, Callable[[str], bool]]:
    """Return the same conditions as `filters.condition` has, on stored values by column."""
    country, network, mccmnc = query.country.strip(), fold(query.network.strip()), query.mccmnc.strip()
    simple: dict[str, Callable[[str], bool]] = {
        "country": lambda value: not country or value == country.upper(),
        "network": lambda value: network in fold(value),
        "mccmnc": lambda value: value.startswith(mccmnc),
    }

    def both(group: GroupBy, column: str) -> Callable[[str], bool]:
        conditions = [each for each in query.names if each.field is group]
        shown = country_name if group is GroupBy.COUNTRY else str
        return lambda value: simple[column](value) and all(each.matches(shown(value)) for each in conditions)

    return {column: both(group, column) for group, column in _COLUMNS.items()}
