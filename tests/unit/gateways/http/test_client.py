import pytest

from core.gateways.http.client import RETRY_MOST_S, ApiAnswer, read_retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999999999999999999", RETRY_MOST_S),
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


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:30 GMT", 0.0),
        ("Wed, 28 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", RETRY_MOST_S),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "today", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000", None),
    ],
)
def test_a_time_is_one_of_the_provider_s_own_clock(text: str, date: str, seconds: float | None):
    assert read_retry_after(text, date) == seconds


@pytest.mark.parametrize("body", [None, b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000, b"nul"])
def test_what_is_no_json_is_nothing(body: bytes | None):
    assert ApiAnswer(200, body).read_json() is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_an_answer_may_have_the_letters_of_windows(encoding: str):
    # Where it is not read, a message is unknown that was taken.
    answer = {"id": "1", "said": "enviado con éxito"}
    assert ApiAnswer(200, '{"id": "1", "said": "enviado con éxito"}'.encode(encoding)).read_json() == answer
