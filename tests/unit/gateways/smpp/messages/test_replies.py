from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data_files import read_table
from core.domain.messages.reassembly import Joined, Reassembler
from core.domain.messages.replies import WORDS
from core.domain.messages.replies import read_reply as find_keyword
from core.domain.texts.encoding import Encoding, choose_encoding
from core.domain.texts.octets import encode_octets
from core.errors import UnencodableText
from core.gateways.smpp.messages.deliver_sm import MESSAGE_PAYLOAD, DeliverSm, Place, read_body
from core.gateways.smpp.messages.receipts import read_deliver_sm
from core.gateways.smpp.messages.replies import Fragment, ReplyPart, decode_text, join_text, make_part, read_reply
from core.gateways.smpp.messages.texts import SubmitPart, build_parts
from core.gateways.smpp.settings import Alphabet, LongTexts, SmppSettings

NOW = datetime(2026, 11, 28, 16, 31, tzinfo=UTC)
SAR = {0x020C: b"\x01\x02", 0x020E: b"\x03", 0x020F: b"\x02"}


def make_deliver_sm(octets: bytes, esm_class: int = 0, data_coding: int = 0, optional=None) -> DeliverSm:
    return DeliverSm(esm_class, data_coding, octets, "491511234567", "12345", NOW, optional or {})


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0, b"STOP", "STOP"),
        (0, bytes.fromhex("00 1b65 5f"), "@€§"),
        (1, b"a@_", "a@_"),
        (3, b"ARR\xcaT", "ARRÊT"),
        (8, bytes.fromhex("0421 0422 041e 041f"), "СТОП"),
        (8, bytes.fromhex("d83cdf89"), "🎉"),
        (6, b"\xc1\xc2\xbe\xbf", "СТОП"),
        (7, b"\xf9", "\N{HEBREW LETTER SHIN}"),
        # The phone's own values, of which the alphabet is a part.
        (0x10, b"\x00", "@"),
        (0x18, b"\x00a", "a"),
        (0xF0, b"\x00", "@"),
        (0xF5, b"a@", "a@"),
        (0xE0, b"\x00a", "a"),
        (0xC8, b"\x00", "@"),
        # What cannot be the alphabet that is said.
        (0, b"ARR\xcaT", "ARRÊT"),
        (0, "Grüße @".encode(), "Grüße @"),
        (1, b"ARR\xcaT", "ARRÊT"),
        (4, b"\xff\xfe", "ÿþ"),
        (8, b"\x00a\x00", "a\ufffd"),
        (0xB7, b"plain", "plain"),
        # An SMSC that says Latin-1 of everything.
        (3, "ARRÊT".encode(), "ARRÊT"),
        (3, "СТОП".encode(), "СТОП"),
        (3, "Prix: 3 zł".encode("utf-16-be"), "Prix: 3 zł"),
        (1, "STOP".encode("utf-16-be"), "STOP"),
        (3, b"3 \x80", "3 €"),
        (3, b"\x81", "\x81"),
        (3, b"OK!\0", "OK!\0"),
        # One that says UCS-2 of plain text.
        (8, b"stopp", "stopp"),
        (8, b"STOP", "STOP"),
        (8, b"Opt out.", "Opt out."),
        (0x18, b"Help", "Help"),
        (8, b"Stop\0\0", "Stop\0\0"),
        (8, b"Sorry, wrong number!", "Sorry, wrong number!"),
        # What could be UCS-2 else is: these octets would be Latin letters too.
        (8, bytes.fromhex("505c 6b62"), "停止"),
        (8, bytes.fromhex("505c 4e00"), "停一"),
        (8, "来大么之其它前".encode("utf-16-be"), "来大么之其它前"),
        (8, "でもごめんなさいあとで".encode("utf-16-be"), "でもごめんなさいあとで"),
        (8, b"Who?", "坨漿"),
    ],
)
def test_a_text_is_read_by_its_data_coding(data_coding: int, octets: bytes, text: str):
    assert decode_text(octets, data_coding) == text


