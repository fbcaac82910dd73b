import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.texts.encoding import (
    GSM7_ALPHABET,
    GSM7_CHARACTERS,
    GSM7_EXTENSION,
    Encoding,
    choose_encoding,
    count_code_units,
    count_septets,
    mark_pairs,
)
from core.errors import UnencodableText
from tests.support.cases.segment_vectors import Vector, load_vectors


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
def test_vectors(vector: Vector):
    assert choose_encoding(vector.text) == vector.encoding
    count = count_septets if vector.encoding == Encoding.GSM7 else count_code_units
    assert count(vector.text) == vector.units


def test_the_alphabet_has_128_codes_in_the_standards_order():
    assert len(GSM7_ALPHABET) == len(set(GSM7_ALPHABET)) == 128
    # Where GSM agrees with ASCII, a character's place is its ASCII code.
    agreeing = [character for code, character in enumerate(GSM7_ALPHABET) if code == ord(character)]
    expected = "\n\r\x1b !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert "".join(agreeing) == expected
    places = {
        0x00: "@",
        0x02: "$",
        0x09: "Ç",
        0x10: "Δ",
        0x11: "_",
        0x1E: "ß",
        0x40: "¡",
        0x5F: "§",
        0x60: "¿",
        0x7F: "à",
    }
    assert {code: GSM7_ALPHABET[code] for code in places} == places


def test_the_extension_adds_ten_characters():
    assert len(GSM7_EXTENSION) == len(set(GSM7_EXTENSION.values())) == 10
    assert len(GSM7_CHARACTERS) == 137


@given(st.text())
def test_encoding_is_gsm7_exactly_when_every_character_is(text: str):
    assert (choose_encoding(text) is Encoding.GSM7) == all(character in GSM7_CHARACTERS for character in text)


@given(st.text())
def test_code_units_are_those_of_utf_16(text: str):
    assert count_code_units(text) == len(text.encode("utf-16-le")) // 2


@given(st.text(st.sampled_from(sorted(GSM7_CHARACTERS))))
def test_septets_are_those_of_the_characters(text: str):
    assert count_septets(text) == sum(2 if character in GSM7_EXTENSION else 1 for character in text)


def test_a_character_outside_gsm7_is_named_with_its_position():
    with pytest.raises(UnencodableText) as caught:
        count_septets("10 €, 🎉")
    assert (caught.value.character, caught.value.position) == ("🎉", 6)


def test_half_a_surrogate_pair_is_no_character():
    with pytest.raises(UnencodableText) as caught:
        count_code_units("я\ud83d")
    assert caught.value.position == 1


def test_a_mark_stands_before_each_pair():
    assert mark_pairs("a€b{", Encoding.GSM7, "#") == "a#€b#{"
    assert mark_pairs("a€🎉", Encoding.UCS2, "#") == "a€#🎉"
