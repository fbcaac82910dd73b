import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.texts.encoding import GSM7_ALPHABET, GSM7_EXTENSION, Encoding, choose_encoding, count_septets
from core.domain.texts.octets import decode_gsm7, decode_ucs2
from core.domain.texts.segments import measure
from core.errors import UnencodableText
from core.gateways.smpp.messages.deliver_sm import (
    MESSAGE_PAYLOAD,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
)
from core.gateways.smpp.messages.texts import SubmitPart, build_parts
from core.gateways.smpp.settings import Alphabet, LongTexts, SmppSettings
from tests.support.cases.segment_vectors import Vector, load_vectors

HEADED = (LongTexts.UDH8, LongTexts.UDH16)
NUMBERED = (*HEADED, LongTexts.SAR)
BASIC = sorted(set(GSM7_ALPHABET) - {"\x1b"})
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from([*BASIC, *GSM7_EXTENSION]), max_size=1_600).map("".join),
    st.lists(st.sampled_from("aЖ🎉𠮷\0"), max_size=700).map("".join),
    st.integers(0, 1_600).map("a".__mul__),
    st.integers(0, 700).map("Ж".__mul__),
)


def build(text: str, long_texts: LongTexts = LongTexts.UDH8, reference: int = 0xABCD) -> list[SubmitPart]:
    return build_parts(text, choose_encoding(text), SmppSettings(long_texts=long_texts), reference)


def read_header(part: SubmitPart) -> tuple[bytes, bytes]:
    """Return the header and the octets behind it."""
    if part.esm_class != 0x40:
        return b"", part.short_message
    length = part.short_message[0] + 1
    return part.short_message[:length], part.short_message[length:]


@given(TEXTS, st.sampled_from(NUMBERED))
@example("a" * 153 * 2, LongTexts.UDH16)
@example("Ж" * 67 * 2, LongTexts.UDH16)
def test_there_are_as_many_parts_as_were_counted_and_each_fits_an_sms(text: str, long_texts: LongTexts):
    parts = build(text, long_texts)
    assert len(parts) == measure(text).segment_count
    for part in parts:
        header, octets = read_header(part)
        # The SMSC writes a header of six octets for parts that are numbered beside the text.
        header_count = len(header) or (6 if len(parts) > 1 else 0)
        if choose_encoding(text) is Encoding.GSM7:
            assert header_count * 8 + len(octets) * 7 + -header_count * 8 % 7 <= 140 * 8
        else:
            assert header_count + len(octets) <= 140


@given(TEXTS, st.sampled_from(NUMBERED))
def test_the_parts_are_the_text_and_none_ends_within_a_character(text: str, long_texts: LongTexts):
    decode = decode_gsm7 if choose_encoding(text) is Encoding.GSM7 else decode_ucs2
    # Decoded one by one: half a pair would not come back.
    assert "".join(decode(read_header(part)[1]) for part in build(text, long_texts)) == text


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
@pytest.mark.parametrize("long_texts", NUMBERED)
def test_vectors(long_texts: LongTexts, vector: Vector):
    assert len(build(vector.text, long_texts)) == vector.segments


@pytest.mark.parametrize(("capacity", "letter"), [(160, "a"), (70, "Ж")])
@pytest.mark.parametrize("long_texts", LongTexts)
def test_a_text_that_fits_one_sms_has_no_header(long_texts: LongTexts, capacity: int, letter: str):
    [part] = build(letter * capacity, long_texts)
    assert (part.esm_class, part.optional) == (0, {})
    assert len(part.short_message) == (160 if letter == "a" else 140)


def test_a_header_has_the_reference_the_total_and_the_number():
    parts = build("a" * 161)
    assert [(part.esm_class, part.short_message[:6].hex()) for part in parts] == [
        (0x40, "050003cd0201"),
        (0x40, "050003cd0202"),
    ]
    assert [len(part.short_message) for part in parts] == [6 + 153, 6 + 8]


def test_a_wide_header_has_two_octets_of_reference_and_leaves_a_septet_less():
    parts = build("a" * 161, LongTexts.UDH16)
    assert [part.short_message[:7].hex() for part in parts] == ["060804abcd0201", "060804abcd0202"]
    assert [len(part.short_message) for part in parts] == [7 + 152, 7 + 9]


