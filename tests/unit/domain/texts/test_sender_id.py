import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.texts.sender_id import SENDER_ID_FAULTS, SenderIdFault, parse_sender_id, warn_sender_id
from core.errors import InvalidSenderId


@pytest.mark.parametrize(
    "text",
    [
        "Acme",
        "A",
        "Acme Shop",
        "H&M",
        "a.b-c_d",
        "4YOU",
        "ABCDEFGHIJK",
        "12345",
        "+4917900000",
        "1" * 16,
        "+" + "1" * 16,
    ],
)
def test_sender_ids(text: str):
    assert parse_sender_id(text) == text


def test_spaces_around_a_sender_id_are_dropped():
    assert parse_sender_id("  Acme Shop \n") == "Acme Shop"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", SenderIdFault.EMPTY),
        ("   ", SenderIdFault.EMPTY),
        ("Müller", SenderIdFault.CHARACTER),
        ("Acme!", SenderIdFault.CHARACTER),
        ("Ac\nme", SenderIdFault.CHARACTER),
        ("+", SenderIdFault.CHARACTER),
        ("+49abc", SenderIdFault.CHARACTER),
        ("٣٤٥", SenderIdFault.CHARACTER),
        ("0179 555", SenderIdFault.NO_LETTER),
        ("-._&", SenderIdFault.NO_LETTER),
        ("ABCDEFGHIJKL", SenderIdFault.NAME_TOO_LONG),
        ("1" * 17, SenderIdFault.NUMBER_TOO_LONG),
        ("+" + "1" * 17, SenderIdFault.NUMBER_TOO_LONG),
    ],
)
def test_texts_that_are_no_sender_id(text: str, fault: SenderIdFault):
    message, hint = SENDER_ID_FAULTS[fault]
    with pytest.raises(InvalidSenderId) as caught:
        parse_sender_id(text)
    assert (caught.value.message, caught.value.hint, caught.value.field) == (message, hint, "sender_id")


def test_every_fault_has_its_sentences():
    assert set(SENDER_ID_FAULTS) == set(SenderIdFault)


@given(st.text(st.sampled_from("aZ09 .-_&+é"), max_size=20))
def test_what_is_parsed_parses_to_itself(text: str):
    try:
        sender_id = parse_sender_id(text)
    except InvalidSenderId:
        return
    assert parse_sender_id(sender_id) == sender_id
    assert len(sender_id.lstrip("+")) <= (16 if sender_id.lstrip("+").isdigit() else 11)


@pytest.mark.parametrize("sender_id", ["Abc", "ABCDEFGHIJK", "123", "1" * 14, "+" + "1" * 14])
def test_no_warning_for_what_the_default_provider_takes(sender_id: str):
    assert warn_sender_id(sender_id) == ""


@pytest.mark.parametrize(
    ("sender_id", "bounds"), [("A", "3 to 11"), ("Ab", "3 to 11"), ("12", "3 to 14"), ("1" * 15, "3 to 14")]
)
def test_a_warning_names_the_tighter_bounds(sender_id: str, bounds: str):
    assert bounds in warn_sender_id(sender_id)
