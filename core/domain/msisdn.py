"""Subscriber numbers in E.164 form."""

import re
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from core.domain.numbering.plans import MAX_DIGITS, find_calling_code, find_number
from core.errors import InvalidMsisdn

EXAMPLE = "491796548754"

# Spaces, hyphens, dots, slashes and brackets people group digits with, and the invisible direction marks that numbers
# copied from an address book bring along.
_GROUPING = re.compile(r"[\s().\-/\u2010-\u2015\u2212\uff0d\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_WRITTEN = re.compile(r"[+\uff0b]?\d+")
_PLAIN = re.compile(r"[1-9][0-9]*")


class MsisdnFault(StrEnum):
    """Why a text is not a subscriber number."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NO_COUNTRY = "no_country"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"


_WITH_COUNTRY = f"Write the number with its country code, for example {EXAMPLE}."

# What is wrong, and what to do.
MSISDN_FAULTS: dict[MsisdnFault, tuple[str, str]] = {
    MsisdnFault.EMPTY: ("There is no number.", _WITH_COUNTRY),
    MsisdnFault.NOT_A_NUMBER: ("This is not a phone number.", "Use digits only; one number per cell, no extension."),
    MsisdnFault.NO_COUNTRY: ("The number does not begin with a country code.", _WITH_COUNTRY),
    MsisdnFault.TOO_SHORT: ("The number is too short for its country.", "Check for missing digits."),
    MsisdnFault.TOO_LONG: ("The number is too long for its country.", "Check for extra digits."),
    MsisdnFault.INVALID: ("No such number can exist in its country.", f"Check the digits. {_WITH_COUNTRY}"),
}


def parse_msisdn(text: str) -> str:
    """
    Return the number in *text* as `+` and E.164 digits.

    Digits alone are read as the guide's lists have them: country code first. `+` and `00` say the same. A single
    leading zero is a number as dialled at home, whose country nobody can know: it is refused, not guessed.
    Landlines pass, since many take text messages.

    Raises: InvalidMsisdn: its *reason* is a `MsisdnFault`.
    Source: ITU-T E.164; which numbers exist: phonenumbers.
    """
    # Most lists hold nothing but digits.
    digits = text if _PLAIN.fullmatch(text) else _read_digits(text)
    number = find_number(digits)
    if number is None:
        raise _refusal(_find_fault(digits))
    return f"+{number.digits}"


def find_msisdn(text: str) -> str | None:
    """Return what `parse_msisdn` does, or None where it raises."""
    try:
        return parse_msisdn(text)
    except InvalidMsisdn:
        return None


def mask_msisdn(msisdn: str) -> str:
    """Return *msisdn* with every digit after the first hidden: "+491796548754" becomes "+4•••••••••••"."""
    visible = 2 if msisdn.startswith("+") else 1
    return msisdn[:visible] + "•" * len(msisdn[visible:])


def _read_digits(text: str) -> str:
    """Return the E.164 digits as written, calling code first. Raises: InvalidMsisdn."""
    written = _GROUPING.sub("", text)
    if not written:
        raise _refusal(MsisdnFault.EMPTY)
    if not _WRITTEN.fullmatch(written):
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    # Digits of other scripts count: int() knows them all.
    digits = "".join(str(int(character)) for character in written.lstrip("+\uff0b"))
    if written[0] not in "+\uff0b" and digits.startswith("00"):
        digits = digits[2:]
    if not digits or digits.startswith("0"):
        raise _refusal(MsisdnFault.NO_COUNTRY)
    return digits


def _find_fault(digits: str) -> MsisdnFault:
    """Return why no valid number is written *digits*."""
    if not find_calling_code(digits):
        return MsisdnFault.NO_COUNTRY
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException as error:
        too_long = error.error_type == NumberParseException.TOO_LONG
        return MsisdnFault.TOO_LONG if too_long else MsisdnFault.TOO_SHORT
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == ValidationResult.TOO_LONG or len(digits) > MAX_DIGITS:
        return MsisdnFault.TOO_LONG
    # A number that is only complete within its own town lacks digits, too.
    if possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return MsisdnFault.TOO_SHORT
    return MsisdnFault.INVALID


def _refusal(fault: MsisdnFault) -> InvalidMsisdn:
    message, hint = MSISDN_FAULTS[fault]
    return InvalidMsisdn(message, reason=fault, hint=hint)
