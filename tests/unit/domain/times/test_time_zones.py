from datetime import UTC, datetime

import pytest

from core.domain.times.time_zones import check_time_zone, list_time_zones, offset_text
from core.errors import InvalidInput

SUMMER, WINTER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC), datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def test_utc_comes_first_and_every_zone_can_be_chosen():
    zones = list_time_zones()
    assert zones[0] == "UTC"
    assert list(zones[1:]) == sorted(zones[1:])
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"} <= set(zones)
    assert [check_time_zone(name) for name in zones] == list(zones)


def test_an_old_name_still_works():
    assert check_time_zone("US/Eastern") == "US/Eastern"
    assert "US/Eastern" not in list_time_zones()


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "europe/berlin", "Europe"])
def test_what_is_no_zone_is_refused(name: str):
    with pytest.raises(InvalidInput) as caught:
        check_time_zone(name)
    assert caught.value.field == "time_zone"


@pytest.mark.parametrize(
    ("name", "now", "offset"),
    [
        ("UTC", SUMMER, "UTC+00:00"),
        ("Europe/Berlin", SUMMER, "UTC+02:00"),
        ("Europe/Berlin", WINTER, "UTC+01:00"),
        ("America/St_Johns", WINTER, "UTC-03:30"),
        ("Asia/Kathmandu", SUMMER, "UTC+05:45"),
    ],
)
def test_the_offset_is_that_of_the_moment(name: str, now: datetime, offset: str):
    assert offset_text(name, now) == offset
