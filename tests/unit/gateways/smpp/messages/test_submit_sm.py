import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smpp.messages.submit_sm import format_validity, make_receiver, make_sender
from core.gateways.smpp.settings import MAX_VALIDITY_MIN, NumberType, SmppSettings


@pytest.mark.parametrize(
    ("sender_id", "text", "ton", "npi"),
    [
        ("Heliograph", "Heliograph", 5, 0),
        ("A1", "A1", 5, 0),
        ("My-Shop & Co", "My-Shop & Co", 5, 0),
        ("12345", "12345", 3, 0),
        ("12345678", "12345678", 3, 0),
        ("+4915112345678", "4915112345678", 1, 1),
        # Somebody left out the +.
        ("4915112345678", "4915112345678", 1, 1),
        # No country begins so: a number of one country, or of a network.
        ("015112345678", "015112345678", 0, 1),
        ("0800", "0800", 0, 1),
        ("+12345", "12345", 1, 1),
    ],
)
def test_a_sender_is_named_by_its_form(sender_id: str, text: str, ton: int, npi: int):
    assert make_sender(sender_id, SmppSettings()) == (text, NumberType(ton, npi))


def test_the_settings_name_senders_and_receivers_otherwise():
    settings = SmppSettings(
        name_type=NumberType(5, 1),
        short_code_type=NumberType(0, 0),
        international_type=NumberType(2, 1),
        unknown_type=NumberType(4, 9),
        receiver_type=NumberType(0, 1),
    )
    senders = [make_sender(sender_id, settings).kind for sender_id in ("Shop", "123", "+491511", "0151")]
    assert senders == [(5, 1), (0, 0), (2, 1), (4, 9)]
    assert make_receiver("+491511", settings) == ("491511", (0, 1))


def test_a_receiver_is_a_number_without_its_plus():
    assert make_receiver("+4915112345678", SmppSettings()) == ("4915112345678", NumberType(1, 1))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, ""),
        (1, "000000000100000R"),
        (90, "000000013000000R"),
        (2_880, "000002000000000R"),
        (MAX_VALIDITY_MIN, "000031000000000R"),
    ],
)
def test_a_validity_is_relative(minutes: int, text: str):
    assert format_validity(minutes) == text


@given(st.integers(1, MAX_VALIDITY_MIN))
def test_a_validity_has_sixteen_characters_and_all_its_minutes(minutes: int):
    text = format_validity(minutes)
    assert len(text) == 16
    days, hours, rest = (int(text[at : at + 2]) for at in (4, 6, 8))
    assert (days * 24 + hours) * 60 + rest == minutes
    assert hours < 24
    assert rest < 60
