"""Time zones, by their IANA names."""

import functools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from core.errors import InvalidInput

# Old names and what is not a place: they work where somebody has one, but nobody needs to choose among them.
_REGIONS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


@functools.cache
def list_time_zones() -> tuple[str, ...]:
    """Return the zones to choose among, in alphabetical order, after UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(_REGIONS)))


def check_time_zone(name: str) -> str:
    """Return *name*. Raises: InvalidInput: no zone is called so."""
    # Asked in the list first: ZoneInfo reads a file of this name.
    if name not in _known():
        raise InvalidInput("There is no such time zone.", hint="Choose one from the list.", field="time_zone")
    return name


def offset_text(name: str, now: datetime) -> str:
    """Return how far the zone's clocks are from UTC: "UTC+05:30"."""
    offset = now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - {"Factory", "localtime"}
