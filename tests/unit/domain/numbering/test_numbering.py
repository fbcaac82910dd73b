import random
import re
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import NumberParseException, PhoneNumberFormat, carrier
from phonenumbers.carrierdata import CARRIER_DATA

from core.domain import numbering
from core.domain.data_files import read_table
from core.domain.numbering import (
    Destination,
    Network,
    country_name,
    get_destination,
    list_countries,
    list_networks,
)
from core.domain.numbering.plans import MAX_DIGITS, find_calling_code, find_number

SAMPLES = 4_000
CARRIERS = Path(numbering.__file__).with_name("carriers.csv")


def example_numbers():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number_type in range(11):
            example = phonenumbers.example_number_for_type(region, number_type)
            if example is not None:
                yield phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        example = phonenumbers.example_number_for_non_geo_entity(code)
        yield phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:]


def altered_numbers(count):
    """Yield examples of all countries with digits changed, added and dropped: valid and invalid ones side by side."""
    dice = random.Random(20261123)
    examples = sorted(example_numbers())
    for _ in range(count):
        digits = list(dice.choice(examples))
        for _ in range(dice.choice([0, 1, 3, 7])):
            digits[dice.randrange(2, len(digits))] = dice.choice("0123456789")
        change = dice.random()
        if change < 0.1:
            digits.insert(dice.randrange(1, 5), dice.choice("0189"))
        elif change < 0.2:
            del digits[dice.randrange(1, len(digits))]
        yield "".join(digits)


def ask_phonenumbers(digits):
    """Return what phonenumbers' own functions say: E.164 digits, region and carrier name, or None."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
    if not phonenumbers.is_valid_number(number) or len(e164) > MAX_DIGITS:
        return None
    country = phonenumbers.region_code_for_number(number)
    return e164, "" if country == "001" else country, carrier.name_for_number(number, "en")


def test_answers_are_those_of_phonenumbers():
    networks = {(row["country"], row["carrier"]): row["mccmnc"] for row in read_table(CARRIERS)}
    valid = 0
    for digits in [*example_numbers(), *altered_numbers(SAMPLES)]:
        expected, found = ask_phonenumbers(digits), find_number(digits)
        assert (found is None) == (expected is None), digits
        if expected is None:
            continue
        valid += 1
        e164, country, name = expected
        destination = get_destination(f"+{e164}")
        assert (found.digits, found.country) == (e164, country)
        assert (destination.msisdn, destination.country) == (f"+{e164}", country)
        assert destination.mccmnc == networks.get((country, name), "")
        assert bool(destination.network) == bool(name), digits
        if not destination.mccmnc:
            assert destination.network == name, digits
    assert valid > SAMPLES / 4


@pytest.mark.parametrize(
    ("msisdn", "expected"),
    [
        ("+491701234567", Destination("+491701234567", "DE", "Telekom", "26201")),
        ("+491721234567", Destination("+491721234567", "DE", "Vodafone", "26202")),
        ("+491796548754", Destination("+491796548754", "DE", "O2", "26203")),
        ("+33612345678", Destination("+33612345678", "FR", "SFR", "20810")),
        ("+48601123456", Destination("+48601123456", "PL", "Plus", "26001")),
        ("+4930123456", Destination("+4930123456", "DE", "", "")),
        ("+15417543010", Destination("+15417543010", "US", "", "")),
        ("+881612345678", Destination("+881612345678", "", "iridium satellite", "")),
    ],
)
def test_a_number_leads_to_country_and_network(msisdn, expected):
    assert get_destination(msisdn) == expected


def test_a_network_with_several_codes_keeps_its_name_but_gets_no_code():
    # O2 runs 234-02, -10 and -11 alike; nothing tells which of them a number is on.
    assert get_destination("+447710123456") == Destination("+447710123456", "GB", "O2", "")


def test_what_is_no_number_leads_nowhere():
    assert get_destination("+49") == Destination("+49", "", "", "")


def test_regions_that_share_a_calling_code_are_told_apart():
    countries = {
        number: get_destination(number).country for number in ("+447781123456", "+77012345678", "+18095551234")
    }
    assert list(countries.values()) == ["GG", "KZ", "DO"]


@pytest.mark.parametrize(
    ("digits", "code"), [("4917", "49"), ("1541", "1"), ("35312", "353"), ("210", ""), ("", ""), ("049", "")]
)
def test_the_calling_code_is_found(digits, code):
    assert find_calling_code(digits) == code


def test_every_country_of_a_number_has_a_name():
    assert set(phonenumbers.SUPPORTED_REGIONS) <= set(list_countries())
    assert country_name("DE") == "Germany"
    assert country_name("GB") == "United Kingdom"
    assert country_name("CI") == "Côte d'Ivoire"


def test_a_country_without_a_name_is_shown_by_its_code():
    assert country_name("ZZ") == "ZZ"
    assert country_name("") == ""


def test_networks_are_well_formed_and_unique():
    networks = list_networks()
    assert Network("DE", "Telekom", "26201") in networks
    assert len(networks) > 2_000
    assert len({(network.country, network.mccmnc) for network in networks}) == len(networks)
    for network in networks:
        assert re.fullmatch(r"\d{5,6}", network.mccmnc)
        assert network.name.strip() == network.name != ""
        assert network.country == "" or network.country in list_countries()


def test_every_mapped_carrier_is_known_to_phonenumbers_and_leads_to_a_network_of_its_country():
    codes = {(network.country, network.mccmnc) for network in list_networks()}
    names = {name for by_language in CARRIER_DATA.values() for name in by_language.values()}
    rows = list(read_table(CARRIERS))
    assert len({(row["country"], row["carrier"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["carrier"] in names, f"phonenumbers no longer has {row['carrier']!r}: map its names anew"
        assert bool(row["mccmnc"]) == bool(row["basis"])
        if row["mccmnc"]:
            assert (row["country"], row["mccmnc"]) in codes