# How an SMSC may write what a phone sent, and the data_coding that it may say of that.
WRITTEN = ("utf-8", "utf-16-be", "utf-16-le", "utf-16", "cp1252", "gsm7")
SAID = (0, 1, 3, 4, 8, 0xF1)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_word_is_heard_whatever_alphabet_is_said_of_it(written: str):
    for row in read_table(WORDS):
        for text in (row["word"], row["word"].capitalize() + ".", row["word"].lower() + "\n"):
            try:
                octets = encode_octets(text, Encoding.GSM7) if written == "gsm7" else text.encode(written)
            except (UnencodableText, UnicodeEncodeError):
                continue
            read = {join_text([Fragment(data_coding, octets)]) for data_coding in SAID}
            assert {find_keyword(each).value for each in read} == {row["keyword"]}, text


@pytest.mark.parametrize("text", ["哐", "哰", "哐当", "你好", "퀒퀒", "До завтра", "P\\kb!"])
def test_a_word_is_not_heard_in_what_is_none(text: str):
    coding, written = (3, "latin-1") if text.isascii() else (8, "utf-16-be")
    assert decode_text(text.encode(written), coding) == text


@given(st.integers(0, 255), st.binary())
def test_any_octets_of_any_data_coding_are_a_text_that_can_be_stored(data_coding: int, octets: bytes):
    text = join_text([read_reply(make_deliver_sm(octets, data_coding=data_coding), SmppSettings()).fragment])
    assert "\0" not in text
    text.encode()


def test_the_text_may_be_in_the_payload():
    reply = read_reply(make_deliver_sm(b"", optional={MESSAGE_PAYLOAD: b"STOP"}), SmppSettings())
    assert (join_text([reply.fragment]), reply.source, reply.destination, reply.arrived_at) == (
        "STOP",
        "491511234567",
        "12345",
        NOW,
    )
    assert reply.place is None


@pytest.mark.parametrize(
    ("octets", "esm_class", "body", "place"),
    [
        (b"\x05\x00\x03\xab\x03\x02text", 0x40, b"text", Place(0xAB, 2, 3)),
        (b"\x06\x08\x04\xab\xcd\x03\x02text", 0x40, b"text", Place(0xABCD, 2, 3)),
        # The bit that says that there is a header is forgotten.
        (b"\x05\x00\x03\xab\x03\x02text", 0, b"text", Place(0xAB, 2, 3)),
        # Another element before it, and one behind.
        (b"\x0b\x05\x04\x15\x8a\x00\x00\x00\x03\xab\x02\x01text", 0x40, b"text", Place(0xAB, 1, 2)),
        (b"\x08\x00\x03\xab\x02\x01\x24\x01\x01text", 0x40, b"text", Place(0xAB, 1, 2)),
        # Headers that say nothing of parts, or nonsense.
        (b"\x03\x24\x01\x01text", 0x40, b"text", None),
        (b"\x05\x00\x03\xab\x01\x01text", 0x40, b"text", None),
        (b"\x05\x00\x03\xab\x02\x03text", 0x40, b"text", None),
        (b"\x05\x00\x03\xab\x02\x00text", 0x40, b"text", None),
        (b"\x05\x00\x09\xab\x02\x01text", 0x40, b"text", None),
        (b"\x02\x00\x03text", 0x40, b"text", None),
        (b"\x00text", 0x40, b"text", None),
        (b"text", 0x40, b"text", None),
        (b"", 0x40, b"", None),
        (b"text", 0, b"text", None),
    ],
)
def test_a_header_says_which_part_it_is(octets: bytes, esm_class: int, body: bytes, place: Place | None):
    assert read_body(make_deliver_sm(octets, esm_class)) == (body, place)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({}, Place(0x0102, 2, 3)),
        ({0x020C: b"\x07"}, Place(7, 2, 3)),
        ({0x020C: b""}, None),
        ({0x020E: b""}, None),
        ({0x020F: b"\x04"}, None),
        ({0x020F: b"\x00"}, None),
        ({0x020E: b"\x01", 0x020F: b"\x01"}, None),
    ],
)
def test_parameters_say_which_part_it_is(change: dict[int, bytes], place: Place | None):
    assert read_body(make_deliver_sm(b"text", optional={**SAR, **change})) == (b"text", place)


