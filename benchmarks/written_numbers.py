"""Numbers of all regions as people write them, right and wrong, and what phonenumbers says of each."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat, PhoneNumberType, carrier
from phonenumbers.carrierdata import CARRIER_DATA

# Source: ITU-T E.164. phonenumbers takes two digits more.
_MOST_DIGITS = 15
_TYPES = {getattr(PhoneNumberType, name): name.lower() for name in dir(PhoneNumberType) if name.isupper()}
_EXTRA = "0189"
# How a row of digits is grouped: nothing between them, or one of these.
_GAPS = (" ", "-", "\u00a0", ".", " - ", "\u2009", "\u200e ")
_SHAPES = ("plain", "plain", "plain", "plain", "grouped", "grouped", "bracket", "float", "odd", "text", "link", "slash")
_FULL_WIDTH = str.maketrans("0123456789+", "".join(chr(0xFF10 + digit) for digit in range(10)) + "\uff0b")

# E.164 digits, region, line type and carrier; None: no valid number.
Answer = tuple[str, str, str, str] | None


@dataclass(frozen=True, slots=True)
class Written:
    """
    A number as somebody writes it.

    *digits* are what is dialled. *is_abroad* tells whether something says that they begin with a calling code; else
    they are dialled in *home*, "" if nobody knows. Where *text* has a zero in brackets, *dropped* are the digits
    without it.
    """

    text: str
    home: str
    digits: str
    is_abroad: bool
    dropped: str = ""


def write_numbers(count: int, seed: int) -> Iterator[Written]:
    """Yield *count* numbers, the same for the same *seed*: of all regions, line types and carriers."""
    chance = random.Random(seed)  # noqa: S311 - draws examples
    examples, prefixes = _examples(), sorted(CARRIER_DATA)
    for _ in range(count):
        region, code, national = chance.choice(examples)
        if chance.random() < 0.4:
            national = _another_carrier(chance, code, national, prefixes)
        yield _written(chance, region, code, _altered(chance, national))


def ask_phonenumbers(written: Written) -> Answer:
    """
    Return what phonenumbers' own functions say of *written*, under the rules of what is read as what.

    Behind a `+` or 00 stands a calling code. Digits without it are read with their calling code, as dialled at home, or
    not at all if both are numbers, of different calling codes.
    """
    kept = _ask(written.digits, written)
    if not written.dropped:
        return None if kept == _BOTH else kept
    dropped = _ask(written.dropped, written)
    if kept == _BOTH or kept is None:
        return None if dropped == _BOTH else dropped
    return kept if dropped in (None, _BOTH) or dropped[0] == kept[0] else None


_BOTH = ("", "", "", "")


def _ask(digits: str, written: Written) -> Answer:
    abroad = _answer(f"+{digits}", None) if digits[:1] != "0" else None
    if written.is_abroad or not written.home:
        return abroad
    code = str(phonenumbers.country_code_for_region(written.home))
    if abroad and abroad[0].startswith(code):
        return abroad
    at_home = _answer(digits, written.home)
    if abroad and at_home and abroad[0] != at_home[0]:
        return _BOTH
    return abroad or at_home


def _answer(text: str, region: str | None) -> Answer:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
    if not phonenumbers.is_valid_number(number) or len(e164) > _MOST_DIGITS:
        return None
    country = phonenumbers.region_code_for_number(number) or ""
    line_type = _TYPES[phonenumbers.number_type(number)]
    return e164, "" if country == "001" else country, line_type, carrier.name_for_number(number, "en")


@cache
def _examples() -> Sequence[tuple[str, str, str]]:
    """Return a region, its calling code and an example of its national numbers, of each line type."""
    found = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        for number_type in _TYPES:
            example = phonenumbers.example_number_for_type(region, number_type)
            if example is not None:
                national = phonenumbers.national_significant_number(example)
                found.add((region, str(example.country_code), national))
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        example = phonenumbers.example_number_for_non_geo_entity(code)
        if example is not None:
            found.add(("", str(code), phonenumbers.national_significant_number(example)))
    return sorted(found)


def _another_carrier(chance: random.Random, code: str, national: str, prefixes: Sequence[str]) -> str:
    """Return *national* with the beginning of one of its country's networks, if it has any."""
    own = _prefixes_of(code, tuple(prefixes))
    if not own:
        return national
    prefix = chance.choice(own)[len(code) :]
    return prefix + national[len(prefix) :].ljust(3, "5")


