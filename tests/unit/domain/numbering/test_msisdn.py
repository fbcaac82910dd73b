import time

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.numbering.faults import MSISDN_FAULTS, MsisdnFault
from core.domain.numbering.msisdn import find_msisdn, mask_msisdn, parse_msisdn
from core.errors import InvalidMsisdn
from tests.support.cases.number_vectors import Vector, load_vectors


@pytest.mark.parametrize("vector", load_vectors(), ids=lambda vector: vector.name)
def test_vectors(vector: Vector):
    assert find_msisdn(vector.text) == vector.msisdn
    if vector.fault:
        with pytest.raises(InvalidMsisdn) as caught:
            parse_msisdn(vector.text)
        assert caught.value.reason == vector.fault
    if vector.chip:
        # What the browser sends for it is judged as it is itself.
        assert find_msisdn(vector.chip) == vector.msisdn


@pytest.mark.parametrize(
    "text",
    [
        "491796548754",
        "+491796548754",
        "00491796548754",
        "+49 179 654-8754",
        " 49 (179) 654.87/54 ",
        "+49 (0)179 6548754",
        "49\u00a0179\u202f6548754",
        "tel:+491796548754",
        "Tel: +49-179-6548754",
        '="tel:00491796548754"',
        "\u202a+491796548754\u202c",
        "\uff0b\uff14\uff19\uff11\uff17\uff19\uff16\uff15\uff14\uff18\uff17\uff15\uff14",
        "\u0664\u0669\u0661\u0667\u0669\u0666\u0665\u0664\u0668\u0667\u0665\u0664",
    ],
)
def test_every_international_way_of_writing_a_number_means_the_same(text):
    assert parse_msisdn(text) == "+491796548754"


@pytest.mark.parametrize(
    ("text", "msisdn"),
    [
        ("15417543010", "+15417543010"),
        ("390612345678", "+390612345678"),
        ("5491123456789", "+5491123456789"),
        ("881612345678", "+881612345678"),
    ],
)
def test_numbers_of_all_kinds_of_plans_are_read(text, msisdn):
    assert parse_msisdn(text) == msisdn


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", MsisdnFault.EMPTY),
        (" \t\u200b", MsisdnFault.EMPTY),
        ("+", MsisdnFault.NOT_A_NUMBER),
        ("n/a", MsisdnFault.NOT_A_NUMBER),
        ("1-800-FLOWERS", MsisdnFault.NOT_A_NUMBER),
        ("491796548754 ext. 5", MsisdnFault.NOT_A_NUMBER),
        ("491796548754, 491796548755", MsisdnFault.TWO_NUMBERS),
        ("49179+6548754", MsisdnFault.NOT_A_NUMBER),
        ("4.91796548754E+11", MsisdnFault.SCIENTIFIC),
        ("4,91797e11", MsisdnFault.SCIENTIFIC),
        ("01796548754", MsisdnFault.NO_COUNTRY),
        ("tel:01796548754", MsisdnFault.NO_COUNTRY),
        ("tel:6548754;phone-context=+49179", MsisdnFault.NOT_A_NUMBER),
        ("tel:+491796548754;ext=5", MsisdnFault.NOT_A_NUMBER),
        ("tel:", MsisdnFault.NOT_A_NUMBER),
        ("tel:tel:491796548754", MsisdnFault.NOT_A_NUMBER),
        ("tel:-491796548754", MsisdnFault.NOT_A_NUMBER),
        ("tel:491796548754 tel:491796548755", MsisdnFault.TWO_NUMBERS),
        ("0179 654 8754", MsisdnFault.NO_COUNTRY),
        ("000491796548754", MsisdnFault.NO_COUNTRY),
        ("+01796548754", MsisdnFault.NO_COUNTRY),
        ("00", MsisdnFault.NO_COUNTRY),
        ("2101234567", MsisdnFault.NO_COUNTRY),
        ("4917", MsisdnFault.TOO_SHORT),
        ("49", MsisdnFault.TOO_SHORT),
        ("49179654", MsisdnFault.INVALID),
        ("4917965487541234567", MsisdnFault.TOO_LONG),
        ("4" * 500, MsisdnFault.TOO_LONG),
        ("491000000000", MsisdnFault.INVALID),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text, fault):
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn(text)
    assert caught.value.reason == fault
    assert (caught.value.message, caught.value.hint) == MSISDN_FAULTS[fault]
    assert find_msisdn(text) is None