def test_a_payload_longer_than_an_sms_waits_for_no_other_part():
    payload = b"\x05\x00\x03\xab\x03\x02" + b"x" * 1_000
    reply = read_reply(make_deliver_sm(b"", 0x40, optional={MESSAGE_PAYLOAD: payload}), SmppSettings())
    assert (join_text([reply.fragment]), reply.place) == ("x" * 1_000, None)


def test_a_character_cut_between_two_parts_is_one_again():
    halves = [Fragment(8, b"\x00a\xd8\x3c"), Fragment(8, b"\xdf\x89")]
    assert join_text(halves) == "a🎉"
    assert join_text([Fragment(0, b"a\x1b"), Fragment(0, b"e")]) == "a€"


def test_parts_of_two_alphabets_are_read_each_by_its_own():
    assert join_text([Fragment(0, b"a"), Fragment(8, b"\x04\x16"), Fragment(0, b"\x00")]) == "aЖ@"


def test_controls_are_replaced_and_a_nul_at_the_end_is_no_character():
    assert join_text([Fragment(1, b"a\x01b\nc\0\0")]) == "a\ufffdb\nc"


def deliver(part: SubmitPart) -> ReplyPart:
    deliver_sm = make_deliver_sm(part.short_message, part.esm_class, part.data_coding, part.optional)
    reply = read_deliver_sm(deliver_sm, "smpp", SmppSettings())
    assert isinstance(reply, ReplyPart)
    return reply


LETTERS = st.one_of(st.sampled_from("abc [€]"), st.sampled_from("aЖ🎉"))


@given(st.text(LETTERS, min_size=161, max_size=600), st.sampled_from(LongTexts), st.integers(0, 70_000), st.randoms())
def test_what_was_cut_to_be_sent_is_put_together_when_it_comes_back(text, long_texts, reference, chance):
    parts = build_parts(text, choose_encoding(text), SmppSettings(long_texts=long_texts), reference)
    replies = [deliver(part) for part in parts]
    if long_texts is LongTexts.PAYLOAD:
        assert [join_text([reply.fragment]) for reply in replies] == [text]
        return
    chance.shuffle(replies)
    reassembler: Reassembler[Fragment] = Reassembler()
    joined = [
        joined
        for token, reply in enumerate(replies)
        if reply.place
        for joined in reassembler.add(make_part(reply, reply.place, str(token)), NOW)
    ]
    assert [(join_text(part.content for part in one.parts), one.is_whole) for one in joined] == [(text, True)]


def test_a_text_without_its_second_part_is_read_as_it_is():
    parts = build_parts("a" * 300 + "b" * 100, Encoding.GSM7, SmppSettings(), 1)
    reassembler: Reassembler[Fragment] = Reassembler()
    for reply in (deliver(parts[2]), deliver(parts[0])):
        assert reply.place
        assert reassembler.add(make_part(reply, reply.place, ""), NOW) == []
    [joined] = reassembler.expire(NOW.replace(year=2027))
    assert isinstance(joined, Joined)
    assert join_text(part.content for part in joined.parts) == "a" * 153 + "b" * 94


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [
        (Alphabet.GSM7, b"\x00\x05\x11$", "@é_¤"),
        (Alphabet.LATIN1, b"@_$[x]", "@_$[x]"),
        (Alphabet.LATIN1, "Grüße, 5 £".encode("latin-1"), "Grüße, 5 £"),
        (Alphabet.ASCII, b"@_$[x]", "@_$[x]"),
    ],
)
def test_data_coding_0_is_the_alphabet_of_the_settings(alphabet: Alphabet, octets: bytes, text: str):
    settings = SmppSettings(alphabet=alphabet)
    assert join_text([read_reply(make_deliver_sm(octets), settings).fragment]) == text


def test_data_coding_0_is_the_gsm_alphabet_where_the_other_one_has_a_coding_of_its_own():
    settings = SmppSettings(alphabet=Alphabet.LATIN1, gsm7_data_coding=3)
    assert join_text([read_reply(make_deliver_sm(b"\x00"), settings).fragment]) == "@"
