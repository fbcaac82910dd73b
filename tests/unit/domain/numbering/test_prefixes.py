import random

import phonenumbers
import pytest
from phonenumbers import NumberParseException

from core.domain.numbering.prefixes import ASK, Cuts, cuts_abroad, cuts_at_home

# All kinds of prefixes: none, digits, alternatives, with groups that are kept, dropped, or make another number of it.
REGIONS = [
    "AG",
    "AR",
    "AU",
    "AX",
    "BO",
    "BR",
    "BY",
    "CC",
    "CN",
    "CO",
    "CR",
    "DE",
    "DO",
    "FI",
    "FO",
    "GA",
    "GB",
    "GG",
    "HU",
    "IM",
    "IT",
    "JP",
    "KR",
    "KZ",
    "LI",
    "LT",
    "LU",
    "MG",
    "MX",
    "NF",
    "RU",
    "SG",
    "SM",
    "TT",
    "US",
]
LONGEST = 17


def some_numbers(chance: random.Random, cuts: Cuts, length: int) -> set[int]:
    edges = [
        edge + step
        for ranges in cuts.values()
        for each in chance.sample(ranges, min(4, len(ranges)))
        for edge in each
        for step in (-1, 0)
    ]
    return {number for number in [*edges, chance.randrange(10**length)] if 0 <= number < 10**length}


def cut_of(cuts: Cuts, number: int) -> int:
    found = [cut for cut, ranges in cuts.items() if any(start <= number < end for start, end in ranges)]
    assert len(found) < 2
    return found[0] if found else 0


def digits_of(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    return str(number.country_code) + phonenumbers.national_significant_number(number)


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_left_out_is_what_phonenumbers_leaves_out(region):
    chance = random.Random(region)
    code = phonenumbers.country_code_for_region(region)
    cut_numbers = 0
    for length in range(2, LONGEST):
        for cuts, start in ((cuts_at_home(region, length), ""), (cuts_abroad(code, length), f"+{code}")):
            for number in some_numbers(chance, cuts, length):
                digits, cut = str(number).zfill(length), cut_of(cuts, number)
                found = digits_of(start + digits, None if start else region)
                if cut == ASK or found is None:
                    # Too short for any country: which is seen by what is left.
                    assert cut == ASK or len(digits) - cut < 2 or len(digits) < 3, digits
                    continue
                cut_numbers += cut > 0
                assert found == str(code) + digits[cut:], start + digits
    assert cut_numbers > 0
