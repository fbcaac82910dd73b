"""Subscriber numbers in E.164 form."""

import re

from core.domain.numbering.faults import MSISDN_FAULTS, MsisdnFault
from core.domain.numbering.plans import (
    Number,
    calling_code_of,
    find_fault,
    find_home_fault,
    find_home_number,
    find_number,
)
from core.errors import InvalidMsisdn

# What nobody sees, for the brackets of a pattern: the direction marks that numbers copied from an address book bring
# along, and their kind. Whoever reads many numbers at once knows them, too (`core.history.numbers.reading_numbers`).
UNSEEN = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
# And these are the hyphens, dots, slashes and brackets people group digits with.
GROUPING = r"().\-/\u2010-\u2015\u2212\uff0d"
_EDGE = re.compile(f"[{UNSEEN}]*")
_GROUP = f"[{UNSEEN}{GROUPING}]"
_GROUPING = re.compile(f"{_GROUP}+")
_WRITTEN = re.compile(r"[+\uff0b]?\d+")
_PLAIN = re.compile(r"[1-9][0-9]*")
# How a spreadsheet is told that digits are a text: ="4917…" and '4917….
_AS_TEXT = re.compile(rf"=[{UNSEEN}]*\"(.*)\"|['\u2018\u2019](.*)", re.DOTALL)
# As the address of a link, which providers and address books give. Source: RFC 3966.
_LINK = re.compile(rf"tel:[{UNSEEN}]*(?=[+\uff0b(0-9])", re.IGNORECASE)
# As programs write a floating-point number, with the point or the comma of their language.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"([+\uff0b]?)([0-9]+)([.,])([0-9]+)")
_ODD_FRACTION = re.compile(rf"[^.A-Za-z]*\.{_GROUP}*(?:[0-9]{_GROUP}*){{1,2}}")
# +86-15012345678, typed into a spreadsheet, is a difference: what it makes of it, -15012345592, is a stranger's number.
_NEGATIVE = re.compile("[-\u2212\uff0d][0-9]")
_HOME_ZERO = re.compile(rf"\([{UNSEEN}]*0[{UNSEEN}]*\)")
_EXIT_CODE = re.compile(r"[^0-9]*00")
_LISTED = re.compile(r"[,;|&\n\r]|\bor\b")
_LAST_BRACKET = re.compile(rf".*[0-9][^0-9()]*\([0-9{UNSEEN}]+\)", re.DOTALL)
_SECOND_ENDING = re.compile(r"(.*)/[^0-9]*([0-9]+)", re.DOTALL)
# A single point behind so many digits begins a fraction, and so does one before so few; others group the digits.
_WHOLE_DIGITS, _FRACTION_DIGITS = 8, 2
# So many digits on both sides of a gap can be two numbers.
_NUMBER_DIGITS = 7
# However somebody groups it, no number is longer. What is looked for below takes time by the square of the length.
_LONGEST = 256
_PAIR = 2


def parse_msisdn(text: str, home: str = "") -> str:
    """
    Return the number in *text* as `+` and E.164 digits.

    Digits alone are read as the guide's lists have them: country code first. `+` and `00` say the same. A single
    leading zero is a number as dialled at home: without *home* nobody can know its country, and it is refused.
    Landlines pass, since many take text messages. What programs add to a number is taken off where that is certain (a
    tail ".0", an apostrophe before it, ="…" around it, the "tel:" of a link). What may be a fraction, a second number
    or a second reading is refused: its digits in a row could be a stranger's number.

    Args:
        text: As somebody or a program wrote it.
        home: The country (ISO 3166-1 alpha-2) in which numbers without a country code are dialled; "", or one that has
            no numbers: not known. Digits that are a number with their country code and another one at home are refused.

    Raises: InvalidMsisdn: its *reason* is a `MsisdnFault`.
    Source: ITU-T E.164; which numbers exist: phonenumbers.
    """
    return f"+{parse_number(text, home).digits}"


def parse_number(text: str, home: str = "") -> Number:
    """Return the number that `parse_msisdn` returns the digits of. Raises: as that."""
    home = home if calling_code_of(home) else ""
    # Most lists hold nothing but digits.
    written = text if _PLAIN.fullmatch(text) else _read_digits(text, home)
    found = _find(written, home)
    if isinstance(found, MsisdnFault):
        raise _refusal(found)
    return found


