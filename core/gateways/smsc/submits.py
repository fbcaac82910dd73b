"""Reading what a client submits: for whom, which octets, which part of a longer message."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import NamedTuple

import smpp34

from core.gateways.smpp.pdu import Pdu, Status

# Source: SMPP 3.4, 5.3.2.22 to 5.3.2.24 and 5.3.2.32.
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER, _PAYLOAD = 0x020C, 0x020E, 0x020F, 0x0424
# Bit 6 of esm_class: the text begins with a user data header (5.2.12).
_UDHI = 0x40
# Source: 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8: concatenation with a reference of one octet, and of two.
_NARROW, _WIDE = 0x00, 0x08
# Source: SMPP 3.4, 5.2.19, and 3GPP TS 23.038, section 4: data_coding of octets and of UCS-2, alone and with a class.
_WHOLE_OCTETS = frozenset({0x02, 0x04, 0x08, *range(0x14, 0x1C), *range(0xF4, 0xF8)})
# Source: SMPP 3.4, 5.2.17: bits 0 and 1 of registered_delivery, of which 3 is nothing, and read as 1.
_RECEIPT = 0x03
NONE, ALL, FAILURES_ONLY = 0, 1, 2
# What fits alone, and each segment of what does not: octets, or unpacked septets.
_OCTETS_FIT, _SEPTETS_FIT = (140, 134), (160, 153)
_NUMBER = re.compile(r"\+?(\d{3,15})")
_SENDER_MAX = 20


class Refused(Exception):
    """The submit cannot be taken as it is; *status* is the command_status that says why."""

    def __init__(self, status: int) -> None:
        """Take why."""
        super().__init__(f"command_status {status:#010x}")
        self.status = status


class Part(NamedTuple):
    """Which part it is: *number* from 1 to *total* of those with the same *reference*."""

    reference: int
    total: int
    number: int


@dataclass(slots=True)
class Submit:
    """
    One submit_sm.

    *octets* are the text's, without a header; *part* is None of a text that comes alone. *receipt* says which receipts
    are wanted: `NONE`, `ALL` or `FAILURES_ONLY`.
    """

    msisdn: str
    sender_id: str
    octets: bytes
    segment_count: int
    part: Part | None
    receipt: int


def read_submit(pdu: Pdu) -> Submit:
    """Return what is submitted. Raises: Refused."""
    try:
        found = smpp34.decode(pdu.raw)
    except smpp34.SmppError as error:
        raise Refused(_status_of(error)) from error
    if not isinstance(found, smpp34.SubmitSm):
        raise Refused(Status.INVALID_COMMAND_ID)
    number = _NUMBER.fullmatch(found.destination_addr)
    if number is None:
        raise Refused(Status.INVALID_DESTINATION)
    sender_id = found.source_addr
    if not 0 < len(sender_id) <= _SENDER_MAX:
        raise Refused(Status.INVALID_SOURCE)
    octets, part = found.short_message, None
    if tlvs := {each.tag: each.value for each in found.tlvs}:
        octets = octets or tlvs.get(_PAYLOAD, b"")
        part = _read_sar(tlvs)
    if found.esm_class & _UDHI:
        octets, part = _read_header(octets)
    segments = 1 if part else _count_segments(octets, found.data_coding)
    receipt = found.registered_delivery & _RECEIPT
    wanted = receipt if receipt in {NONE, FAILURES_ONLY} else ALL
    return Submit(f"+{number[1]}", sender_id, octets, segments, part, wanted)


def digest_of(msisdn: str, octets: bytes) -> str:
    """
    Return what a message is told by in the log: the same receiver and the same text, whoever sent it in how many parts.

    Args:
        msisdn: With its plus.
        octets: Of the whole text, in the encoding it travelled in.
    """
    return blake2b(msisdn.encode() + b"\0" + octets, digest_size=16).hexdigest()


def _read_sar(tlvs: dict[int, bytes]) -> Part | None:
    if _SAR_REFERENCE not in tlvs:
        return None
    found = [int.from_bytes(tlvs.get(tag, b"")) for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)]
    return _checked(Part(*found))


def _read_header(octets: bytes) -> tuple[bytes, Part | None]:
    """Cut the user data header off; return the text, and which part it is. Raises: Refused."""
    end = octets[0] + 1 if octets else 1
    if end > len(octets):
        raise Refused(Status.INVALID_MESSAGE_LENGTH)
    at, part = 1, None
    while at + 2 <= end:
        kind, length = octets[at : at + 2]
        value = octets[at + 2 : at + 2 + length]
        if (kind, length) in {(_NARROW, 3), (_WIDE, 4)} and at + 2 + length <= end:
            part = _checked(Part(int.from_bytes(value[:-2]), *value[-2:]))
        at += 2 + length
    return octets[end:], part


def _checked(part: Part) -> Part | None:
    # Source: 3GPP TS 23.040, 9.2.3.24.1: what makes no sense is read as if it was not there.
    if not 1 <= part.number <= part.total:
        return None
    return part if part.total > 1 else None


def _count_segments(octets: bytes, data_coding: int) -> int:
    alone, joined = _OCTETS_FIT if data_coding in _WHOLE_OCTETS else _SEPTETS_FIT
    return 1 if len(octets) <= alone else ceil(len(octets) / joined)


def _status_of(error: smpp34.SmppError) -> int:
    # Its text ends like this: ESME_RINVPARLEN (0x000000C2).
    found = re.search(r"\(0x([0-9A-F]{8})\)", str(error))
    return int(found[1], 16) if found else Status.SYSTEM_ERROR
