import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.texts.encoding import GSM7_ALPHABET, GSM7_CHARACTERS, Encoding, count_septets
from core.domain.texts.octets import decode_gsm7, decode_ucs2, encode_octets
from core.errors import UnencodableText

GSM7_TEXTS = st.text(st.sampled_from(sorted(GSM7_CHARACTERS)))


def test_an_octet_is_a_septet_and_an_escape_pair_two():
    assert encode_octets("@£ aZ€[", Encoding.GSM7) == bytes.fromhex("00 01 20 61 5a 1b65 1b3c")


def test_ucs2_has_the_high_octet_first_and_no_mark():
    assert encode_octets("aЖ🎉", Encoding.UCS2) == bytes.fromhex("0061 0416 d83cdf89")


@pytest.mark.parametrize(
    ("text", "encoding"), [("ç", Encoding.GSM7), ("a\x1b", Encoding.GSM7), ("\ud83c", Encoding.UCS2)]
)
def test_a_character_outside_the_encoding_is_refused(text: str, encoding: Encoding):
    with pytest.raises(UnencodableText):
        encode_octets(text, encoding)


@given(GSM7_TEXTS)
def test_a_gsm7_text_comes_back_and_takes_an_octet_a_septet(text: str):
    octets = encode_octets(text, Encoding.GSM7)
    assert decode_gsm7(octets) == text
    assert len(octets) == count_septets(text)


@given(st.text())
def test_a_ucs2_text_comes_back(text: str):
    assert decode_ucs2(encode_octets("x" + text, Encoding.UCS2)) == "x" + text


@given(st.binary())
def test_any_octets_are_a_text(octets: bytes):
    assert set(decode_gsm7(octets)) <= GSM7_CHARACTERS
    decode_ucs2(octets).encode()


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        # A code the extension table does not know is one of the alphabet.
        (b"\x1bA", "A"),
        (b"\x1b\x00", "@"),
        # An escape with nothing to go with it.
        (b"a\x1b", "a "),
        (b"\x1b\x1be", " e"),
        # The highest bit is no part of a septet, that of an escape neither.
        (b"\xc1\x9b\xe5", "A€"),
    ],
)
def test_codes_without_a_character_are_read_as_the_standard_says(octets: bytes, text: str):
    assert decode_gsm7(octets) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\xfe\xff\x00a", "a"),
        (b"\xff\xfea\x00", "a"),
        (b"\x00a\x00", "a\ufffd"),
        (b"\xd8\x3c\x00a", "\ufffda"),
    ],
)
def test_a_mark_says_the_order_and_half_a_character_is_replaced(octets: bytes, text: str):
    assert decode_ucs2(octets) == text


def test_every_code_of_the_alphabet_but_the_escape_stands_for_its_character():
    assert [decode_gsm7(bytes([code])) for code in range(128) if code != 0x1B] == list(
        GSM7_ALPHABET.replace("\x1b", "")
    )
