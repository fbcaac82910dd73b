"""The chips of Quick Send: what is read as a number, against the server, and what keys and pastes make of them."""

import re
import sys
import unicodedata
from typing import Any

import phonenumbers
import pytest

from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.msisdn import find_msisdn, parse_msisdn
from core.errors import InvalidMsisdn
from core.services.campaigns.quick_sending import parse_numbers
from tests.support.cases.number_vectors import PLAN_FAULTS, load_vectors, random_numbers
from tests.support.processes.node import COMPONENTS, evaluate

SCRIPT = "phone_numbers.js"
NUMBER, OTHER, THIRD = "+491796548754", "+491796548755", "+15417543010"


def run(expression: str, cases: list[Any]) -> list[Any]:
    return evaluate([SCRIPT], expression, cases)


def read(text: str) -> dict[str, list[str]]:
    return run("readPhoneNumbers(it)", [text])[0]


def make_chips(texts: list[str]) -> list[str | None]:
    """Return what each text becomes when it is one number: its chip, or None when it is refused."""
    found = run("readPhoneNumbers(it)", texts)
    assert all(len(each["numbers"]) + len(each["refused"]) == 1 for each in found)
    return [each["numbers"][0] if each["numbers"] else None for each in found]


def find_fault(text: str) -> MsisdnFault | None:
    try:
        parse_msisdn(text)
    except InvalidMsisdn as error:
        return MsisdnFault(error.reason)
    return None


def add(text: str, held: list[str] | None = None, most: int = 1_000) -> dict[str, Any]:
    return run("addNumbers(it.held, it.text, it.most)", [{"held": held or [], "text": text, "most": most}])[0]


def test_vectors():
    vectors = load_vectors()
    assert make_chips([vector.text for vector in vectors]) == [vector.chip for vector in vectors]


def test_the_vectors_differ_only_where_the_server_alone_can_know():
    for vector in load_vectors():
        if vector.chip is None:
            assert vector.msisdn is None, vector.name
        elif vector.msisdn is None:
            assert vector.fault in PLAN_FAULTS, vector.name
        elif vector.chip not in (vector.msisdn, vector.text):
            assert vector.chip == vector.msisdn[:3] + "0" + vector.msisdn[3:], vector.name


def test_what_the_server_takes_becomes_a_chip_that_it_takes_for_the_same():
    texts = random_numbers(5_000, seed=164)
    chips = make_chips(texts)
    taken = 0
    for text, chip in zip(texts, chips, strict=True):
        msisdn = find_msisdn(text)
        taken += msisdn is not None
        if chip is None:
            assert msisdn is None, text
        else:
            assert find_msisdn(chip) == msisdn, text
            assert msisdn or find_fault(text) in PLAN_FAULTS, text
    assert taken > 300
    assert chips.count(None) > 300


