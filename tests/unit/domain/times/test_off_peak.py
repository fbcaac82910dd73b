from datetime import UTC, datetime, timedelta

import pytest

from core.domain.times.off_peak import OffPeak, parse_off_peak
from core.errors import ConfigurationError


def hours_of(off_peak: OffPeak, year: int, month: int, day: int) -> list[int]:
    """Return the hours of a day of UTC that are off-peak."""
    start = datetime(year, month, day, tzinfo=UTC)
    return [hour for hour in range(24) if off_peak.contains(start + timedelta(hours=hour, minutes=59))]


def count_hours(off_peak: OffPeak, evening: datetime) -> int:
    """Return how many of the hours from *evening* to the next one are off-peak."""
    return sum(off_peak.contains(evening + timedelta(hours=hour)) for hour in range(24))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("1-5", [1, 2, 3, 4]),
        ("22-3", [0, 1, 2, 22, 23]),
        ("23-24", [23]),
        ("20-0", [20, 21, 22, 23]),
        ("0-1", [0]),
        ("", list(range(24))),
        (" 4-5 ", [4]),
    ],
)
def test_hours_begin_with_the_first_and_end_before_the_last_over_midnight_too(hours: str, expected: list[int]):
    assert hours_of(parse_off_peak(hours, "UTC"), 2026, 6, 1) == expected


def test_hours_are_those_of_the_zone_in_summer_and_in_winter():
    night = parse_off_peak("1-4", "Europe/Berlin")
    assert hours_of(night, 2026, 1, 15) == [0, 1, 2]
    assert hours_of(night, 2026, 7, 15) == [0, 1, 23]


def test_an_hour_that_is_skipped_is_missing_and_one_that_comes_twice_counts_twice():
    night = parse_off_peak("1-4", "Europe/Berlin")
    # 2 o'clock did not exist.
    assert hours_of(night, 2026, 3, 29) == [0, 1, 23]
    assert count_hours(night, datetime(2026, 3, 28, 20, tzinfo=UTC)) == 2
    # 2 o'clock came twice: four hours from 23 UTC of the day before on.
    assert count_hours(night, datetime(2026, 10, 24, 20, tzinfo=UTC)) == 4


@pytest.mark.parametrize("hours", ["5", "1-1", "24-3", "1-25", "-1-5", "one-five", "1-5,7-8"])
def test_other_words_are_refused(hours: str):
    with pytest.raises(ConfigurationError, match="MAINTENANCE_HOURS") as refused:
        parse_off_peak(hours, "UTC")
    assert refused.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_zones_that_do_not_exist_are_refused(zone: str):
    with pytest.raises(ConfigurationError, match="MAINTENANCE_ZONE"):
        parse_off_peak("1-5", zone)
