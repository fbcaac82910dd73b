"""
Replies: the messages people send (MO), their texts, and what makes a long one of its parts.

A text is put together from octets, not from texts: a phone may cut between the halves of a character.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from core.domain.messages.reassembly import Part
from core.domain.messages.replies import LONGEST, Keyword
from core.domain.messages.replies import read_reply as find_keyword
from core.domain.texts.octets import decode_gsm7, decode_ucs2
from core.domain.words.control_characters import replace_controls
from core.gateways.smpp.messages.deliver_sm import DeliverSm, Place, read_body
from core.gateways.smpp.settings import Alphabet, SmppSettings

# A part is one SMS. What is longer came whole, whatever its header says, and need not wait in memory for others.
_MOST_PART_OCTETS = 254

# Of the longest reply that may be a word, with as many octets as a character may take.
_MOST_KEYWORD_OCTETS = 4 * LONGEST
# No shorter word has an accent; but one or two Chinese characters are TD with one.
_FEWEST_LATIN_OCTETS = 4

# Source: SMPP 3.4, 5.2.19 (data_coding). 2, 4 and 9 are octets of no alphabet; 5 and 13 (JIS X 0208 and 0212) do not
# say how their two octets stand.
_CODECS = {6: "iso8859_5", 7: "iso8859_8", 10: "iso2022_jp", 14: "euc_kr"}
_GSM7, _ASCII, _LATIN1, _UCS2 = 0, 1, 3, 8
_BY_ALPHABET = {Alphabet.GSM7: _GSM7, Alphabet.ASCII: _ASCII, Alphabet.LATIN1: _LATIN1}
# Of the commonest Chinese characters every seventh is two of these octets, of kana none: of texts of eight characters
# one in three millions.
_PROSE = re.compile("[A-Za-z .,!?']{16,}")


class Fragment(NamedTuple):
    """Octets of a text, and the data_coding that says how to read them, 0 being the GSM alphabet."""

    data_coding: int
    octets: bytes


@dataclass(frozen=True)
class ReplyPart:
    """
    A deliver_sm with what a person sent, or a part of it.

    *source* is who sent it and *destination* whom to, as the SMSC writes them; *place* is None for a whole message.
    """

    source: str
    destination: str
    arrived_at: datetime
    fragment: Fragment
    place: Place | None


def read_reply(deliver_sm: DeliverSm, settings: SmppSettings) -> ReplyPart:
    """Return the reply in *deliver_sm*, of which it is known that it is one."""
    octets, place = read_body(deliver_sm)
    data_coding = deliver_sm.data_coding
    if data_coding == settings.gsm7_data_coding == 0:
        # 0 is the SMSC's default alphabet (SMPP 3.4, 5.2.19), whichever that is.
        data_coding = _BY_ALPHABET[settings.alphabet]
    return ReplyPart(
        deliver_sm.source,
        deliver_sm.destination,
        deliver_sm.arrived_at,
        Fragment(data_coding, octets),
        place if len(octets) <= _MOST_PART_OCTETS else None,
    )


def make_part(reply: ReplyPart, place: Place, token: str) -> Part[Fragment]:
    """Return *reply* as a `Reassembler` takes it, *place* being its own."""
    return Part(reply.source, reply.destination, place.reference, place.number, place.total, reply.fragment, token)


def join_text(fragments: Iterable[Fragment]) -> str:
    """
    Return the text of *fragments* in the order of their numbers.

    It can be stored: what is no character in it became a replacement character.
    """
    runs = groupby(fragments, key=lambda fragment: fragment.data_coding)
    text = "".join(decode_text(b"".join(fragment.octets for fragment in run), coding) for coding, run in runs)
    return replace_controls(text.rstrip("\0"), is_prose=True)


def decode_text(octets: bytes, data_coding: int) -> str:
    """
    Return the text of *octets*, whatever they are.

    What the alphabet of *data_coding* cannot be is read as UTF-8, or where it is not that either as Latin-1, as are
    octets of no alphabet. Latin-1 is what many an SMSC says of everything: there UTF-8 and UTF-16 are known by what
    nobody writes in Latin-1, and the codes of controls are the signs that Windows has there, such as the euro.

    What asks for STOP, START or help in another alphabet than the one that was named must be heard: it is nothing that
    anybody writes in that one.
    """
    text = _decode_as_named(octets, data_coding)
    if len(octets) > _MOST_KEYWORD_OCTETS or find_keyword(text) is not Keyword.NONE:
        return text
    return next((other for other in _read_otherwise(octets) if find_keyword(other) is not Keyword.NONE), text)


def _read_otherwise(octets: bytes) -> Iterator[str]:
    """Yield what *octets* are in each alphabet that they may be in."""
    for codec in ("utf-8", "utf-16-be", "utf-16-le"):
        with suppress(UnicodeDecodeError):
            yield octets.decode(codec).removeprefix("\ufeff")
    if octets.isascii():
        yield decode_gsm7(octets)
    elif len(octets) > _FEWEST_LATIN_OCTETS:
        yield octets.decode("cp1252", "replace")


def _decode_as_named(octets: bytes, data_coding: int) -> str:
    alphabet = _find_alphabet(data_coding)
    if alphabet == _UCS2 and not _is_plain(octets):
        return decode_ucs2(octets)
    if alphabet == _GSM7 and octets.isascii():
        return decode_gsm7(octets)
    if alphabet in _CODECS:
        return octets.decode(_CODECS[alphabet], "replace")
    if len(octets) % 2 == 0 and b"\0" in octets.rstrip(b"\0"):
        return decode_ucs2(octets)
    for codec in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return octets.decode(codec)
    return octets.decode("latin-1")


def _is_plain(octets: bytes) -> bool:
    """
    Return whether *octets* are a text as they are, and no UCS-2, whatever is said of them.

    Those of an odd number cannot be. An even number always may: "stop" is two Chinese characters. But a longer text
    there has not only characters of which both octets are such letters.
    """
    bare = octets.rstrip(b"\0")
    if not bare.isascii() or not bare.decode("ascii").isprintable():
        return False
    if len(octets) % 2 == 1 and bare == octets:
        return True
    return bool(_PROSE.fullmatch(bare.decode("ascii")))


def _find_alphabet(data_coding: int) -> int:
    """Return the SMPP value that names the alphabet alone, where *data_coding* says more besides."""
    # Source: 3GPP TS 23.038, section 4: from 0x10 on the value is the phone's own, with a class or an indication.
    group, choice = data_coding >> 4, data_coding >> 2 & 0b11
    if group == 0:
        return data_coding
    if group in (0xC, 0xD) or (group <= 0x3 and choice in (0, 3)) or (group == 0xF and not choice & 1):
        return _GSM7
    return _UCS2 if group == 0xE or (group <= 0x3 and choice == 2) else 4
