"""
The text of a message as the parts of submit_sm that carry it.

However it travels, it takes as many segments as were counted, and priced, before (`core.domain.texts.segments`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from core.domain.texts.encoding import Encoding
from core.domain.texts.octets import encode_octets
from core.domain.texts.segments import CAPACITIES_WIDE_REFERENCE, split_into_segments
from core.errors import UnencodableText
from core.gateways.smpp.messages.deliver_sm import (
    CONCATENATION_8,
    CONCATENATION_16,
    HAS_HEADER,
    MESSAGE_PAYLOAD,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
)
from core.gateways.smpp.settings import Alphabet, LongTexts, SmppSettings

_CODECS = {Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}


@dataclass(frozen=True)
class SubmitPart:
    """The fields of one submit_sm that carry the text; *optional* has octets by the tags of optional parameters."""

    short_message: bytes
    data_coding: int
    esm_class: int = 0
    optional: Mapping[int, bytes] = field(default_factory=dict)


class Numbering(NamedTuple):
    """Which part of which text: *number* counts from 1 to *total*, 255 at most."""

    reference: int
    number: int
    total: int


def build_parts(text: str, encoding: Encoding, settings: SmppSettings, reference: int) -> list[SubmitPart]:
    """
    Return the parts that carry *text*, in sending order, none for an empty text.

    Args:
        text: Final text, placeholders filled in, of at most `MAX_SEGMENTS` segments.
        encoding: Of the whole text, as it was counted.
        settings: Whether a long text has headers of its own, is numbered beside, or goes as one payload.
        reference: Tells this text's parts from those of others to the same receiver; any number that is not negative,
            of which 8 or 16 bits are used.

    Returns: One part for each segment that `measure` counts; with a payload one for all of them.
    Raises: UnencodableText: a character is outside *encoding*, or outside the SMSC's default alphabet, and the text
    would take more segments in UCS-2.
    """
    if encoding is Encoding.GSM7 and (outside := _find_outside(text, settings.alphabet)) is not None:
        if len(split_into_segments(text, Encoding.UCS2)) > len(split_into_segments(text, encoding)):
            # Its price is that of the segments that were counted.
            raise UnencodableText(text[outside], outside, settings.alphabet)
        encoding = Encoding.UCS2
    return _cut(text, encoding, settings, reference)


def _find_outside(text: str, alphabet: Alphabet) -> int | None:
    """Return where the first character stands that *alphabet* lacks, None if there is none."""
    try:
        text.encode(_CODECS.get(alphabet, "utf-8"))
    except UnicodeEncodeError as error:
        return error.start
    return None


def _encode(text: str, encoding: Encoding, settings: SmppSettings) -> bytes:
    if encoding is Encoding.GSM7 and settings.alphabet in _CODECS:
        return text.encode(_CODECS[settings.alphabet])
    return encode_octets(text, encoding)


def _cut(text: str, encoding: Encoding, settings: SmppSettings, reference: int) -> list[SubmitPart]:
    data_coding = settings.gsm7_data_coding if encoding is Encoding.GSM7 else settings.ucs2_data_coding
    segments = split_into_segments(text, encoding)
    if len(segments) < 2:
        return [SubmitPart(_encode(segment.text, encoding, settings), data_coding) for segment in segments]
    if settings.long_texts is LongTexts.PAYLOAD:
        return [SubmitPart(b"", data_coding, optional={MESSAGE_PAYLOAD: _encode(text, encoding, settings)})]
    write = _write_sar if settings.long_texts is LongTexts.SAR else _write_header_8
    if settings.long_texts is LongTexts.UDH16:
        # Its header has an octet more. Where that would need a segment more than was priced, the shorter one is used.
        wide = split_into_segments(text, encoding, CAPACITIES_WIDE_REFERENCE)
        if len(wide) == len(segments):
            segments, write = wide, _write_header_16
    return [
        write(_encode(segment.text, encoding, settings), data_coding, Numbering(reference, number, len(segments)))
        for number, segment in enumerate(segments, 1)
    ]


def _write_header_8(octets: bytes, data_coding: int, numbering: Numbering) -> SubmitPart:
    # Source: 3GPP TS 23.040, 9.2.3.24.1: the reference, then how many parts there are and which this is.
    header = bytes((numbering.reference & 0xFF, numbering.total, numbering.number))
    return SubmitPart(CONCATENATION_8 + header + octets, data_coding, HAS_HEADER)


def _write_header_16(octets: bytes, data_coding: int, numbering: Numbering) -> SubmitPart:
    # Source: 3GPP TS 23.040, 9.2.3.24.8.
    header = _two_octets(numbering.reference) + bytes((numbering.total, numbering.number))
    return SubmitPart(CONCATENATION_16 + header + octets, data_coding, HAS_HEADER)


def _write_sar(octets: bytes, data_coding: int, numbering: Numbering) -> SubmitPart:
    # Source: SMPP 3.4, 5.3.2.22 to 5.3.2.24.
    optional = {
        SAR_MSG_REF_NUM: _two_octets(numbering.reference),
        SAR_TOTAL_SEGMENTS: bytes((numbering.total,)),
        SAR_SEGMENT_SEQNUM: bytes((numbering.number,)),
    }
    return SubmitPart(octets, data_coding, optional=optional)


def _two_octets(reference: int) -> bytes:
    return (reference & 0xFFFF).to_bytes(2)
