"""
National numbering plans: which country a number belongs to, and whether it exists there.

phonenumbers' metadata decides everything. Its own functions try up to eleven patterns per number, one after the other;
here they are joined into two per country and length, which gives the same answers several times faster.
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

# Source: ITU-T E.164, section 6.1: calling code and national number together.
MAX_DIGITS = 15

# Calling codes that belong to no country (satellites, international networks) have this region in the metadata.
_NO_COUNTRY = "001"
_MAX_CALLING_CODE_DIGITS = 3


class Number(NamedTuple):
    """
    A valid number.

    *digits* are its E.164 digits without `+`; *country* is ISO 3166-1 alpha-2, "" for numbers of no country;
    *has_carrier* tells numbers that belong to a mobile (or pager) network from landlines and services.
    """

    digits: str
    country: str
    has_carrier: bool


@lru_cache(maxsize=4096)
def find_number(digits: str) -> Number | None:
    """
    Return the valid number that *digits* (calling code first, no `+`) stand for, or None.

    A national prefix written after the calling code, as in +49 (0)179…, is dropped where the country's plan says so.
    The cache serves the second look at a number just parsed.
    """
    calling_code = find_calling_code(digits)
    if not calling_code:
        return None
    plan = _plan(int(calling_code))
    national = digits[len(calling_code) :]
    if plan.national_prefix is not None and plan.national_prefix.match(national):
        national = _strip_national_prefix(digits)
    if not national or len(calling_code) + len(national) > MAX_DIGITS:
        return None
    for region in plan.regions:
        # As phonenumbers has it, a region with leading digits owns whatever begins with them, valid or not.
        if region.leading_digits is None or region.leading_digits.match(national):
            valid, carried = region.patterns(len(national))
            if valid.fullmatch(national):
                country = "" if region.code == _NO_COUNTRY else region.code
                return Number(calling_code + national, country, carried.fullmatch(national) is not None)
            if region.leading_digits is not None:
                return None
    return None


def find_calling_code(digits: str) -> str:
    """Return the country calling code that *digits* begin with, or ""."""
    for length in range(1, _MAX_CALLING_CODE_DIGITS + 1):
        if int(digits[:length] or "0") in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return ""


@dataclass(frozen=True)
class _Region:
    code: str
    metadata: PhoneMetadata
    leading_digits: re.Pattern[str] | None
    _patterns: dict[int, tuple[re.Pattern[str], re.Pattern[str]]] = field(default_factory=dict)

    def patterns(self, length: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Return the patterns of valid national numbers of *length* digits and of those that have a carrier."""
        if length not in self._patterns:
            self._patterns[length] = _compile(self.metadata, length)
        return self._patterns[length]


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


def _compile(metadata: PhoneMetadata, length: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """
    Join the patterns of all line types; both results are for `fullmatch`.

    phonenumbers asks the types in a fixed order and takes the first that fits, hence the negative lookaheads: a
    premium or freephone number is no mobile one, whatever the mobile pattern says.
    """

    def union(*descriptions: PhoneNumberDesc | None) -> str:
        patterns = [found for found in (_pattern(description, length) for description in descriptions) if found]
        # An empty lookahead that must fail: no number is of a type that has no pattern.
        return "|".join(patterns) or "(?!)"

    mobile = metadata.fixed_line if metadata.same_mobile_and_fixed_line_pattern else metadata.mobile
    services = (
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
    )
    companies = (metadata.uan, metadata.voicemail)
    general = rf"(?=(?:{union(metadata.general_desc)})\Z)"
    valid = rf"{general}(?:{union(*services, *companies, metadata.pager, metadata.fixed_line, mobile)})"
    no_company_mobile = rf"(?!(?:{union(*companies)})\Z)(?:{union(mobile)})"
    carried = rf"{general}(?!(?:{union(*services)})\Z)(?:{union(metadata.pager)}|{no_company_mobile})"
    return re.compile(valid), re.compile(carried)


def _pattern(description: PhoneNumberDesc | None, length: int) -> str:
    if description is None or not description.national_number_pattern:
        return ""
    if description.possible_length and length not in description.possible_length:
        return ""
    return f"(?:{description.national_number_pattern})"


def _strip_national_prefix(digits: str) -> str:
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(f"+{digits}"))
    except NumberParseException:
        return ""
