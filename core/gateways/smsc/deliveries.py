"""Writing deliver_sm: receipts in the forms of different providers, replies, and what nobody can read."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import lru_cache
from zlib import crc32

import smpp34

from core.domain.texts.encoding import Encoding, choose_encoding
from core.domain.texts.octets import encode_octets
from core.gateways.smsc.behavior import ReceiptForm
from core.gateways.smsc.journal import Delivery

# Source: SMPP 3.4, 5.2.28, message_state by the words of appendix B.
MESSAGE_STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
# Source: SMPP 3.4, 5.3.2.12, 5.3.2.31, 5.3.2.32 and 5.3.2.35.
_RECEIPTED_ID, _NETWORK_ERROR, _PAYLOAD, _STATE = 0x001E, 0x0423, 0x0424, 0x0427
# Source: SMPP 3.4, 5.2.12: esm_class of a receipt, and of a text with a user data header. 5.3.2.31: the network type of
# an error, GSM.
_IS_RECEIPT, _UDHI, _GSM = 0x04, 0x40, b"\x03"
# Source: SMPP 3.4, 5.2.5 and 5.2.6: type of number international and alphanumeric; numbering plan ISDN.
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1
_UCS2 = 0x08
# As many digits as fit 64 bits, which is how those providers keep their ids.
_PADDED = 20
_SECOND_US = 1_000_000
_UNREADABLE = (
    b"",
    b"\x00\xff\xfe\x80" * 8,
    b"id: sub: dlvrd: submit date: done date: stat: err: text:",
    b"id:00000000000000000000 sub:001 dlvrd:001 submit date:9999999999 done date:0000000000 stat:\xc4\xd6\xdc err:x",
    b"delivery ok",
    b"id:" + b"9" * 200,
)


def response_id(key: str, forms: AbstractSet[ReceiptForm]) -> str:
    """Return the id of the log as the response to the submit has it."""
    return f"{int(key):X}" if ReceiptForm.HEX_RESPONSE in forms else key


def write_delivery(delivery: Delivery, forms: AbstractSet[ReceiptForm], sequence: int) -> bytes:
    """Return the PDU of a receipt in those *forms*, or of a reply."""
    if not delivery.state:
        return _write_reply(delivery, sequence)
    key, esm_class = _receipt_id(delivery, forms), 0 if ReceiptForm.UNMARKED in forms else _IS_RECEIPT
    if ReceiptForm.TLV in forms:
        return _deliver(delivery, sequence, b"", tlvs=_tlvs(delivery, key), esm_class=esm_class)
    text = _receipt_text(delivery, key, forms).encode("ascii")
    if ReceiptForm.PAYLOAD in forms:
        return _deliver(delivery, sequence, b"", tlvs=[smpp34.Tlv(_PAYLOAD, text)], esm_class=esm_class)
    return _deliver(delivery, sequence, text, esm_class=esm_class)


def write_garbled(delivery: Delivery, sequence: int) -> bytes:
    """Return the PDU of a receipt that nobody can read; which way, the message decides."""
    text = _UNREADABLE[crc32(delivery.gateway_message_id.encode()) % len(_UNREADABLE)]
    return _deliver(delivery, sequence, text, esm_class=_IS_RECEIPT)


def _receipt_id(delivery: Delivery, forms: AbstractSet[ReceiptForm]) -> str:
    key = delivery.gateway_message_id
    if ReceiptForm.HEX_RECEIPT in forms:
        key = f"{int(key):X}"
    return key.zfill(_PADDED if ReceiptForm.ZERO_PADDED in forms else 0)


def _receipt_text(delivery: Delivery, key: str, forms: AbstractSet[ReceiptForm]) -> str:
    with_seconds = ReceiptForm.SECONDS in forms
    submitted = _moment(delivery.submitted_us // _SECOND_US, with_seconds=with_seconds)
    done = _moment(delivery.due_us // _SECOND_US, with_seconds=with_seconds)
    delivered_count = 1 if delivery.state == "DELIVRD" else 0
    # No text is kept; what a form needs of it is made up.
    text = "stat:REJECTD err:999 " if ReceiptForm.SECOND_STAT in forms else ""
    said = (
        f"sub:001 dlvrd:{delivered_count:03} submit date:{submitted} done date:{done}"
        f" stat:{delivery.state} err:{delivery.error_code.zfill(3)}"
    )
    if ReceiptForm.LOWERCASE in forms:
        return f"id:{key} {said.lower()} text:{text}"
    return f"id:{key} {said} Text:{text}"


def _tlvs(delivery: Delivery, key: str) -> list[smpp34.Tlv]:
    found = [
        smpp34.Tlv(_RECEIPTED_ID, key.encode() + b"\0"),
        smpp34.Tlv(_STATE, bytes((MESSAGE_STATES[delivery.state],))),
    ]
    if delivery.error_code:
        found.append(smpp34.Tlv(_NETWORK_ERROR, _GSM + int(delivery.error_code).to_bytes(2)))
    return found


def _write_reply(delivery: Delivery, sequence: int) -> bytes:
    encoding = choose_encoding(delivery.text)
    octets = delivery.header + encode_octets(delivery.text, encoding)
    data_coding = 0 if encoding is Encoding.GSM7 else _UCS2
    return _deliver(delivery, sequence, octets, esm_class=_UDHI if delivery.header else 0, data_coding=data_coding)


def _deliver(
    delivery: Delivery,
    sequence: int,
    short_message: bytes,
    *,
    tlvs: list[smpp34.Tlv] | None = None,
    esm_class: int = 0,
    data_coding: int = 0,
) -> bytes:
    is_number = delivery.sender_id.isdecimal()
    return smpp34.DeliverSm(
        delivery.msisdn[1:],
        delivery.sender_id,
        short_message,
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        dest_addr_ton=_INTERNATIONAL if is_number else _ALPHANUMERIC,
        dest_addr_npi=_ISDN if is_number else 0,
        esm_class=esm_class,
        data_coding=data_coding,
        tlvs=tlvs or [],
        sequence_number=sequence,
    ).encode()


@lru_cache(maxsize=10_000)
def _moment(second: int, *, with_seconds: bool) -> str:
    """Return a time, given in seconds since 1970, as receipts have it; asked a thousand times for every second."""
    return datetime.fromtimestamp(second, UTC).strftime("%y%m%d%H%M%S" if with_seconds else "%y%m%d%H%M")