@cache
def _prefixes_of(code: str, prefixes: tuple[str, ...]) -> Sequence[str]:
    return [prefix for prefix in prefixes if prefix.startswith(code)]


def _altered(chance: random.Random, national: str) -> str:
    digits = list(national)
    # Most keep their beginning, which decides; some are just digits.
    fresh = chance.choice((3, 4, 5, 6, 7, len(digits)))
    for place in range(max(0, len(digits) - fresh), len(digits)):
        digits[place] = chance.choice("0123456789")
    wrong = chance.random()
    if wrong < 0.15:
        digits[chance.randrange(min(6, len(digits)))] = chance.choice("0123456789")
    elif wrong < 0.22:
        digits.insert(chance.randrange(min(5, len(digits))), chance.choice(_EXTRA))
    elif wrong < 0.29:
        del digits[chance.randrange(len(digits))]
    elif wrong < 0.31:
        digits += chance.choices("0123456789", k=chance.randrange(2, 6))
    elif wrong < 0.33:
        del digits[chance.randrange(1, 4) :]
    return "".join(digits) or "0"


def _written(chance: random.Random, region: str, code: str, national: str) -> Written:
    kind = chance.random()
    if not region or kind < 0.45:
        # With its calling code, and for whoever knows a home, any will do.
        home = "" if chance.random() < 0.5 else _home(chance, region)
        return _shaped(chance, code, national, home, sign=chance.choice(("", "", "+", "00")))
    prefix = _national_prefix(region)
    if kind < 0.55:
        home = "" if chance.random() < 0.5 else region
        return _shaped(chance, code, prefix + national, home, sign=chance.choice(("", "+", "00")))
    if kind < 0.8:
        return _shaped(chance, "", prefix + national, region, sign="")
    if kind < 0.92:
        return _shaped(chance, "", national, region, sign="")
    return _shaped(chance, "", _exit_code(region) + code + national, region, sign="")


def _home(chance: random.Random, region: str) -> str:
    return region if region and chance.random() < 0.5 else chance.choice(_regions())


@cache
def _regions() -> Sequence[str]:
    return sorted(phonenumbers.SUPPORTED_REGIONS)


@cache
def _national_prefix(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata.national_prefix or "") if metadata else ""


@cache
def _exit_code(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    pattern = (metadata.international_prefix or "") if metadata else ""
    return pattern if pattern.isdecimal() else "00"


def _shaped(chance: random.Random, code: str, national: str, home: str, *, sign: str) -> Written:
    digits = code + national
    if not sign and digits.startswith("00"):
        # However it is meant, it is read as what one dials abroad.
        sign, digits, code = "00", digits[2:], ""
    shape = chance.choice(_SHAPES)
    is_abroad = bool(sign)
    if shape == "bracket" and is_abroad and code and national[:1] not in ("", "0") and len(digits) < 13:
        text = f"{sign}{code} (0){_grouped(chance, national)}"
        return Written(text, home, f"{code}0{national}", is_abroad, digits)
    text = sign + digits
    if shape == "grouped" and len(digits) < 14 and len(digits) > 5:
        text = f"{sign}{code} {_grouped(chance, national)}" if code else sign + _grouped(chance, digits)
    elif shape == "float":
        text += ".0"
    elif shape == "odd":
        text = text.translate(_FULL_WIDTH)
    elif shape == "text":
        text = chance.choice(("'{}", '="{}"', " {}\u200b", "{}\u202c")).format(text)
    elif shape == "link" and (sign == "+" or digits[:1] != "0"):
        text = f"tel:{text}"
    elif shape == "slash" and len(digits) < 14 and not code and digits.startswith("0"):
        text = f"{digits[:3]}/{digits[3:]}" if not sign else text
    return Written(text, home, digits, is_abroad)


def _grouped(chance: random.Random, digits: str) -> str:
    """Return *digits* in groups, none so that they could be two numbers or a fraction."""
    first = chance.randrange(2, 5)
    if len(digits) - first < 4:
        return digits
    gap = chance.choice(_GAPS)
    middle = first + (len(digits) - first) // 2 if len(digits) - first >= 6 else first
    parts = [digits[:first], digits[first:middle], digits[middle:]]
    parts = [part for part in parts if part]
    if chance.random() < 0.1 and len(parts) > 1 and parts[0] != "0":
        return f"({parts[0]}) " + gap.join(parts[1:])
    return gap.join(parts)
