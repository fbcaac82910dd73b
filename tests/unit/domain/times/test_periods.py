from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.times.periods import Period, Preset, day_start, list_offsets, resolve_period
from core.errors import InvalidInput

NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # the 11th in Berlin and in Kathmandu
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "start", "end"),
    [
        (Preset.LAST_10_MINUTES, utc(2026, 3, 10, 23, 20), NOW),
        (Preset.LAST_HOUR, utc(2026, 3, 10, 22, 30), NOW),
        (Preset.TODAY, utc(2026, 3, 10, 23), utc(2026, 3, 11, 23)),
        (Preset.YESTERDAY, utc(2026, 3, 9, 23), utc(2026, 3, 10, 23)),
        (Preset.LAST_7_DAYS, utc(2026, 3, 4, 23), utc(2026, 3, 11, 23)),
        (Preset.LAST_30_DAYS, utc(2026, 2, 9, 23), utc(2026, 3, 11, 23)),
        (Preset.THIS_MONTH, utc(2026, 2, 28, 23), utc(2026, 3, 11, 23)),
        (Preset.LAST_MONTH, utc(2026, 1, 31, 23), utc(2026, 2, 28, 23)),
    ],
)
def test_presets_in_berlin(preset: Preset, start: datetime, end: datetime) -> None:
    assert resolve_period(preset, NOW, "Europe/Berlin") == Period(start, end)


def test_days_in_a_zone_with_an_odd_offset() -> None:
    period = resolve_period(Preset.TODAY, NOW, "Asia/Kathmandu")
    assert period == Period(utc(2026, 3, 10, 18, 15), utc(2026, 3, 11, 18, 15))


def test_now_may_come_in_any_zone() -> None:
    elsewhere = NOW.astimezone(ZoneInfo("America/New_York"))
    for preset in set(Preset) - {Preset.CUSTOM_RANGE}:
        period = resolve_period(preset, elsewhere, "Europe/Berlin")
        assert period == resolve_period(preset, NOW, "Europe/Berlin")
        assert period.start.tzinfo is UTC
        assert period.end.tzinfo is UTC


def test_last_month_of_january_is_december() -> None:
    period = resolve_period(Preset.LAST_MONTH, utc(2026, 1, 31, 12), "UTC")
    assert period == Period(utc(2025, 12, 1), utc(2026, 1, 1))


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_is_as_long_as_the_clocks_make_it(day: date, hours: int) -> None:
    period = resolve_period(Preset.CUSTOM_RANGE, NOW, "Europe/Berlin", (day, day))
    assert period.end - period.start == timedelta(hours=hours)


def test_a_day_without_midnight_begins_when_the_clock_skips_it() -> None:
    # In Cairo clocks went from 24:00 on the 23rd straight to 01:00 on the 24th.
    start = day_start(date(2026, 4, 24), "Africa/Cairo")
    assert start == utc(2026, 4, 23, 22)
    assert start.astimezone(ZoneInfo("Africa/Cairo")).hour == 1
    assert (start - timedelta(seconds=1)).astimezone(ZoneInfo("Africa/Cairo")).day == 23


def test_a_midnight_that_is_shown_twice_begins_the_day_the_first_time() -> None:
    # In Havana clocks went from 01:00 on the 1st back to 00:00.
    assert day_start(date(2026, 11, 1), "America/Havana") == utc(2026, 11, 1, 4)


def test_a_custom_range_includes_both_days() -> None:
    period = resolve_period(Preset.CUSTOM_RANGE, NOW, "UTC", (date(2026, 1, 1), date(2026, 1, 3)))
    assert period == Period(utc(2026, 1, 1), utc(2026, 1, 4))


@pytest.mark.parametrize(
    "custom",
    [None, (date(2026, 1, 2), date(2026, 1, 1)), (date.min, date(2026, 1, 1)), (date(2026, 1, 1), date.max)],
)
def test_an_impossible_custom_range_is_refused(custom: tuple[date, date] | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve_period(Preset.CUSTOM_RANGE, NOW, "Europe/Berlin", custom)
    assert caught.value.field == "period"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        resolve_period(Preset.TODAY, NOW, zone)


def test_offsets_of_a_year_in_berlin() -> None:
    spans = list_offsets(Period(utc(2026, 1, 1), utc(2027, 1, 1)), "Europe/Berlin")
    assert [(span.since, span.offset / timedelta(hours=1)) for span in spans] == [
        (utc(2026, 1, 1), 1),
        (utc(2026, 3, 29, 1), 2),
        (utc(2026, 10, 25, 1), 1),
    ]


def test_a_change_at_the_very_end_of_a_period_is_not_of_the_period() -> None:
    change = utc(2026, 3, 29, 1)
    assert len(list_offsets(Period(change - timedelta(days=3), change), "Europe/Berlin")) == 1
    assert len(list_offsets(Period(change, change + timedelta(days=3)), "Europe/Berlin")) == 1


@given(
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=800)),
    share=st.floats(0, 1, exclude_max=True),
)
def test_offsets_are_those_of_the_zone(zone: str, start: datetime, length: timedelta, share: float) -> None:
    period = Period(start, start + length)
    moment = start + length * share
    span = [span for span in list_offsets(period, zone) if span.since <= moment][-1]
    assert span.offset == moment.astimezone(ZoneInfo(zone)).utcoffset()
