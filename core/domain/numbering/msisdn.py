"""Subscriber numbers in E.164 form."""

import re
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from core.domain.numbering.plans import MAX_DIGITS, find_calling_code, find_number
from core.errors import InvalidMsisdn

EXAMPLE = "491796548754"

# What nobody sees: the direction marks that numbers copied from an address book bring along, and their kind.
_UNSEEN = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_EDGE = re.compile(f"[{_UNSEEN}]*")
# That, and hyphens, dots, slashes and brackets people group digits with.
_GROUP = rf"[{_UNSEEN}().\-/\u2010-\u2015\u2212\uff0d]"
_GROUPING = re.compile(f"{_GROUP}+")
_WRITTEN = re.compile(r"[+\uff0b]?\d+")
_PLAIN = re.compile(r"[1-9][0-9]*")
# How a spreadsheet is told that digits are a text: ="4917…" and '4917….
_AS_TEXT = re.compile(rf"=[{_UNSEEN}]*\"(.*)\"|['\u2018\u2019](.*)", re.DOTALL)
# As the address of a link, which providers and address books give. Source: RFC 3966.
_LINK = re.compile(rf"tel:[{_UNSEEN}]*(?=[+\uff0b(0-9])", re.IGNORECASE)
# As programs write a floating-point number, with the point or the comma of their language.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"([+\uff0b]?)([0-9]+)([.,])([0-9]+)")
_ODD_FRACTION = re.compile(rf"[^.A-Za-z]*\.{_GROUP}*(?:[0-9]{_GROUP}*){{1,2}}")
# +86-15012345678, typed into a spreadsheet, is a difference: what it makes of it, -15012345592, is a stranger's number.
_NEGATIVE = re.compile("[-\u2212\uff0d][0-9]")
_HOME_ZERO = re.compile(rf"\([{_UNSEEN}]*0[{_UNSEEN}]*\)")
_EXIT_CODE = re.compile(r"[^0-9]*00")
_LISTED = re.compile(r"[,;|&\n\r]|\bor\b")
_LAST_BRACKET = re.compile(rf".*[0-9][^0-9()]*\([0-9{_UNSEEN}]+\)", re.DOTALL)
_SECOND_ENDING = re.compile(r"(.*)/[^0-9]*([0-9]+)", re.DOTALL)
# A single point behind so many digits begins a fraction, and so does one before so few; others group the digits.
_WHOLE_DIGITS, _FRACTION_DIGITS = 8, 2
# So many digits on both sides of a gap can be two numbers.
_NUMBER_DIGITS = 7
# However somebody groups it, no number is longer. What is looked for below takes time by the square of the length.
_LONGEST = 256
_PAIR = 2


