"""The time in a delivery receipt, in whichever form a provider writes it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

# From UTC-12 to UTC+14.
MIN_OFFSET_MIN, MAX_OFFSET_MIN = -12 * 60, 14 * 60
# The first SMS was sent on that day.
_EARLIEST = datetime(1992, 12, 3, tzinfo=UTC)
_MOST_AHEAD = timedelta(days=1)
_REST_OF_MINUTE = timedelta(seconds=59)
_PARTED = re.compile(
    r"(?<![0-9])([0-9]{4}|[0-9]{2})[-/.]([0-9]{2})[-/.]([0-9]{2})[T ]+([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
    # The + of a zone is a blank where an address was written without escaping it.
    r"(?:[.,][0-9]+)? ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?(?![0-9])|(?<= )[0-9]{2}:?[0-9]{2}(?![0-9:]))?"
)
_SOLID = re.compile(r"(?<![0-9])(?:([0-9]{6}(?:[0-9]{2})?)[T ]([0-9]{6}|[0-9]{4})|([0-9]{10,17}))(?![0-9])([+-]?)")


class _Time(NamedTuple):
    moment: datetime
    has_seconds: bool = True


def read_done_at(done_date: str, offset_min: int, arrived_at: datetime) -> datetime:
    """
    Return the time that *done_date* names, in UTC; *arrived_at* where it names none that can be true.

    Args:
        done_date: YYMMDDhhmm, with seconds or not, with two or four digits of the year; parted, as in 2026-11-28
            16:31:01; seconds or milliseconds since 1970; or SMPP's own form (7.1.1), which says its zone itself.
        offset_min: How far the clock it was read from is ahead of UTC, in minutes.
        arrived_at: When the receipt came.

    A time more than a day after *arrived_at* or before there were SMS cannot be true. Where digits can be read in two
    ways, the time nearer to *arrived_at* is meant. A time without seconds is any of its minute: the last is taken, or
    the arrival if that came before it, so that nothing is done before it was sent.
    """
    zone = timezone(timedelta(minutes=offset_min))
    times = [
        time for time in _iterate_times(done_date[:64], zone) if _EARLIEST <= time.moment <= arrived_at + _MOST_AHEAD
    ]
    nearest = min(times, key=lambda time: abs(time.moment - arrived_at), default=_Time(arrived_at))
    if not nearest.has_seconds:
        last = nearest.moment + _REST_OF_MINUTE
        return (arrived_at if nearest.moment <= arrived_at < last else last).astimezone(UTC)
    return nearest.moment.astimezone(UTC)


def _iterate_times(done_date: str, zone: timezone) -> Iterator[_Time]:
    if parted := _PARTED.search(done_date):
        year, *others, own_zone = parted.groups("")
        yield from _make_time(year, "".join(others), _read_zone(own_zone) if own_zone else zone)
    elif solid := _SOLID.search(done_date):
        day, time, digits, sign = solid.groups("")
        yield from _read_solid(digits or day + time, sign, zone)


def _read_zone(text: str) -> timezone | None:
    digits = "".join(filter(str.isdigit, text))
    return _make_zone(text[0], int(digits[:2]) * 60 + int(digits[2:] or 0)) if digits else UTC


def _make_zone(sign: str, minutes: int) -> timezone | None:
    if minutes > MAX_OFFSET_MIN:
        return None
    return timezone(timedelta(minutes=-minutes if sign == "-" else minutes))


def _read_solid(digits: str, sign: str, zone: timezone | None) -> Iterator[_Time]:
    count = len(digits)
    if count == 15 and sign:
        # SMPP 3.4, 7.1.1: behind the seconds a tenth of one, and quarters of an hour ahead of UTC or behind.
        zone = _make_zone(sign, 15 * int(digits[13:]))
    if count in (10, 13):
        # A reading as seconds is far in the future for whatever else the digits mean, and the other way round.
        yield _Time(datetime.fromtimestamp(int(digits[:10]), UTC))
    if count in (10, 12, 13, 15):
        yield from _make_time(digits[:2], digits[2:12], zone)
    if count in (12, 14, 17):
        yield from _make_time(digits[:4], digits[4:14], zone)


def _make_time(year: str, others: str, zone: timezone | None) -> Iterator[_Time]:
    if zone is None:
        return
    month, day, hour, minute, *second = (int(others[at : at + 2]) for at in range(0, len(others), 2))
    try:
        full_year = int(year) + (2000 if len(year) == 2 else 0)
        yield _Time(datetime(full_year, month, day, hour, minute, sum(second), tzinfo=zone), bool(second))
    except ValueError:
        # There is no such day or hour: a field of zeros, or another order.
        return
