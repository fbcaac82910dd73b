from datetime import UTC, datetime, timedelta

import pytest

from core.domain.campaigns.schedules import FURTHEST, check_schedule, format_schedule, parse_schedule
from core.errors import InvalidInput

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_time_is_the_viewers_own():
    schedule = parse_schedule(" 05/03/2026 09:30 ", "Europe/Berlin", NOW)
    assert (schedule.at, schedule.note) == (datetime(2026, 3, 5, 8, 30, tzinfo=UTC), "")
    assert format_schedule(schedule.at, "Europe/Berlin") == "05/03/2026 09:30"
    assert parse_schedule("05/03/2026 09:30", "Asia/Kathmandu", NOW).at == datetime(2026, 3, 5, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-03-05 09:30", "31/02/2026 10:00", "05/03/2026", "05/03/2026 25:00"])
def test_what_is_no_time_is_refused_with_an_example(text: str):
    with pytest.raises(InvalidInput, match="not a date and time") as caught:
        parse_schedule(text, "UTC", NOW)
    assert "01/03/2026 12:00" in caught.value.hint
    assert caught.value.field == "schedule_at"


def test_a_time_the_clocks_skip_is_explained():
    with pytest.raises(InvalidInput, match="skip 02:30 in Europe/Berlin") as caught:
        parse_schedule("29/03/2026 02:30", "Europe/Berlin", NOW)
    assert "03:30" in caught.value.hint
    assert parse_schedule("29/03/2026 03:30", "Europe/Berlin", NOW).at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_means_the_first_and_says_so():
    schedule = parse_schedule("25/10/2026 02:30", "Europe/Berlin", NOW)
    assert schedule.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "occurs twice" in schedule.note
    assert "00:30 UTC" in schedule.note


@pytest.mark.parametrize(("at", "reason"), [(NOW, "past"), (NOW + FURTHEST + timedelta(seconds=1), "a year away")])
def test_the_past_and_the_far_future_are_refused(at: datetime, reason: str):
    with pytest.raises(InvalidInput, match=reason):
        check_schedule(at, NOW)
    check_schedule(NOW + timedelta(seconds=1), NOW)


@pytest.mark.parametrize("time_zone", ["America/New_York", "Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(("text", "reason"), [("31/12/9999 23:59", "a year away"), ("01/01/0001 00:00", "past")])
def test_the_ends_of_the_calendar_are_refused_in_words(time_zone: str, text: str, reason: str):
    with pytest.raises(InvalidInput, match=reason):
        parse_schedule(text, time_zone, NOW)
