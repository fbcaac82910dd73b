"""Periods of time as people choose them: calendar days and months of the viewer's own time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InvalidInput

# Bounds of a custom range; datetime itself ends where an offset would lead beyond year 1 or 9999.
FIRST_YEAR, LAST_YEAR = 1970, 2999


class Preset(StrEnum):
    """The guide's words for the choices of Filter By Date."""

    LAST_10_MINUTES = "Last 10 minutes"
    LAST_HOUR = "Last hour"
    TODAY = "Today"
    YESTERDAY = "Yesterday"
    LAST_7_DAYS = "Last 7 Days"
    LAST_30_DAYS = "Last 30 Days"
    THIS_MONTH = "This Month"
    LAST_MONTH = "Last Month"
    CUSTOM_RANGE = "Custom range"


@dataclass(frozen=True)
class Period:
    """From *start* on, before *end*; both aware, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class OffsetSpan:
    """From *since* (aware UTC) on, local time is UTC plus *offset*."""

    since: datetime
    offset: timedelta


def resolve_period(preset: Preset, now: datetime, time_zone: str, custom: tuple[date, date] | None = None) -> Period:
    """
    Return the period a choice means at *now* in *time_zone*.

    Days begin at local midnight, so one may have 23 or 25 hours. Last 7 Days and Last 30 Days count today;
    what includes today ends with it, so that the answer stays the same all day.

    Args:
        preset: The choice.
        now: Aware, in any zone.
        time_zone: IANA name.
        custom: First and last day, both included; for Custom range only.

    Raises: InvalidInput: no such time zone; Custom range without two days, in the wrong order, or out of bounds.
    """
    zone = _zone(time_zone)
    if preset is Preset.LAST_10_MINUTES or preset is Preset.LAST_HOUR:
        minutes = 10 if preset is Preset.LAST_10_MINUTES else 60
        end = now.astimezone(UTC)
        return Period(end - timedelta(minutes=minutes), end)
    days = _check_custom(custom) if preset is Preset.CUSTOM_RANGE else _days(preset, now.astimezone(zone).date())
    first, last = days
    return Period(day_start(first, time_zone), day_start(last + timedelta(days=1), time_zone))


def day_start(day: date, time_zone: str) -> datetime:
    """
    Return the first moment of *day* in *time_zone*, in UTC.

    Where clocks skip midnight the day begins when they skip it; where they repeat it, the first time.

    Raises: InvalidInput: no such time zone.
    """
    return datetime.combine(day, time(), tzinfo=_zone(time_zone)).astimezone(UTC)


def list_offsets(period: Period, time_zone: str) -> tuple[OffsetSpan, ...]:
    """
    Return the offsets of *time_zone* during the period: the first since its start, then one per change.

    Raises: InvalidInput: no such time zone.
    """
    zone = _zone(time_zone)
    spans = [OffsetSpan(period.start, _offset(period.start, zone))]
    # Offsets change on a few days of a year, never twice within one.
    known, step = period.start, timedelta(days=1)
    while known < period.end:
        later = min(known + step, period.end)
        if _offset(later, zone) != spans[-1].offset:
            change = _find_change(known, later, zone)
            spans.append(OffsetSpan(change, _offset(change, zone)))
        known = later
    return tuple(span for span in spans if span.since < period.end or span is spans[0])


def _days(preset: Preset, today: date) -> tuple[date, date]:
    first_of_month = today.replace(day=1)
    last_of_previous = first_of_month - timedelta(days=1)
    return {
        Preset.TODAY: (today, today),
        Preset.YESTERDAY: (today - timedelta(days=1), today - timedelta(days=1)),
        Preset.LAST_7_DAYS: (today - timedelta(days=6), today),
        Preset.LAST_30_DAYS: (today - timedelta(days=29), today),
        Preset.THIS_MONTH: (first_of_month, today),
        Preset.LAST_MONTH: (last_of_previous.replace(day=1), last_of_previous),
    }[preset]


def _check_custom(custom: tuple[date, date] | None) -> tuple[date, date]:
    if custom is None:
        raise InvalidInput("The custom range has no dates.", hint="Choose its first and last day.", field="period")
    first, last = custom
    if first > last:
        raise InvalidInput(
            f"The range ends on {last}, before it starts on {first}.",
            hint="Choose a last day that is not before the first.",
            field="period",
        )
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise InvalidInput(
            f"The range from {first} to {last} is out of bounds.",
            hint=f"Choose days in the years {FIRST_YEAR} to {LAST_YEAR}.",
            field="period",
        )
    return first, last


def _find_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second in (before, after] that has the offset of *after*."""
    old = _offset(before, zone)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    # Changes happen at whole seconds; the period may start between two.
    return after.replace(microsecond=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _zone(time_zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{time_zone!r} is not a time zone.", hint="Choose one, such as Europe/Berlin.", field="time_zone"
        ) from error
