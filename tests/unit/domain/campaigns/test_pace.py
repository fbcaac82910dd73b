from datetime import UTC, datetime, timedelta

import pytest

from core.domain.campaigns.pace import Pace

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def seen(per_s: int, seconds: range, pace: Pace | None = None, before: int = 0) -> Pace:
    """Look once a second while so many are sent each second."""
    pace = pace or Pace()
    for second in seconds:
        before += per_s
        pace.look(before, at(second))
    return pace


def test_it_is_told_once_enough_was_seen():
    assert Pace().per_s is None
    assert seen(40, range(3)).per_s is None
    assert seen(40, range(4)).per_s == pytest.approx(40)


def test_it_is_that_of_the_last_minute():
    pace = seen(100, range(600))
    seen(10, range(600, 660), pace, 60_000)
    assert pace.per_s == pytest.approx(10)


def test_a_pause_is_no_part_of_it():
    pace = seen(40, range(30))
    pace.rest()
    assert pace.per_s is None
    seen(40, range(1_000, 1_010), pace, 1_200)
    assert pace.per_s == pytest.approx(40)


def test_what_nobody_saw_is_no_part_of_it():
    pace = seen(40, range(30))
    pace.look(1_240, at(500))
    assert pace.per_s is None
    seen(40, range(501, 511), pace, 1_240)
    assert pace.per_s == pytest.approx(40)


@pytest.mark.parametrize(("count", "second"), [(10, 31), (1_300, 5)])
def test_it_begins_anew_where_the_count_or_the_clock_goes_back(count: int, second: int):
    pace = seen(40, range(30))
    pace.look(count, at(second))
    assert pace.per_s is None


def test_it_stands_when_nothing_left_for_a_minute():
    assert not Pace().is_standing
    assert not seen(1, range(120)).is_standing
    assert not seen(0, range(59)).is_standing
    assert seen(0, range(120), before=50).is_standing


def test_it_keeps_no_more_than_a_minute():
    pace = Pace()
    for tenth in range(20_000):
        pace.look(tenth, at(tenth / 10))
    assert len(pace._seen) <= 602
