"""What rollups rest on: in which days and months of a zone's calendar a period can be put together."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.times.periods import Period, list_offsets
from core.history.rollups.calendars import (
    SINCE,
    Cover,
    cover,
    day_of,
    find_calendar,
    list_neighbors,
    month_period,
    next_month,
)

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")
QUARTER = timedelta(minutes=15)
# Ends before a zone that is changed every year by a table reaches the end of it.
UNTIL = datetime(2031, 1, 1, tzinfo=UTC)


def test_a_quarter_of_an_hour_belongs_to_one_day_in_every_zone() -> None:
    for zone in sorted(available_timezones()):
        _check_quarters(zone)


def _check_quarters(zone: str) -> None:
    spans = list_offsets(Period(SINCE, UNTIL), zone)
    assert all(span.offset % QUARTER == timedelta() for span in spans), zone
    for before, after in itertools.pairwise(spans):
        # Some clocks change a minute past the hour, but then within one day.
        slot = after.since - (after.since - SINCE) % QUARTER
        slot_ends = slot + QUARTER - timedelta(microseconds=1)
        offset = before.offset if slot < after.since else after.offset
        day = (after.since + after.offset).date()
        assert (slot + offset).date() == (slot_ends + after.offset).date() == day, zone
        # Clocks that go back over midnight would show a day twice, with another one between.
        last_shown = after.since - timedelta(microseconds=1) + before.offset
        assert day >= last_shown.date(), zone


moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
months = st.sets(st.builds(date, st.sampled_from([2024, 2025, 2026]), st.integers(1, 12), st.just(1)))


@given(start=moments, length=st.timedeltas(timedelta(), timedelta(days=500)), built=months)
@pytest.mark.parametrize("zone", ZONES)
def test_the_parts_of_a_period_make_it_up_without_a_gap_or_an_overlap(
    zone: str, start: datetime, length: timedelta, built: set[date]
) -> None:
    period = Period(start, start + length)
    found = cover(period, zone, built)
    parts = sorted([*found.whole, *found.edges], key=lambda part: part.start)
    at = period.start
    for part in parts:
        assert part.start == at
        assert part.start <= part.end
        at = part.end
    assert at == period.end or not parts
    _check_days(found, zone, built)


def _check_days(found: Cover, zone: str, built: set[date]) -> None:
    """The days that were found are those in which the whole parts lie."""
    days = {first + timedelta(days=number) for first, end in _ends(found) for number in range((end - first).days)}
    shown = set()
    for part in found.whole:
        first, last = day_of(part.start, zone), day_of(part.end - timedelta(microseconds=1), zone)
        shown |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    assert shown == days
    assert {day.replace(day=1) for day in days} <= built


def _ends(found: Cover) -> list[tuple[date, date]]:
    return [(span.first, span.end) for span in found.days]


def test_zones_whose_days_agree_share_a_calendar() -> None:
    assert find_calendar("Europe/Vienna", {"UTC", "Europe/Berlin"}) == "Europe/Berlin"
    assert find_calendar("Etc/UTC", {"UTC"}) == "UTC"
    assert find_calendar("Europe/London", {"UTC", "Europe/Berlin"}) is None


def test_a_month_ends_where_the_next_one_begins() -> None:
    assert next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_period(date(2026, 3, 1), "Europe/Berlin") == Period(
        datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    )


def test_messages_of_a_month_of_utc_may_lie_in_the_neighboring_months_elsewhere() -> None:
    assert list_neighbors([date(2026, 1, 1)]) == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert list_neighbors([date(1999, 1, 1)]) == []
