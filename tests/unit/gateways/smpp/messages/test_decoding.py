from contextlib import suppress
from datetime import UTC, datetime

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smpp.messages.decoding import Undecodable, decode
from core.gateways.smpp.messages.deliver_sm import MESSAGE_PAYLOAD
from core.gateways.smpp.pdu import Command, Frames, Pdu, pdu, text

NOW = datetime(2026, 11, 28, 16, 30, tzinfo=UTC)


def frame(command: int, body: bytes) -> Pdu:
    return Frames().feed(pdu(command, 1, body))[0]


def test_a_deliver_sm_is_what_it_says():
    tlvs = [smpp34.Tlv(MESSAGE_PAYLOAD, b"payload")]
    body = smpp34.DeliverSm("4917", "Shop", b"text", esm_class=4, data_coding=8, tlvs=tlvs).encode()[16:]
    said = decode(frame(Command.DELIVER_SM, body), NOW)
    assert (said.source, said.destination, said.short_message, said.esm_class, said.data_coding) == (
        "4917",
        "Shop",
        b"text",
        4,
        8,
    )
    assert said.optional == {MESSAGE_PAYLOAD: b"payload"}
    assert said.arrived_at == NOW


def test_a_data_sm_has_its_text_in_a_payload():
    payload = MESSAGE_PAYLOAD.to_bytes(2) + (5).to_bytes(2) + b"id:77"
    body = text("CMT") + b"\x01\x01" + text("4917") + b"\x05\x00" + text("Shop") + b"\x04\x00\x03" + payload
    said = decode(frame(Command.DATA_SM, body), NOW)
    assert (said.source, said.destination, said.esm_class, said.data_coding) == ("4917", "Shop", 4, 3)
    assert said.octets == b"id:77"


@pytest.mark.parametrize("command", [Command.DELIVER_SM, Command.DATA_SM])
def test_a_body_that_ends_too_early_is_refused(command: Command):
    with pytest.raises(Undecodable):
        decode(frame(command, b"\0\0\0abc"), NOW)


@given(st.sampled_from([Command.DELIVER_SM, Command.DATA_SM]), st.binary(max_size=300))
def test_whatever_comes_is_decoded_or_refused(command: Command, body: bytes):
    with suppress(Undecodable):
        assert decode(frame(command, body), NOW).arrived_at == NOW
