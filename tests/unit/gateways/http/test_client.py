from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.gateways.http.client import RETRY_MOST_S, ApiAnswer, read_retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999999999999999999", RETRY_MOST_S),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Wed, 99 Oct 9999999 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None):
    assert read_retry_after(text) == seconds


def test_a_date_to_come_is_waited_for_an_hour_at_most():
    assert read_retry_after(format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)) == RETRY_MOST_S


@pytest.mark.parametrize("body", [None, b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000, b"nul"])
def test_what_is_no_json_is_nothing(body: bytes | None):
    assert ApiAnswer(200, body).read_json() is None
