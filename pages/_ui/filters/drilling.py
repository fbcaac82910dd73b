"""From a group on Statistics to its messages on Message History."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.domain.reports.statistics import NAMED, GroupBy, NameFilter, Operator
from core.domain.times.periods import Period, Preset
from pages._ui import address, formats
from pages._ui.filters import name_filter, period_filter

PRICE = "price"
# More than any message costs, in EUR cents: beyond it the number is none of ours.
_PRICE_END = Decimal(10**8)
_MOMENT = timedelta(microseconds=1)


def lead(row: Mapping[str, Any], groups: Sequence[GroupBy], period: Period, time_zone: str) -> dict[str, Any]:
    """Return the query of the address on which Message History shows the messages of *row*, a group on the page."""
    conditions = [*name_filter.active()]
    conditions += [NameFilter(group, Operator.EQUAL, row[group]) for group in groups if group in NAMED]
    query: dict[str, Any] = {name_filter.PARAMETER: [name_filter.encode(each) for each in dict.fromkeys(conditions)]}
    if GroupBy.PRICE in groups:
        query[PRICE] = str(row[GroupBy.PRICE])
    return query | _days(row, groups, period, time_zone)


def find_price() -> Decimal | None:
    """Return the price in the page's address, None without one or when it is no price."""
    try:
        price = Decimal(address.get(PRICE))
    except InvalidOperation:
        return None
    return price if price.is_finite() and abs(price) < _PRICE_END else None


def _days(row: Mapping[str, Any], groups: Sequence[GroupBy], period: Period, time_zone: str) -> dict[str, str]:
    """Return the days the group and the period have in common; the period as it was asked for without any."""
    word = address.get(period_filter.PERIOD)
    ends = (period.start, period.end - _MOMENT)
    first, last = (formats.in_zone(end, time_zone).date() for end in ends)
    if word in {Preset.LAST_10_MINUTES, Preset.LAST_HOUR}:
        # These are no whole days; days of theirs would hold more messages than the group.
        return {period_filter.PERIOD: word}
    for group in (GroupBy.YEAR, GroupBy.MONTH, GroupBy.DAY):
        if group in groups:
            begin, end = _bounds(group, row[group])
            first, last = max(first, begin), min(last, end)
    days = {period_filter.FIRST: first.isoformat(), period_filter.LAST: last.isoformat()}
    return {period_filter.PERIOD: Preset.CUSTOM_RANGE.value} | days


def _bounds(group: GroupBy, value: Any) -> tuple[date, date]:
    if group is GroupBy.YEAR:
        return date(value, 1, 1), date(value, 12, 31)
    if group is GroupBy.MONTH:
        return value, (value + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return value, value
