from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pages._ui import formats, tables


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (999, "999"), (1_234_567, "1\u202f234\u202f567"), (None, "–")])
def test_numbers_are_grouped(value: int | None, shown: str) -> None:
    assert formats.number(value) == shown


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(0, "0\u00a0%"), (1, "100\u00a0%"), (0.9434, "94.3\u00a0%"), (0.99999, "99.9\u00a0%"), (0.00001, "0.1\u00a0%")],
)
def test_rates_are_never_rounded_to_none_or_all(rate: float, shown: str) -> None:
    assert formats.percent(rate) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("7.25", "7.25"), ("7.5", "7.50"), ("0.0050", "0.005"), ("1234", "1\u202f234.00")]
)
def test_cents_keep_what_they_carry(value: str, shown: str) -> None:
    assert formats.cents(Decimal(value)) == shown


def test_cents_become_euros() -> None:
    assert formats.euros(Decimal("123456.00")) == "€\u00a01\u202f234.56"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (4.21, "4.2\u00a0s"),
        (59.96, "1\u00a0min"),
        (180, "3\u00a0min"),
        (7_500, "2\u00a0h 5\u00a0min"),
        (7_200, "2\u00a0h"),
        (273_600, "3\u00a0d 4\u00a0h"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float, shown: str) -> None:
    assert formats.duration(seconds) == shown


def test_moments_are_shown_in_the_viewers_zone() -> None:
    assert formats.moment(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "Europe/Berlin") == "02/07/2026 00:30"


def test_a_moment_without_a_zone_is_utc() -> None:
    assert formats.moment(datetime(2026, 1, 1, 12, 0), "Europe/Berlin") == "01/01/2026 13:00"


def test_what_people_wrote_is_no_markup() -> None:
    assert formats.plain("5 @ home: a://b") == r"5 @ home\: a\::small[]//b"
    for address in ("https://evil.example/x", "www.evil.example", "WWW.evil.example", "eve@evil.example"):
        assert formats.plain(address).count(":small[]") == 1
    assert formats.plain("**Sale** <b>:red[x]</b> $1$") == r"\*\*Sale\*\* \<b\>\:red\[x\]\</b\> \$1\$"


@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_nothing_that_somebody_wrote_turns_the_direction_of_writing(control: str):
    column = tables.text("Text", "text")
    assert column.convert(f"+49{control}123") == "+49\N{REPLACEMENT CHARACTER}123"


def test_words_written_from_right_to_left_stay_as_they_are():
    assert formats.upright("שלום\u200f!") == "שלום\u200f!"
    assert formats.upright(7) == "7"