def test_a_wide_header_gives_way_to_the_narrow_one_where_it_would_cost_a_segment():
    assert [part.short_message[:3].hex() for part in build("a" * 304, LongTexts.UDH16)] == ["060804"] * 2
    assert [part.short_message[:3].hex() for part in build("a" * 305, LongTexts.UDH16)] == ["050003"] * 2


def test_parameters_number_the_parts():
    parts = build("a" * 161, LongTexts.SAR, 0x1ABCD)
    assert [part.optional for part in parts] == [
        {SAR_MSG_REF_NUM: b"\xab\xcd", SAR_TOTAL_SEGMENTS: b"\x02", SAR_SEGMENT_SEQNUM: b"\x01"},
        {SAR_MSG_REF_NUM: b"\xab\xcd", SAR_TOTAL_SEGMENTS: b"\x02", SAR_SEGMENT_SEQNUM: b"\x02"},
    ]
    assert [(part.esm_class, len(part.short_message)) for part in parts] == [(0, 153), (0, 8)]


def test_a_payload_has_the_whole_text():
    assert build("€" * 200, LongTexts.PAYLOAD) == [SubmitPart(b"", 0, 0, {MESSAGE_PAYLOAD: b"\x1be" * 200})]
    [part] = build("🎉" * 200, LongTexts.PAYLOAD)
    assert (part.data_coding, part.optional) == (8, {MESSAGE_PAYLOAD: "🎉".encode("utf-16-be") * 200})


def test_the_settings_say_the_data_codings():
    settings = SmppSettings(gsm7_data_coding=0xF1, ucs2_data_coding=0x18)
    [gsm7], [ucs2] = (
        build_parts("a", Encoding.GSM7, settings, 0),
        build_parts("a", Encoding.UCS2, settings, 0),
    )
    assert (gsm7.data_coding, gsm7.short_message) == (0xF1, b"a")
    assert (ucs2.data_coding, ucs2.short_message) == (0x18, b"\x00a")


def test_an_empty_text_has_no_parts():
    assert build("") == []


@pytest.mark.parametrize("text", ["я", "a" * 200 + "ç"])
def test_a_text_outside_its_encoding_is_refused(text: str):
    with pytest.raises(UnencodableText):
        build_parts(text, Encoding.GSM7, SmppSettings(), 0)


@given(TEXTS, st.sampled_from([Alphabet.LATIN1, Alphabet.ASCII]), st.sampled_from(NUMBERED))
@example("Grüße @ [1] 5 £", Alphabet.LATIN1, LongTexts.UDH8)
@example("[" * 160, Alphabet.ASCII, LongTexts.UDH16)
@example("€" + "a" * 69, Alphabet.LATIN1, LongTexts.UDH8)
@example("€" + "a" * 70, Alphabet.LATIN1, LongTexts.UDH8)
def test_another_default_alphabet_takes_as_many_parts_as_were_counted(
    text: str, alphabet: Alphabet, long_texts: LongTexts
):
    encoding, codec = choose_encoding(text), {Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}[alphabet]
    settings = SmppSettings(alphabet=alphabet, long_texts=long_texts)
    is_inside = encoding is Encoding.GSM7 and text == text.encode(codec, "replace").decode(codec)
    if not is_inside and len(build_parts(text, Encoding.UCS2, settings, 7)) > measure(text).segment_count:
        with pytest.raises(UnencodableText) as refused:
            build_parts(text, encoding, settings, 7)
        assert refused.value.character not in text.encode(codec, "ignore").decode(codec)
        return
    parts = build_parts(text, encoding, settings, 7)
    assert len(parts) == measure(text).segment_count
    octets = [read_header(part)[1] for part in parts]
    # On the air they are septets, two of them for [ or ^.
    if is_inside:
        assert {part.data_coding for part in parts} <= {0}
        assert "".join(part.decode(codec) for part in octets) == text
        assert all(count_septets(part.decode(codec)) <= (160 if len(parts) == 1 else 153) for part in octets)
    else:
        assert {part.data_coding for part in parts} <= {8}
        assert b"".join(octets).decode("utf-16-be") == text


def test_a_payload_is_of_the_default_alphabet():
    settings = SmppSettings(alphabet=Alphabet.LATIN1, long_texts=LongTexts.PAYLOAD)
    text = "@[é]" * 50
    assert build_parts(text, Encoding.GSM7, settings, 0) == [
        SubmitPart(b"", 0, 0, {MESSAGE_PAYLOAD: text.encode("latin-1")})
    ]
