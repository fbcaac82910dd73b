"""
Segments: what one SMS carries, and what is billed.

A text that fits one message is sent as it is. A longer one is cut, and every segment gives six octets to the header
that puts it together again. The cut may not fall between an escape and its character, nor inside a surrogate pair, so
a text can need a segment more than its length divided by the capacity says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from core.domain.texts.encoding import Encoding, choose_encoding, count_code_units, count_septets, mark_pairs


@dataclass(frozen=True)
class Capacity:
    """Units (septets or code units) that fit a message sent alone, and each segment of a longer one."""

    alone: int
    joined: int


# Source: 3GPP TS 23.040, section 9.2.3.16 (140 octets of user data), 9.2.3.24.1 (concatenation, six octets of header)
# and 9.2.3.24.8 (the same with a reference of 16 bits, seven octets): 140 * 8 / 7 = 160 and (140 - 6) * 8 / 7 = 153
# septets; 140 / 2 = 70 and (140 - 6) / 2 = 67 code units. What is priced and billed has the header of six.
CAPACITIES = {
    Encoding.GSM7: Capacity(alone=160, joined=153),
    Encoding.UCS2: Capacity(alone=70, joined=67),
}
# (140 - 7) * 8 / 7 = 152 septets; (140 - 7) / 2 = 66 code units.
CAPACITIES_WIDE_REFERENCE = {
    Encoding.GSM7: Capacity(alone=160, joined=152),
    Encoding.UCS2: Capacity(alone=70, joined=66),
}

# Longer texts are refused: the header allows 255 segments, but providers and handsets give up far earlier.
MAX_SEGMENTS = 10

# Stands before a character of two units while a text is packed. Half a surrogate pair is never part of an encodable
# text, so it cannot be mistaken for one of its characters.
_LEAD = "\ud800"


@dataclass(frozen=True)
class Segment:
    """The characters one message carries and the units they take, without the header."""

    text: str
    unit_count: int


@dataclass(frozen=True)
class TextMeasure:
    """
    How long a text is.

    *character_count* is in code points, what people see as "Characters"; *unit_count* is in septets or code units.
    """

    encoding: Encoding
    character_count: int
    unit_count: int
    segment_count: int


def split_into_segments(
    text: str, encoding: Encoding, capacities: Mapping[Encoding, Capacity] = CAPACITIES
) -> list[Segment]:
    """
    Pack *text* into as few segments as the encoding allows.

    Args:
        text: Final text, placeholders filled in.
        encoding: gsm7 counts septets (an escape pair is 2 and is never split); ucs2 counts UTF-16 code units (nor is
            a surrogate pair).
        capacities: What a segment holds beside its header.

    Returns: Segments in sending order, none for an empty text. Joined, their text equals *text*.
    Raises: UnencodableText: a character is outside *encoding*; carries its position (0-based, code points).
    Source: 3GPP TS 23.038 (alphabet), 23.040 (concatenation).
    """
    if not text:
        return []
    unit_count = _count_units(text, encoding)
    capacity = capacities[encoding]
    if unit_count <= capacity.alone:
        return [Segment(text, unit_count)]
    pieces = _pack(mark_pairs(text, encoding, _LEAD), capacity.joined)
    return [Segment(piece.replace(_LEAD, ""), len(piece)) for piece in pieces]


def measure(text: str) -> TextMeasure:
    """
    Return the encoding *text* needs and its length in characters, units and segments.

    Raises: UnencodableText: *text* holds half a surrogate pair.
    """
    encoding = choose_encoding(text)
    unit_count = _count_units(text, encoding)
    return TextMeasure(encoding, len(text), unit_count, _count(text, encoding, unit_count))


def _count_units(text: str, encoding: Encoding) -> int:
    return count_septets(text) if encoding is Encoding.GSM7 else count_code_units(text)


def _count(text: str, encoding: Encoding, unit_count: int) -> int:
    capacity = CAPACITIES[encoding]
    if unit_count <= capacity.alone:
        return min(unit_count, 1)
    if unit_count == len(text):
        # Without a pair the cut may fall anywhere; most texts end here.
        return ceil(unit_count / capacity.joined)
    return len(_pack(mark_pairs(text, encoding, _LEAD), capacity.joined))


def _pack(units: str, capacity: int) -> list[str]:
    """
    Cut *units* (one character each, pairs led by `_LEAD`) into pieces of at most *capacity* (at least 2).

    Filling each piece as far as it goes gives the fewest: no other cut is further along after the same number of
    pieces. A piece that would end with a lead gives it to the next one, which is what the pattern's last class says.
    """
    return re.findall(f"(?s).{{0,{capacity - 1}}}[^{_LEAD}]", units)
