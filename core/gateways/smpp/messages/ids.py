"""
The id of a message, in the one form that is stored.

An SMSC may call a message by one form of its number in the response and by another in the receipt. Both are brought
to one form before either is stored or looked for, so that they are found as they are.
"""

import re

from core.gateways.smpp.settings import Ids

# A message_id has at most 64 characters (SMPP 3.4, 4.4.2). What is longer is no number, so that none takes long.
_DECIMAL = re.compile(r"[0-9]{1,64}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,64})", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9a-f]+", re.IGNORECASE)


def store_response_id(message_id: str, ids: Ids) -> str:
    """Return the stored form of the id of a submit_sm_resp; see `store_receipt_id`."""
    return _store(message_id, ids, hex_in=Ids.RESPONSE_HEX)


def store_receipt_id(message_id: str, ids: Ids) -> str:
    """
    Return the stored form of the id of a receipt, "" for none.

    Where one of the two is hexadecimal the stored form is the number in decimal digits, without zeros in front. An id
    that is no number stays as it is, but for blanks and NULs at its ends; so does one of more than 64 digits.
    """
    return _store(message_id, ids, hex_in=Ids.RECEIPT_HEX)


def _store(message_id: str, ids: Ids, hex_in: Ids) -> str:
    trimmed = message_id.strip(" \t\r\n\0")
    if ids is Ids.AS_THEY_ARE:
        return _drop_zeros(trimmed)
    if ids is Ids.ANY_CASE:
        return _drop_zeros(trimmed).lower()
    if ids is not hex_in and _DECIMAL.fullmatch(trimmed):
        return str(int(trimmed))
    # Where decimal digits are expected, letters say that it is the other form: a TLV often has the response's.
    number = _HEX.fullmatch(trimmed)
    return str(int(number[1], 16)) if number else trimmed


def _drop_zeros(trimmed: str) -> str:
    return trimmed.lstrip("0") or "0" if _DIGITS.fullmatch(trimmed) else trimmed
