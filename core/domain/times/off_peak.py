"""Off-peak hours: when heavy work may be done."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.errors import ConfigurationError

_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True)
class OffPeak:
    """From the local hour *first* to before *end* in *time_zone*; over midnight when end is not after first."""

    first: int
    end: int
    time_zone: str

    def contains(self, moment: datetime) -> bool:
        """
        Return whether *moment* (aware) lies in the hours, as the zone's clocks show them.

        An hour that a clock skips is missing from that night, one that it shows twice is there twice.
        """
        hour = moment.astimezone(ZoneInfo(self.time_zone)).hour
        if self.first < self.end:
            return self.first <= hour < self.end
        return hour >= self.first or hour < self.end


def parse_off_peak(hours: str, time_zone: str) -> OffPeak:
    """
    Read hours such as "1-5" or "22-5"; empty means any time.

    Raises: ConfigurationError: not two hours from 0 to 24, or no such time zone.
    """
    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"HELIOGRAPH_MAINTENANCE_ZONE is {time_zone!r}, which is not a time zone.",
            hint="Write it like UTC or Europe/Berlin.",
        ) from error
    if not hours.strip():
        return OffPeak(0, 24, time_zone)
    found = _HOURS.fullmatch(hours.strip())
    first, end = map(int, found.groups()) if found else (24, 24)
    if first > 23 or end > 24 or first == end:
        raise ConfigurationError(
            f"HELIOGRAPH_MAINTENANCE_HOURS is {hours!r}.",
            hint="Write two different hours, such as 1-5 or 22-5, or leave it empty for any time.",
        )
    return OffPeak(first, end, time_zone)
