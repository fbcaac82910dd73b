"""
National numbering plans: which country a number belongs to, and whether it exists there.

phonenumbers' metadata decides everything. Its own functions try up to eleven patterns per number, one after the other;
here they are joined into one per country and length, which gives the same answers several times faster. This is the
way of single numbers; for many at once there is `ranges`, which says the same.
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata

from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.line_types import CARRIED, LineType, general_of, line_types_of, pattern_of

# Source: ITU-T E.164, section 6.1: calling code and national number together.
MAX_DIGITS = 15

# Calling codes that belong to no country (satellites, international networks) have this region in the metadata.
NO_COUNTRY = "001"
_MAX_CALLING_CODE_DIGITS = 3
# Source: phonenumbers, for which no country has shorter national numbers.
_LEAST_NATIONAL_DIGITS = 2


class Number(NamedTuple):
    """
    A valid number.

    *digits* are its E.164 digits without `+`; *country* is ISO 3166-1 alpha-2, "" for numbers of no country.
    """

    digits: str
    country: str
    line_type: LineType

    @property
    def has_carrier(self) -> bool:
        """Whether it belongs to a mobile (or pager) network, as landlines and services do not."""
        return self.line_type in CARRIED


@lru_cache(maxsize=4096)
def find_number(digits: str) -> Number | None:
    """
    Return the valid number that *digits* (calling code first, no `+`) stand for, or None.

    A national prefix written after the calling code, as in +49 (0)179…, is dropped where the country's plan says so.
    The cache serves the second look at a number just parsed.
    """
    found = _split(digits)
    return _judge(*found) if found else None


@lru_cache(maxsize=4096)
def find_exact_number(digits: str) -> Number | None:
    """Return the valid number whose E.164 digits are *digits*, with no prefix among them, or None."""
    calling_code = find_calling_code(digits)
    return _judge(calling_code, digits[len(calling_code) :]) if calling_code else None


@lru_cache(maxsize=4096)
def find_home_number(digits: str, country: str) -> Number | None:
    """Return the valid number that *digits*, dialled in *country* (ISO 3166-1 alpha-2), lead to, or None."""
    found = _split_at_home(digits, country)
    return None if isinstance(found, MsisdnFault) else _judge(*found)


def find_fault(digits: str) -> MsisdnFault:
    """Return why there is no number *digits*, for which `find_number` finds none."""
    found = _split(digits)
    if found is None:
        return MsisdnFault.NO_COUNTRY
    return MsisdnFault.TOO_LONG if len(digits) > MAX_DIGITS else find_length_fault(int(found[0]), len(found[1]))


def find_home_fault(digits: str, country: str) -> MsisdnFault:
    """Return why *digits*, dialled in *country*, lead to no number, where `find_home_number` finds none."""
    found = _split_at_home(digits, country)
    if isinstance(found, MsisdnFault):
        return found
    return MsisdnFault.TOO_LONG if len(digits) > MAX_DIGITS else find_length_fault(int(found[0]), len(found[1]))


@cache
def find_length_fault(calling_code: int, length: int) -> MsisdnFault:
    """Return what is wrong with a national number of *length* digits that is not valid, as far as that tells."""
    general = general_of(_plan(calling_code).regions[0].metadata)
    # A number that is only complete within its own town lacks digits, too.
    if (
        length < max(min(general.possible_length), _LEAST_NATIONAL_DIGITS)
        or length in general.possible_length_local_only
    ):
        return MsisdnFault.TOO_SHORT
    return MsisdnFault.TOO_LONG if length > max(general.possible_length) else MsisdnFault.INVALID


def list_calling_codes() -> tuple[str, ...]:
    """Return all country calling codes."""
    return tuple(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def find_calling_code(digits: str) -> str:
    """Return the country calling code that *digits* begin with, or ""."""
    # None begins with a zero, which the number 49 would not show.
    for length in range(1, _MAX_CALLING_CODE_DIGITS + 1 if digits[:1] != "0" else 1):
        if int(digits[:length] or "0") in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return ""


@lru_cache(maxsize=1024)
def calling_code_of(country: str) -> str:
    """Return the calling code of *country* (ISO 3166-1 alpha-2), "" where it has no numbers of its own."""
    return str(phonenumbers.country_code_for_region(country) or "")


@dataclass(frozen=True)
class _Region:
    code: str
    metadata: PhoneMetadata
    leading_digits: re.Pattern[str] | None
    _patterns: dict[int, re.Pattern[str]] = field(default_factory=dict)

    def find_type(self, national: str) -> LineType | None:
        """Return the line type of a national number; None: there is no such number here."""
        length = len(national)
        if length not in self._patterns:
            self._patterns[length] = _compile(self.metadata, length)
        found = self._patterns[length].fullmatch(national)
        return LineType(found.lastgroup) if found and found.lastgroup else None


@dataclass(frozen=True)
class _Plan:
    national_prefix: re.Pattern[str] | None
    regions: tuple[_Region, ...]


@cache
def _plan(calling_code: int) -> _Plan:
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    found = [(code, PhoneMetadata.metadata_for_region_or_calling_code(calling_code, code)) for code in codes]
    regions = tuple(
        # Leading digits only tell apart regions that share a calling code.
        _Region(code, metadata, _compiled(metadata.leading_digits) if len(codes) > 1 else None)
        for code, metadata in found
        if metadata is not None
    )
    # The first region is the calling code's main country, whose prefix counts for all of them.
    return _Plan(_compiled(regions[0].metadata.national_prefix_for_parsing), regions)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _compile(metadata: PhoneMetadata, length: int) -> re.Pattern[str]:
    """
    Join the patterns of all line types, each a group of its name, for `fullmatch`.

    phonenumbers asks the types in a fixed order and takes the first that fits, as alternatives do.
    """
    general = pattern_of(general_of(metadata), length)
    types = []
    for line_type, descriptions in line_types_of(metadata):
        patterns = [pattern_of(each, length) for each in descriptions]
        if general and all(patterns):
            types.append(f"(?P<{line_type}>{''.join(map(_whole, patterns))}.*)")
    # An empty lookahead that must fail: there are no numbers of this length.
    return re.compile(f"{_whole(general)}(?:{'|'.join(types)})" if types else "(?!)")


def _whole(pattern: str) -> str:
    return rf"(?=(?:{pattern})\Z)"


def _judge(calling_code: str, national: str) -> Number | None:
    """Return the number of these digits if it is valid."""
    if not national or len(calling_code) + len(national) > MAX_DIGITS:
        return None
    for region in _plan(int(calling_code)).regions:
        # As phonenumbers has it, a region with leading digits owns whatever begins with them, valid or not.
        if region.leading_digits is None or region.leading_digits.match(national):
            line_type = region.find_type(national)
            if line_type:
                return Number(calling_code + national, "" if region.code == NO_COUNTRY else region.code, line_type)
            if region.leading_digits is not None:
                return None
    return None


def _split(digits: str) -> tuple[str, str] | None:
    """Return the calling code and the national number without a prefix; None: there is no such calling code."""
    calling_code = find_calling_code(digits)
    if not calling_code:
        return None
    prefix = _plan(int(calling_code)).national_prefix
    national = digits[len(calling_code) :]
    if prefix is not None and prefix.match(national):
        try:
            national = phonenumbers.national_significant_number(phonenumbers.parse(f"+{digits}"))
        except NumberParseException:
            # Too short or too long for any country, with a prefix or without.
            return calling_code, national
    return calling_code, national


def _split_at_home(digits: str, country: str) -> tuple[str, str] | MsisdnFault:
    try:
        number = phonenumbers.parse(digits, country)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            return MsisdnFault.NO_COUNTRY
        is_too_long = error.error_type == NumberParseException.TOO_LONG
        return MsisdnFault.TOO_LONG if is_too_long else MsisdnFault.TOO_SHORT
    return str(number.country_code), phonenumbers.national_significant_number(number)
