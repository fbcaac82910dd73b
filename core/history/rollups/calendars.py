"""Calendars: the days and months of a time zone, in which rollups are kept."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.domain.times.periods import OffsetSpan, Period, day_start, list_offsets
from core.history.sql.filters import Condition, offset_at

# Before, some clocks changed a minute after midnight (Newfoundland until 2011), so that a quarter of an hour belonged
# to two days, and a day came twice. A test holds all zones to it. What is older is counted from the messages.
FIRST_DAY, LAST_DAY = date(2012, 1, 1), date(2100, 1, 1)
SINCE = datetime(2012, 1, 2, tzinfo=UTC)
# Zones that agree on this stretch share a calendar.
_ALIKE = Period(SINCE, datetime(2040, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class DaySpan:
    """Days of a calendar, from *first* to before *end*."""

    first: date
    end: date


@dataclass(frozen=True)
class Cover:
    """
    How a period is put together: whole days, and what only the messages themselves can tell.

    The parts do not overlap and make up the whole period.
    """

    days: tuple[DaySpan, ...]
    edges: tuple[Period, ...]
    # What the days make up, in time.
    whole: tuple[Period, ...]


@functools.cache
def zone_offsets(time_zone: str) -> tuple[OffsetSpan, ...]:
    """Return the offsets by which zones are told apart. Raises: InvalidInput: no such time zone."""
    return list_offsets(_ALIKE, time_zone)


def find_calendar(time_zone: str, calendars: Iterable[str]) -> str | None:
    """Return the one of *calendars* whose days are those of *time_zone*, None when there is none."""
    known = sorted(calendars)
    if time_zone in known:
        return time_zone
    offsets = zone_offsets(time_zone)
    return next((calendar for calendar in known if zone_offsets(calendar) == offsets), None)


def month_period(month: date, calendar: str) -> Period:
    """Return the calendar's month that begins on *month*, in UTC."""
    return Period(day_start(month, calendar), day_start(next_month(month), calendar))


def next_month(month: date) -> date:
    """Return the first day of the month after the one *month* lies in."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def month_length(month: date) -> int:
    """Return how many days the month has that begins on *month*."""
    return (next_month(month) - month).days


def month_offset(month: date, calendar: str) -> Condition:
    """Return the expression of the local offset within a month, as `offset_at`."""
    return offset_at(list_offsets(month_period(month, calendar), calendar))


def list_neighbors(months: Iterable[date]) -> list[date]:
    """Return the months of any calendar in which messages of these months of UTC may lie, in order."""
    found: set[date] = set()
    for month in months:
        found |= {(month - timedelta(days=1)).replace(day=1), month, next_month(month)}
    return sorted(month for month in found if FIRST_DAY < month < LAST_DAY)


def cover(period: Period, calendar: str, built: Iterable[date]) -> Cover:
    """
    Put *period* together from the rollups that are there.

    Args:
        period: Any.
        calendar: Whose days and months.
        built: The months whose rollups are there.
    """
    days: list[DaySpan] = []
    covered: list[Period] = []
    for month in sorted(built):
        whole = month_period(month, calendar)
        if whole.end <= period.start or whole.start >= period.end:
            continue
        span = _whole_days(Period(max(whole.start, period.start), min(whole.end, period.end)), calendar)
        if span.first < span.end:
            days.append(span)
            covered.append(Period(day_start(span.first, calendar), day_start(span.end, calendar)))
    return Cover(_joined(days), tuple(_gaps(period, covered)), tuple(covered))


def _whole_days(period: Period, calendar: str) -> DaySpan:
    zone_day = day_of(period.start, calendar)
    first = zone_day if day_start(zone_day, calendar) >= period.start else zone_day + timedelta(days=1)
    return DaySpan(first, max(first, day_of(period.end, calendar)))


def day_of(moment: datetime, calendar: str) -> date:
    """Return the calendar's day in which *moment* lies."""
    span = list_offsets(Period(moment, moment), calendar)[0]
    return (moment.astimezone(UTC) + span.offset).date()


def _joined(spans: Iterable[DaySpan]) -> tuple[DaySpan, ...]:
    joined: list[DaySpan] = []
    for span in spans:
        if joined and joined[-1].end == span.first:
            joined[-1] = DaySpan(joined[-1].first, span.end)
        else:
            joined.append(span)
    return tuple(joined)


def _gaps(period: Period, covered: Iterable[Period]) -> Iterable[Period]:
    at = period.start
    for part in covered:
        if at < part.start:
            yield Period(at, part.start)
        at = part.end
    if at < period.end:
        yield Period(at, period.end)