class MsisdnFault(StrEnum):
    """Why a text is not a subscriber number."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    NEGATIVE = "negative"
    SCIENTIFIC = "scientific"
    TWO_NUMBERS = "two_numbers"
    TWO_READINGS = "two_readings"
    NO_COUNTRY = "no_country"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID = "invalid"


_WITH_COUNTRY = f"Write the number with its country code, for example {EXAMPLE}."

# What is wrong, and what to do.
MSISDN_FAULTS: dict[MsisdnFault, tuple[str, str]] = {
    MsisdnFault.EMPTY: ("There is no number.", _WITH_COUNTRY),
    MsisdnFault.NOT_A_NUMBER: ("This is not a phone number.", "Use digits only; one number per cell, no extension."),
    MsisdnFault.NOT_WHOLE: ("This is not a whole number.", "Use digits only, without a decimal fraction."),
    MsisdnFault.NEGATIVE: (
        "This is a negative number: a spreadsheet has probably subtracted, as in +86-150.",
        "Format the column as text, then copy the numbers from their source again.",
    ),
    MsisdnFault.SCIENTIFIC: (
        "A spreadsheet has shortened this number; its last digits are lost.",
        "Format the column as text, then copy the numbers from their source again.",
    ),
    MsisdnFault.TWO_NUMBERS: ("These are two numbers, or one with two endings.", "Use one number per cell."),
    MsisdnFault.TWO_READINGS: (
        "With the zero in brackets it is one number, without it another.",
        f"Write the number as it is dialed from abroad, for example {EXAMPLE}.",
    ),
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
    Landlines pass, since many take text messages. What programs add to a number is taken off where that is certain (a
    tail ".0", an apostrophe before it, ="…" around it, the "tel:" of a link). What may be a fraction, a second number
    or a second reading is refused: its digits in a row could be a stranger's number.

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
    # Digits of other scripts count: int() knows them all.
    text = _strip("".join(str(int(each)) if each.isdecimal() else each for each in text))
    wrapped = _AS_TEXT.fullmatch(text)
    if wrapped is not None:
        text = _strip(wrapped[1] or wrapped[2] or "")
    link = _LINK.match(text)
    if link is not None:
        text = text[link.end() :]
    if len(text) > _LONGEST:
        # Its beginning may say what is wrong with it.
        _read_digits(text[:_LONGEST])
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    if _NEGATIVE.match(text):
        raise _refusal(MsisdnFault.NEGATIVE)
    text = _without_fraction(text)
    _refuse_two_numbers(text)
    digits = _join(text)
    if not _HOME_ZERO.search(text):
        return digits
    return _without_home_zero(digits, _join(_HOME_ZERO.sub("", text)))


def _strip(text: str) -> str:
    """Return *text* without what nobody sees at its edges, in time by its length: a pattern tries each gap in it."""
    turned = text[_end_of_edge(text) :][::-1]
    return turned[_end_of_edge(turned) :][::-1]


def _end_of_edge(text: str) -> int:
    found = _EDGE.match(text)
    return found.end() if found else 0


def _without_fraction(text: str) -> str:
    """Return *text* without the ".0" that programs write behind a whole number. Raises: InvalidMsisdn."""
    if _SCIENTIFIC.fullmatch(text):
        raise _refusal(MsisdnFault.SCIENTIFIC)
    found = _DECIMAL.fullmatch(text)
    if found is None:
        # Whatever else groups the digits: nobody sets the last one or two apart by the only point.
        if _ODD_FRACTION.fullmatch(text):
            raise _refusal(MsisdnFault.NOT_WHOLE)
        return text
    sign, whole, point, fraction = found.groups()
    if not fraction.strip("0"):
        return sign + whole
    if point == "." and len(whole) < _WHOLE_DIGITS and len(fraction) > _FRACTION_DIGITS:
        return text
    raise _refusal(MsisdnFault.NOT_WHOLE)


def _refuse_two_numbers(text: str) -> None:
    """Raises: InvalidMsisdn: *text* may hold more than one number."""
    if text.count("(") != text.count(")"):
        # "2) 4917…" is the second of a list.
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    once = _HOME_ZERO.sub("", _EXIT_CODE.sub("", text, count=1) if _EXIT_CODE.match(text) else text)
    if _LAST_BRACKET.fullmatch(once) or _has_second_ending(once):
        raise _refusal(MsisdnFault.TWO_NUMBERS)
    listed = [re.sub("[^0-9]", "", piece) for piece in _LISTED.split(once)]
    parts = re.findall("[0-9]+", once)
    if sum(len(piece) >= _NUMBER_DIGITS for piece in listed) > 1 or _is_cut_in_two(parts):
        raise _refusal(MsisdnFault.TWO_NUMBERS)


def _is_cut_in_two(parts: list[str]) -> bool:
    """Tell whether there is one long gap only, or whether what follows a gap begins with the same country again."""
    for index in range(1, len(parts)):
        before, behind = "".join(parts[:index]), "".join(parts[index:])
        if min(len(before), len(behind)) >= _NUMBER_DIGITS and (len(parts) == _PAIR or before[:2] == behind[:2]):
            return True
    return False


def _has_second_ending(text: str) -> bool:
    """Tell whether a number ends before the last slash already, as in "+49 6221 123456/57"."""
    found = _SECOND_ENDING.fullmatch(text)
    return found is not None and find_number(re.sub("[^0-9]", "", found[1])) is not None


def _without_home_zero(dialled: str, abroad: str) -> str:
    """Return which of the two is a number; some countries keep the zero in brackets, others drop it."""
    kept, dropped = find_number(dialled), find_number(abroad)
    if kept and dropped and kept.digits != dropped.digits:
        raise _refusal(MsisdnFault.TWO_READINGS)
    return dialled if kept else abroad


def _join(text: str) -> str:
    """Return the digits of *text* in a row, without what says that they begin with the calling code."""
    written = _GROUPING.sub("", text)
    if not written:
        raise _refusal(MsisdnFault.EMPTY)
    if not _WRITTEN.fullmatch(written):
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    digits = written.lstrip("+\uff0b")
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
