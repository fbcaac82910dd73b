"""
Which alphabet a text needs, and how long it is in that alphabet's units.

A text whose every character stands in the GSM 7-bit default alphabet or its extension table is sent as gsm7, any
other as ucs2. National language shift tables (Turkish, Spanish, Portuguese, the Indian languages) are not used: few
gateways accept them.
"""

import re
from enum import StrEnum

from core.errors import UnencodableText


class Encoding(StrEnum):
    """How a text travels: septets of the GSM alphabet, or UTF-16 code units."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


ESCAPE = "\x1b"

# Source: 3GPP TS 23.038, section 6.2.1, GSM 7 bit default alphabet: 128 characters in the order of their codes, eight
# a line. Code 0x09 is the capital C with cedilla; 0x1B is the escape to the extension table and no character of a text.
GSM7_ALPHABET = (
    "@£$¥èéùì"
    "òÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨ"
    "ΣΘΞ" + ESCAPE + "ÆæßÉ"
    " !\"#¤%&'"
    "()*+,-./"
    "01234567"
    "89:;<=>?"
    "¡ABCDEFG"
    "HIJKLMNO"
    "PQRSTUVW"
    "XYZÄÖÑÜ§"
    "¿abcdefg"
    "hijklmno"
    "pqrstuvw"
    "xyzäöñüà"
)

# Source: 3GPP TS 23.038, section 6.2.1.1, GSM 7 bit default alphabet extension table: a character and the code that
# follows the escape. Each costs two septets.
GSM7_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

GSM7_CHARACTERS = frozenset(GSM7_ALPHABET) - {ESCAPE} | GSM7_EXTENSION.keys()

_OUTSIDE_GSM7 = re.compile(f"[^{re.escape(''.join(sorted(GSM7_CHARACTERS)))}]")
_EXTENDED = re.compile(f"[{re.escape(''.join(GSM7_EXTENSION))}]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def choose_encoding(text: str) -> Encoding:
    """Return gsm7 when every character of *text* exists in it, else ucs2. An empty text is gsm7."""
    return Encoding.UCS2 if _OUTSIDE_GSM7.search(text) else Encoding.GSM7


def count_septets(text: str) -> int:
    """
    Return the length of *text* in septets: 2 for a character of the extension table, 1 for any other.

    Raises: UnencodableText: a character is outside the GSM alphabet.
    """
    if outside := _OUTSIDE_GSM7.search(text):
        raise UnencodableText(outside.group(), outside.start(), Encoding.GSM7)
    return len(text) + len(_EXTENDED.findall(text))


def count_code_units(text: str) -> int:
    """
    Return the length of *text* in UTF-16 code units: 2 for a character beyond U+FFFF, 1 for any other.

    Raises: UnencodableText: *text* holds half a surrogate pair, which is no character and cannot be stored either.
    """
    if outside := _SURROGATE.search(text):
        raise UnencodableText(outside.group(), outside.start(), Encoding.UCS2)
    return len(text) + len(_ASTRAL.findall(text))


def mark_pairs(text: str, encoding: Encoding, mark: str) -> str:
    """
    Return *text* with *mark* before each character that takes two units, so that one character is one unit.

    Args:
        text: Encodable in *encoding*.
        encoding: What decides which characters are pairs.
        mark: One character that is not in *text*.
    """
    pairs = _EXTENDED if encoding is Encoding.GSM7 else _ASTRAL
    return pairs.sub(lambda pair: mark + pair.group(), text)