@pytest.mark.parametrize(
    ("text", "msisdn"),
    [
        ("491796548754.0", "+491796548754"),
        ("+491796548754.00", "+491796548754"),
        ("491796548754,0", "+491796548754"),
        (" 393391234567.0 ", "+393391234567"),
        ("\uff14\uff19\uff11\uff17\uff19\uff16\uff15\uff14\uff18\uff17\uff15\uff14.\uff10", "+491796548754"),
        ("491.796.548.754", "+491796548754"),
        ("49.179.6548754", "+491796548754"),
        ("49.1796548754", "+491796548754"),
        ("49179.6548754", "+491796548754"),
        ("+39 06 1234.5678", "+390612345678"),
        ("'491796548754", "+491796548754"),
        ("\u2019+49 179 6548754", "+491796548754"),
        ('="491796548754"', "+491796548754"),
        ('="+49 179 6548754"', "+491796548754"),
        ("+49 6221/123456", "+496221123456"),
        ("0043 (0)664 1234567", "+436641234567"),
        ("+39 (0)6 12345678", "+390612345678"),
        ("(+49 179 6548754)", "+491796548754"),
        ("+49 6221 1234-56", "+496221123456"),
    ],
)
def test_what_programs_and_people_add_to_a_number_is_no_part_of_it(text, msisdn):
    assert parse_msisdn(text) == msisdn


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("491796548754.5", MsisdnFault.NOT_WHOLE),
        ("43664123456.50", MsisdnFault.NOT_WHOLE),
        ("43664123456,50", MsisdnFault.NOT_WHOLE),
        ("49 179 654875.4", MsisdnFault.NOT_WHOLE),
        ("4315123 / 4315124", MsisdnFault.TWO_NUMBERS),
        ("4962211 4962212", MsisdnFault.TWO_NUMBERS),
        ("4315123\n4315124", MsisdnFault.TWO_NUMBERS),
        ("+49 6221 123456/57", MsisdnFault.TWO_NUMBERS),
        ("+43 1 51234 / 5125", MsisdnFault.TWO_NUMBERS),
        ("+49 6221 12345 (6)", MsisdnFault.TWO_NUMBERS),
        ("3) 9061234567", MsisdnFault.NOT_A_NUMBER),
        ("(0)1796548754", MsisdnFault.NO_COUNTRY),
    ],
)
def test_what_could_become_a_stranger_s_number_is_refused(text, fault):
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn(text)
    assert caught.value.reason == fault


def test_a_zero_in_brackets_that_makes_another_number_is_refused():
    # As in phonenumbers' plan of Italy: a mobile number without the zero, a landline with it.
    texts = [f"+39 (0)3{area:02} {rest}" for area in range(20, 99) for rest in ("123456", "1234567", "123", "12345")]
    for text in texts:
        kept, dropped = find_msisdn(text.replace("(0)", "0")), find_msisdn(text.replace("(0)", ""))
        expected = None if kept and dropped else kept or dropped
        assert find_msisdn(text) == expected, text


def test_every_country_s_way_of_writing_its_numbers_is_read():
    seen = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            found = phonenumbers.example_number_for_type(region, kind)
            if found is None:
                continue
            plain = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
            written = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            for text in (written, written.replace(" ", "-"), written.replace(" ", "."), f"{plain}.0", f"'{written}"):
                seen += 1
                assert find_msisdn(text) == find_msisdn(plain), text
    assert seen > 4_000


def test_every_fault_has_its_sentences():
    assert set(MSISDN_FAULTS) == set(MsisdnFault)


@given(st.text())
def test_any_text_is_a_number_or_refused(text):
    found = find_msisdn(text)
    assert found is None or (found[0] == "+" and found[1:].isascii() and found[1:].isdigit() and len(found) <= 16)


@given(st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True))
def test_a_parsed_number_parses_to_itself(text):
    found = find_msisdn(text)
    if found is not None:
        assert parse_msisdn(found) == parse_msisdn(found[1:]) == found


