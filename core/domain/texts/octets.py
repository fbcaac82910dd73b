"""
Texts as octets, as SMSCs take and give them.

A text of the GSM alphabet is one octet a septet, unpacked: the SMSC packs them on their way to the phone.
"""

import codecs

from core.domain.texts.encoding import ESCAPE, GSM7_ALPHABET, GSM7_EXTENSION, Encoding, count_code_units, count_septets

_TO_GSM7 = {
    **{ord(character): chr(code) for code, character in enumerate(GSM7_ALPHABET)},
    **{ord(character): ESCAPE + chr(code) for character, code in GSM7_EXTENSION.items()},
}
_EXTENSION_BY_CODE = {code: character for character, code in GSM7_EXTENSION.items()}
_ESCAPE_CODE = ord(ESCAPE)
_SEVEN_BITS = bytes(octet & 0x7F for octet in range(256))


def encode_octets(text: str, encoding: Encoding) -> bytes:
    """
    Return *text* as octets of *encoding*: unpacked septets, or UTF-16 with the high octet first and no mark.

    Raises: UnencodableText: a character is outside *encoding*.
    """
    if encoding is Encoding.UCS2:
        count_code_units(text)
        return text.encode("utf-16-be")
    count_septets(text)
    return text.translate(_TO_GSM7).encode("latin-1")


def decode_gsm7(octets: bytes) -> str:
    """
    Return the text of unpacked septets; the highest bit of an octet is none of them and is left out.

    As 3GPP TS 23.038 (6.2.1.1) has it, a code that the extension table does not know is read in the default alphabet;
    an escape with nothing behind it, or before another one, is a space. The national tables are not used.
    """
    characters = []
    septets = iter(octets.translate(_SEVEN_BITS))
    for septet in septets:
        if septet == _ESCAPE_CODE:
            extended = next(septets, _ESCAPE_CODE)
            characters.append(_EXTENSION_BY_CODE.get(extended) or _read_alone(extended))
        else:
            characters.append(GSM7_ALPHABET[septet])
    return "".join(characters)


def decode_ucs2(octets: bytes) -> str:
    """
    Return the text of UTF-16 octets, the high octet first unless a mark says otherwise; the mark is left out.

    What is no character (half a surrogate pair, an odd octet at the end) becomes a replacement character.
    """
    order = "utf-16-le" if octets.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    return octets.decode(order, "replace").removeprefix("\ufeff")


def _read_alone(septet: int) -> str:
    return " " if septet == _ESCAPE_CODE else GSM7_ALPHABET[septet]
