"""A deliver_sm or data_sm from the octets it came in."""

from datetime import datetime

import smpp34

from core.gateways.smpp.messages.deliver_sm import DeliverSm
from core.gateways.smpp.pdu import Command, Pdu, read_text

# An optional parameter is its tag and its length, two octets each, then its value (SMPP 3.4, section 5.3.1).
_TLV_HEAD = 4


class Undecodable(Exception):
    """What came is not what its command id says."""


def decode(frame: Pdu, arrived_at: datetime) -> DeliverSm:
    """Return what *frame* says. Raises: Undecodable: its fields do not fit its length."""
    if frame.command == Command.DATA_SM:
        return _decode_data_sm(frame.body, arrived_at)
    try:
        fields = smpp34.decode(frame.raw)
    except smpp34.SmppError as error:
        raise Undecodable(str(error)) from error
    assert isinstance(fields, smpp34.DeliverSm)
    return DeliverSm(
        esm_class=fields.esm_class,
        data_coding=fields.data_coding,
        short_message=bytes(fields.short_message),
        source=fields.source_addr,
        destination=fields.destination_addr,
        arrived_at=arrived_at,
        optional={tlv.tag: bytes(tlv.value) for tlv in fields.tlvs},
    )


def _decode_data_sm(body: bytes, arrived_at: datetime) -> DeliverSm:
    """Section 4.7.1: the fields of a deliver_sm without text and times; the text is a message_payload."""
    _, at = read_text(body)
    source, at = read_text(body, at + 2)
    destination, at = read_text(body, at + 2)
    if at + 3 > len(body):
        raise Undecodable("A data_sm ends too early.")
    esm_class, _, data_coding = body[at : at + 3]
    optional, at = dict[int, bytes](), at + 3
    while at + _TLV_HEAD <= len(body):
        tag, length = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        optional[tag] = body[at + _TLV_HEAD : at + _TLV_HEAD + length]
        at += _TLV_HEAD + length
    return DeliverSm(esm_class, data_coding, b"", source, destination, arrived_at, optional)