@pytest.mark.parametrize(
    ("msisdn", "masked"),
    [("+491796548754", "+4•••••••••••"), ("491796548754", "4•••••••••••"), ("+", "+"), ("", "")],
)
def test_only_the_first_digit_stays_visible(msisdn, masked):
    assert mask_msisdn(msisdn) == masked


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1" + " " * 20_000 + "1", MsisdnFault.NOT_A_NUMBER),
        ("(" + " " * 20_000 + "0", MsisdnFault.NOT_A_NUMBER),
        ("49" + "\u200b" * 20_000 + "x" + "\u200b" * 20_000, MsisdnFault.NOT_A_NUMBER),
        ("4917012345678 " * 2_000, MsisdnFault.TWO_NUMBERS),
        ("4917012345678" + " " * 300 + "x", MsisdnFault.NOT_A_NUMBER),
    ],
    ids=["gap", "bracket", "unseen", "many", "a number at first"],
)
def test_no_text_takes_long_to_be_no_number(text: str, fault: MsisdnFault):
    # While a pattern is looked for, no other thread runs: seconds of it would be everybody's.
    began = time.process_time()
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn(text)
    assert caught.value.reason == fault
    assert time.process_time() - began < 1


def test_what_nobody_sees_around_a_number_may_be_long():
    assert parse_msisdn(" \u200b" * 5_000 + "+49 179 6548754" + "\t\u202c" * 5_000) == "+491796548754"


@pytest.mark.parametrize(
    ("text", "home", "msisdn"),
    [
        ("0179 6548754", "DE", "+491796548754"),
        ("0179/6548754", "DE", "+491796548754"),
        ("(0)179 6548754", "DE", "+491796548754"),
        # The zero that a spreadsheet has eaten.
        ("1796548754", "DE", "+491796548754"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("(541) 754-3010", "US", "+15417543010"),
        ("1 541 754 3010", "US", "+15417543010"),
        ("8 916 123-45-67", "RU", "+79161234567"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("07781 123456", "GG", "+447781123456"),
        # With its country code, whatever is dialled at home.
        ("+33612345678", "DE", "+33612345678"),
        ("0033612345678", "DE", "+33612345678"),
        ("33612345678", "GB", "+33612345678"),
        # Dialled in the United States, to Germany.
        ("011 49 179 6548754", "US", "+491796548754"),
        # Its own country code: as a landline of Leer, 0491, it would have to be written with the zero.
        ("491796548754", "DE", "+491796548754"),
        # Not even a country, so nothing is known.
        ("491796548754", "Atlantis", "+491796548754"),
    ],
)
def test_a_number_as_dialled_at_home_is_read_where_home_is_known(text, home, msisdn):
    assert parse_msisdn(text, home) == msisdn
    assert find_msisdn(text, home) == msisdn


@pytest.mark.parametrize(
    ("text", "home", "fault"),
    [
        # Without a country it stays refused.
        ("0179 6548754", "", MsisdnFault.NO_COUNTRY),
        ("0179 6548754", "Atlantis", MsisdnFault.NO_COUNTRY),
        # Arkansas, or Norway.
        ("4792345678", "US", MsisdnFault.TWO_READINGS),
        # A mobile number in France, or a landline in Brandenburg whose zero is missing.
        ("33612345678", "DE", MsisdnFault.TWO_READINGS),
        ("0179", "DE", MsisdnFault.INVALID),
        ("0179 6548754, 0171 1234567", "DE", MsisdnFault.TWO_NUMBERS),
        ("06221 123456/57", "DE", MsisdnFault.TWO_NUMBERS),
        ("4.91797E+11", "DE", MsisdnFault.SCIENTIFIC),
        ("0555 5555555", "FR", MsisdnFault.TOO_LONG),
    ],
)
def test_a_home_does_not_make_a_number_of_what_is_none(text, home, fault):
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn(text, home)
    assert caught.value.reason == fault


def test_a_home_changes_no_number_that_is_read_without_one_but_to_refuse_it():
    texts = [vector.text for vector in load_vectors() if vector.msisdn]
    for text in texts:
        assert find_msisdn(text, "DE") in (find_msisdn(text), None), text