def test_every_country_s_numbers_become_chips():
    regions = [*phonenumbers.SUPPORTED_REGIONS, *phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS]
    numbers = set()
    for region in regions:
        for kind in phonenumbers.PhoneNumberType.values():
            found = (
                phonenumbers.example_number_for_type(region, kind)
                if isinstance(region, str)
                else phonenumbers.example_number_for_non_geo_entity(region)
            )
            if found:
                numbers.add(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    texts = sorted(numbers)
    assert len(texts) > 900
    assert make_chips(texts) == [re.sub("[^0-9+]", "", text) for text in texts]


def test_a_character_within_a_number_is_passed_over_by_both_or_by_neither():
    # Line breaks, commas, semicolons and tabulators end a number here; the server reads one at a time.
    characters = [chr(code) for code in range(0x1_0000) if not 0xD800 <= code < 0xE000 and chr(code) not in "\n\r\t,;"]
    texts = [f"+4917{character}96548754" for character in characters if not character.isdecimal()]
    is_taken = [find_msisdn(text) == NUMBER for text in texts]
    assert [chip is not None and find_msisdn(chip) == NUMBER for chip in make_chips(texts)] == is_taken
    assert sum(is_taken) > 55


def test_digits_of_all_scripts_are_digits():
    characters = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Nd"]
    assert len(characters) > 600
    assert run("toAsciiDigit(it)", characters) == [str(int(character)) for character in characters]


@pytest.mark.parametrize("separator", [",", ";", "\n", "\r\n", "\t", ", ", " ;\t\n", ",,"])
def test_a_paste_is_cut_at_what_separates_numbers(separator: str):
    text = separator.join(["+49 179 654 87 54", "0049(179)6548755", "12ab", "1 541-754.3010"])
    assert read(text) == {"numbers": [NUMBER, OTHER, THIRD], "refused": ["12ab"]}
    assert run("isManyNumbers(it)", [text]) == [True]


def test_a_column_of_a_spreadsheet_is_read_without_its_blank_cells():
    assert read(f"\n{NUMBER}\t\t{OTHER}\n \n\u00a0\n") == {"numbers": [NUMBER, OTHER], "refused": []}


@pytest.mark.parametrize("text", ["", " ", "\n", ", ;\t", "\u00a0"])
def test_nothing_is_neither_a_number_nor_refused(text: str):
    assert read(text) == {"numbers": [], "refused": []}


def test_one_number_is_pasted_into_what_is_being_typed():
    assert run("isManyNumbers(it)", ["+49 179 6548754", "+49(179)65-487.54", ""]) == [False] * 3


def test_numbers_are_added_once_however_they_are_written():
    found = add("0049 179 6548754, 491796548755; +49 (179) 6548755", held=[NUMBER])
    assert found == {"numbers": [NUMBER, OTHER], "rest": "", "fault": ""}


def test_what_the_server_takes_for_one_number_it_counts_once():
    chips = read("+49 (0)179 6548754, +49 179 6548754")["numbers"]
    assert (len(chips), parse_numbers(chips)) == (2, (NUMBER,))


@pytest.mark.parametrize(
    "text", ["4962211 4962212", "491796548754.5", "49 179 654875.4", "+49 6221 12345 (6)", "2) 491796548754"]
)
def test_what_may_be_two_numbers_or_a_fraction_becomes_no_chip(text: str):
    assert read(text) == {"numbers": [], "refused": [text]}


def test_a_slash_is_left_to_the_server_who_knows_the_plans():
    assert read("431512 / 43151245, +49 6221/123456")["numbers"] == ["431512 / 43151245", "+49 6221/123456"]
    assert read("491796548754.0, '491796548755")["numbers"] == [NUMBER, OTHER]


def test_what_is_refused_stays_in_the_field_and_is_named():
    assert add(f"hello, {NUMBER}, 0179 1", held=[OTHER]) == {
        "numbers": [OTHER, NUMBER],
        "rest": "hello, 0179 1",
        "fault": "Not a phone number: hello, 0179 1",
    }
    # Corrected where it stands.
    assert add("+1 541 754 3010, ", held=[NUMBER]) == {"numbers": [NUMBER, THIRD], "rest": "", "fault": ""}


def test_of_much_that_is_refused_three_are_named_and_cut_short():
    found = add("\n".join(["x" * 50, "b", "c", "d", "e"]))
    assert found["fault"] == f"Not a phone number: {'x' * 30}, b, c and 2 more"
    assert found["rest"] == f"{'x' * 50}, b, c, d, e"


def test_no_more_numbers_are_taken_than_fit():
    pasted = [f"+49179600000{number}" for number in range(6)]
    found = add(",".join([*pasted, "x"]), held=[NUMBER], most=3)
    assert found["numbers"] == [NUMBER, *pasted[:2]]
    assert found["fault"] == f"Only 3 numbers fit: {', '.join(pasted[2:5])} and 1 more left out."
    assert add(NUMBER, held=[NUMBER, OTHER], most=2) == {"numbers": [NUMBER, OTHER], "rest": "", "fault": ""}
    # The limit may have been lowered since.
    assert add(THIRD, held=[NUMBER, OTHER], most=1)["numbers"] == [NUMBER, OTHER]


def test_keys_add_and_erase():
    cases = [("Enter", "x"), (",", "x"), (";", "x"), ("Enter", ""), ("Backspace", ""), ("Delete", "")]
    assert run("readKey(it[0], it[1])", cases) == ["add"] * 4 + ["erase"] * 2
    others = [("Backspace", "4"), ("Delete", " "), ("4", ""), ("Tab", "4"), ("Shift", ""), (" ", "49")]
    assert run("readKey(it[0], it[1])", others) == [""] * 6


def test_backspace_marks_the_last_number_and_then_takes_it_away():
    expression = "[1, 2, 3].map(() => Object.assign(it, eraseLast(it.numbers, it.isMarked)) && { ...it })"
    (steps,) = run(expression, [{"numbers": [NUMBER, OTHER], "isMarked": False}])
    assert [(step["numbers"], step["isMarked"]) for step in steps] == [
        ([NUMBER, OTHER], True),
        ([NUMBER], False),
        ([NUMBER], True),
    ]
    assert run("eraseLast(it, false)", [[]]) == [{"numbers": [], "isMarked": False}]


@pytest.mark.parametrize(("index", "left"), [(0, [OTHER, THIRD]), (1, [NUMBER, THIRD]), (2, [NUMBER, OTHER])])
def test_x_takes_away_its_number(index: int, left: list[str]):
    assert run("removeNumber(it.held, it.index)", [{"held": [NUMBER, OTHER, THIRD], "index": index}]) == [left]


def test_the_script_declares_nothing_but_functions():
    source = (COMPONENTS / SCRIPT).read_text("utf-8")
    # It is concatenated with another script, whose names it must not take.
    assert not re.search(r"^(import|export|const|let|var|class) ", source, re.MULTILINE)
