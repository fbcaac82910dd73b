import random
from bisect import bisect_right
from itertools import pairwise

import phonenumbers
import pytest
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, carrier

from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.plans import MAX_DIGITS, find_calling_code, find_fault, find_number
from core.domain.numbering.prefixes import ASK
from core.domain.numbering.ranges import MOST_DIGITS, Place, Step, compile_steps, compiled_by

SAMPLES = 3_000
TYPES = {getattr(PhoneNumberType, name): name.lower() for name in dir(PhoneNumberType) if name.isupper()}


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return compile_steps()


@pytest.fixture(scope="module")
def starts(steps) -> list[int]:
    return [step.start for step in steps]


def ask_phonenumbers(digits: str) -> tuple[str, str, str, str] | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
    if not phonenumbers.is_valid_number(number) or len(e164) > MAX_DIGITS:
        return None
    region = phonenumbers.region_code_for_number(number)
    line_type = TYPES[phonenumbers.number_type(number)]
    return e164, "" if region == "001" else region, line_type, carrier.name_for_number(number, "en")


def test_steps_are_in_order_and_each_changes_something(steps, starts):
    assert len(steps) > 50_000
    assert starts[0] == 0
    assert all(before < behind for before, behind in pairwise(starts))
    assert all(before[1:] != behind[1:] for before, behind in pairwise(steps))
    assert steps[-1].place == Place("", fault=MsisdnFault.NO_COUNTRY)
    assert starts[-1] < 10**MOST_DIGITS


def test_numbers_at_the_edges_are_judged_as_phonenumbers_judges_them(steps, starts):
    chance = random.Random(20261130)
    edges = chance.sample(starts[1:], SAMPLES)
    valid = asked = 0
    for number in {number for edge in edges for number in (edge - 1, edge, edge + chance.randrange(1000))} - {0}:
        digits, e164 = str(number), number
        step = steps[bisect_right(starts, number) - 1]
        if step.cut == ASK:
            asked += 1
            continue
        if step.cut:
            code = step.place.calling_code
            assert code == find_calling_code(digits)
            e164 = int(code + digits[len(code) + step.cut :])
        place = steps[bisect_right(starts, e164) - 1].place
        found = None if place.fault else (str(e164), place.country, place.line_type, place.carrier)
        assert found == ask_phonenumbers(digits), digits
        single = find_number(digits)
        assert (single and tuple(single)) == (found and found[:3])
        if single is None:
            is_long = len(digits) > MAX_DIGITS and place.fault != MsisdnFault.NO_COUNTRY
            assert find_fault(digits) == (MsisdnFault.TOO_LONG if is_long else place.fault), digits
        valid += found is not None
    assert valid > SAMPLES / 2
    assert asked < SAMPLES / 2


def test_no_number_is_so_short_that_a_slash_hides_it(steps):
    # What is read without asking Python may have three digits, or a zero and three more, before a slash.
    shortest = min(step.start for step in steps if not step.place.fault)
    assert shortest >= 10**5
    assert all(len(str(step.start)) - len(step.place.calling_code) >= 4 for step in steps if not step.place.fault)


def test_what_was_compiled_is_known_by_phonenumbers_version_and_by_our_own(monkeypatch):
    before = compiled_by()
    monkeypatch.setattr(phonenumbers, "__version__", "0.0.0")
    assert compiled_by() != before
    assert "0.0.0" in compiled_by()
