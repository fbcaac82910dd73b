"""What a deliver_sm says, as plain values, and the header its text may begin with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

# Source: SMPP 3.4, 5.3.2 (tags of optional parameters).
RECEIPTED_MESSAGE_ID = 0x001E
SAR_MSG_REF_NUM = 0x020C
SAR_TOTAL_SEGMENTS = 0x020E
SAR_SEGMENT_SEQNUM = 0x020F
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

# Source: SMPP 3.4, 5.2.12 (esm_class towards the ESME): four bits say what kind of message it is, one that its text
# begins with a user data header.
TYPE_BITS = 0b0011_1100
PLAIN = 0x00
DELIVERY_RECEIPT = 0x04
USER_ACKNOWLEDGMENT = 0x10
INTERMEDIATE_NOTIFICATION = 0x20
HAS_HEADER = 0x40

# Source: 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8 (concatenation with a reference of 8 and of 16 bits): the element,
# and the octets of its reference.
_REFERENCE_OCTETS = {0x00: 1, 0x08: 2}
# How a header with nothing but a concatenation begins: its length, the element, the element's length.
CONCATENATION_8 = b"\x05\x00\x03"
CONCATENATION_16 = b"\x06\x08\x04"


@dataclass(frozen=True)
class DeliverSm:
    """
    The fields of a deliver_sm that say what it is.

    *optional* has the octets of each optional parameter by its tag; *arrived_at* is when it came.
    """

    esm_class: int
    data_coding: int
    short_message: bytes
    source: str
    destination: str
    arrived_at: datetime
    optional: Mapping[int, bytes]

    @property
    def kind(self) -> int:
        """The bits of esm_class that say what kind of message it is."""
        return self.esm_class & TYPE_BITS

    @property
    def octets(self) -> bytes:
        """The text with its header: short_message, or where there is nothing in it, message_payload."""
        if self.short_message.strip(b"\0 "):
            return self.short_message
        return self.optional.get(MESSAGE_PAYLOAD) or self.short_message


class Place(NamedTuple):
    """Which part of a longer text this is: *number* counts from 1 to *total*, which is 2 at least."""

    reference: int
    number: int
    total: int


def read_body(deliver_sm: DeliverSm) -> tuple[bytes, Place | None]:
    """
    Return the octets of the text without header, and which part of a longer text they are.

    A header that says more octets than there are is none. One of nothing but a concatenation is known without its bit
    of esm_class too, which some SMSCs forget: no text begins so.
    """
    octets = deliver_sm.octets
    length = octets[0] + 1 if octets else 0
    is_header = deliver_sm.esm_class & HAS_HEADER or octets.startswith((CONCATENATION_8, CONCATENATION_16))
    if not is_header or not 0 < length <= len(octets):
        return octets, _read_sar(deliver_sm.optional)
    return octets[length:], _read_header(octets[1:length]) or _read_sar(deliver_sm.optional)


def _read_header(elements: bytes) -> Place | None:
    at = 0
    while at + 2 <= len(elements):
        element, length = elements[at], elements[at + 1]
        value = elements[at + 2 : at + 2 + length]
        octets = _REFERENCE_OCTETS.get(element)
        if octets and length == len(value) == octets + 2:
            return _make_place(int.from_bytes(value[:octets]), number=value[-1], total=value[-2])
        at += 2 + length
    return None


def _read_sar(optional: Mapping[int, bytes]) -> Place | None:
    reference, total, number = (
        optional.get(tag, b"") for tag in (SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM)
    )
    if not 0 < len(reference) <= 2 or len(total) != 1 or len(number) != 1:
        return None
    return _make_place(int.from_bytes(reference), number[0], total[0])


def _make_place(reference: int, number: int, total: int) -> Place | None:
    return Place(reference, number, total) if 1 <= number <= total and total > 1 else None