def find_msisdn(text: str, home: str = "") -> str | None:
    """Return what `parse_msisdn` does, or None where it raises."""
    try:
        return parse_msisdn(text, home)
    except InvalidMsisdn:
        return None


def mask_msisdn(msisdn: str) -> str:
    """Return *msisdn* with every digit after the first hidden: "+491796548754" becomes "+4•••••••••••"."""
    visible = 2 if msisdn.startswith("+") else 1
    return msisdn[:visible] + "•" * len(msisdn[visible:])


def _find(written: str, home: str) -> Number | MsisdnFault:
    """Return the number that *written* is (as `_read_digits` returns it), or why it is none."""
    if written.startswith("+") or not home:
        digits = written.removeprefix("+")
        return find_number(digits) or find_fault(digits)
    abroad = find_number(written)
    if abroad and abroad.digits.startswith(calling_code_of(home)):
        # Its country code is there. That it could be a town's number without its zero would be a coincidence.
        return abroad
    at_home = find_home_number(written, home)
    if abroad and at_home and abroad.digits != at_home.digits:
        return MsisdnFault.TWO_READINGS
    return abroad or at_home or find_home_fault(written, home)


def _read_digits(text: str, home: str) -> str:
    """
    Return the digits as written, behind a `+` where they say that they begin with the calling code.

    Raises: InvalidMsisdn.
    """
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
        _read_digits(text[:_LONGEST], home)
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    if _NEGATIVE.match(text):
        raise _refusal(MsisdnFault.NEGATIVE)
    text = _without_fraction(text)
    _refuse_two_numbers(text, home)
    written = _join(text, home)
    if not _HOME_ZERO.search(text):
        return written
    return _without_home_zero(written, _join(_HOME_ZERO.sub("", text), home), home)


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


def _refuse_two_numbers(text: str, home: str) -> None:
    """Raises: InvalidMsisdn: *text* may hold more than one number."""
    if text.count("(") != text.count(")"):
        # "2) 4917…" is the second of a list.
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    once = _HOME_ZERO.sub("", _EXIT_CODE.sub("", text, count=1) if _EXIT_CODE.match(text) else text)
    if _LAST_BRACKET.fullmatch(once) or _has_second_ending(once, home):
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


def _has_second_ending(text: str, home: str) -> bool:
    """Tell whether a number ends before the last slash already, as in "+49 6221 123456/57"."""
    found = _SECOND_ENDING.fullmatch(text)
    if found is None:
        return False
    before = re.sub("[^0-9]", "", found[1])
    return bool(find_number(before) or (home and find_home_number(before, home)))


def _without_home_zero(dialled: str, abroad: str, home: str) -> str:
    """Return which of the two is a number; some countries keep the zero in brackets, others drop it."""
    kept, dropped = _find(dialled, home), _find(abroad, home)
    if isinstance(kept, MsisdnFault):
        return abroad
    if isinstance(dropped, Number) and kept.digits != dropped.digits:
        raise _refusal(MsisdnFault.TWO_READINGS)
    return dialled


def _join(text: str, home: str) -> str:
    """Return the digits of *text* in a row, behind a `+` where something says that they begin with the calling code."""
    written = _GROUPING.sub("", text)
    if not written:
        raise _refusal(MsisdnFault.EMPTY)
    if not _WRITTEN.fullmatch(written):
        raise _refusal(MsisdnFault.NOT_A_NUMBER)
    digits = written.lstrip("+\uff0b")
    is_abroad = len(digits) < len(written)
    if not is_abroad and digits.startswith("00"):
        is_abroad, digits = True, digits[2:]
    if not digits or (digits.startswith("0") and (is_abroad or not home)):
        raise _refusal(MsisdnFault.NO_COUNTRY)
    return f"+{digits}" if is_abroad else digits


def _refusal(fault: MsisdnFault) -> InvalidMsisdn:
    message, hint = MSISDN_FAULTS[fault]
    return InvalidMsisdn(message, reason=fault, hint=hint)
