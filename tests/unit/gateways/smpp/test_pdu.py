import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smpp.pdu import (
    PDU_MAX,
    SEQUENCE_MAX,
    Bind,
    Command,
    Frames,
    FramingError,
    Pdu,
    Status,
    next_sequence,
    pdu,
    read_bind,
    read_text,
    response,
    text,
)


@given(st.lists(st.tuples(st.sampled_from(Command), st.integers(1, SEQUENCE_MAX), st.binary(max_size=40))), st.data())
def test_a_stream_is_cut_into_its_pdus_wherever_its_pieces_end(
    sent: list[tuple[Command, int, bytes]], data: st.DataObject
):
    stream = b"".join(pdu(command, sequence, body) for command, sequence, body in sent)
    ends = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    frames = Frames()
    found = [each for piece in pieces for each in frames.feed(piece)]
    assert [(each.command, each.sequence, each.body) for each in found] == sent


@pytest.mark.parametrize("length", [0, 15, PDU_MAX + 1, 0xFFFF_FFFF])
def test_a_length_that_no_pdu_has_ends_the_stream(length: int):
    with pytest.raises(FramingError, match=str(length)):
        Frames().feed(length.to_bytes(4, "big") + bytes(12))


def test_what_is_not_whole_waits():
    whole = pdu(Command.SUBMIT_SM, 7, b"body")
    frames = Frames()
    assert frames.feed(whole[:19]) == []
    assert frames.feed(whole[19:])[0].raw == whole


@given(st.tuples(*[st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=20)] * 3))
def test_a_bind_is_read_as_it_was_written(names: tuple[str, str, str]):
    bind = Bind(Command.BIND_TRANSCEIVER, *names, 1, 1, "^49")
    assert read_bind(Frames().feed(bind.encode(1))[0]) == bind


@given(st.binary(max_size=40))
def test_a_bind_of_anything_is_read_without_an_error(body: bytes):
    assert read_bind(Frames().feed(pdu(Command.BIND_RECEIVER, 1, body))[0]).mode is Command.BIND_RECEIVER


def test_a_text_cannot_end_early():
    assert read_text(text("a\0b")) == ("ab", 3)


def test_a_response_answers_its_pdu():
    asked = Frames().feed(pdu(Command.ENQUIRE_LINK, 9))[0]
    answer = Frames().feed(response(asked, b"x", Status.SYSTEM_ERROR))[0]
    assert answer == Pdu(0x8000_0015, 8, 9, answer.raw)
    assert answer.body == b"x"


def test_sequence_numbers_begin_again():
    assert next_sequence(1) == 2
    assert next_sequence(SEQUENCE_MAX) == 1
