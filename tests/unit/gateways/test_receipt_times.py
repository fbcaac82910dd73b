from datetime import UTC, datetime, timedelta

import pytest

from core.gateways.receipt_times import read_done_at

ARRIVED_AT = datetime(2026, 11, 28, 16, 31, 5, 250_000, tzinfo=UTC)


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-28T{time}+00:00")


@pytest.mark.parametrize(
    ("done_date", "done_at"),
    [
        ("2611281631", ARRIVED_AT),
        ("2611281630", at("16:30:59")),
        # The provider's clock is ahead.
        ("2611281632", at("16:32:59")),
        ("261128163100", at("16:31:00")),
        ("2026-11-28 16:30", at("16:30:59")),
        ("2026-11-28 16:30:00", at("16:30:00")),
    ],
)
def test_a_time_without_seconds_is_the_last_of_its_minute_that_can_be_true(done_date: str, done_at: datetime):
    assert read_done_at(done_date, 0, ARRIVED_AT) == done_at


@pytest.mark.parametrize("second", range(60))
def test_nothing_is_done_before_it_was_sent(second: int):
    sent_at = at("16:31:00") + timedelta(seconds=second)
    for took_s in (0, 1, 30, 90):
        done_at = sent_at + timedelta(seconds=took_s)
        said = read_done_at(f"{done_at:%y%m%d%H%M}", 0, done_at + timedelta(milliseconds=300))
        assert sent_at <= said
        assert abs(said - done_at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "zone", ["+02:00", "+0200", "+02", " +02:00", " +0200", " +02", " +0200 CEST", " 0200", " 02:00", ".123 +0200"]
)
def test_a_time_is_read_by_its_own_zone(zone: str):
    assert read_done_at(f"2026-11-28 18:30:00{zone}", 60, ARRIVED_AT) == at("16:30:00")


@pytest.mark.parametrize("zone", ["Z", " Z", " UTC", " GMT", "+00", " -0000"])
def test_a_time_in_utc_is_not_taken_for_another(zone: str):
    assert read_done_at(f"2026-11-28 16:30:00{zone}", 60, ARRIVED_AT) == at("16:30:00")


@pytest.mark.parametrize("behind", ["", " DELIVRD", " 26201", " 16:30:00", " +", "+026"])
def test_what_is_no_zone_leaves_that_of_the_settings(behind: str):
    assert read_done_at(f"2026-11-28 17:30:00{behind}", 60, ARRIVED_AT) == at("16:30:00")
