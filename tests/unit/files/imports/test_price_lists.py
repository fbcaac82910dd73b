"""Price lists from files: what people's programs write is read, and what is wrong is said row by row."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.accounts.price_lists import ReadPrices
from core.domain.accounts.pricing import Price, find_price
from core.domain.imports.cdr import PriceUnit
from core.domain.numbering import list_countries, list_networks
from core.errors import InvalidFile
from core.files.imports import price_lists
from core.files.imports.price_lists import read_price_list, write_price_list


def read(tmp_path: Path, content: str | bytes, unit: PriceUnit | None = None) -> ReadPrices:
    path = tmp_path / "prices.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_price_list(path, unit)


def places(found: ReadPrices) -> dict[tuple[str, str], Decimal]:
    assert not found.faults
    return {(price.country, price.mccmnc): price.price_eur_cents for price in found.prices}


GERMANY = {("DE", ""): Decimal("6.5"), ("DE", "26201"): Decimal("7.25"), ("", ""): Decimal(9)}


@pytest.mark.parametrize(
    "content",
    [
        "Country,MCCMNC,Price [EUR c]\nDE,,6.5\nDE,26201,7.25\n*,,9\n",
        "Country;MCCMNC;Price [EUR c]\r\nDE;;6,5\r\nDE;26201;7,25\r\n*;;9\r\n",
        "country\tmcc/mnc\tPrice (EUR)\nGermany\t\t0.065\nGERMANY\t262-01\t0,0725\nother\t\t0.09\n",
        "mccmnc,country,eur cents\n,DE,6.5000\n262 01,DE,7.25\n,*,9.0\n",
        'Country,MCCMNC,Price EUR cents\n"DE","","6,5"\n"DE","26201","7,25"\n"*","","9"\n',
        "sep=;\nISO;MCC;MNC;Price EUR c\nde;;;6,5\nde;262;01;7,25\ndefault;;;9\n",
        '="ISO",MCC,MNC,Price EUR c\n="DE",,,6.5\nDE,="262","=""01""",="7.25"\n*,,,9\n',
        "MCCMNC,Country,Price EUR cents,Network\n262,,6.5,all\n26201,,7.25,Telekom\n,*,9,\n\n,,,\n",
        "Country,MCCMNC,Price [EUR c]\nDE,,6.5,\nDE,26201,7.25,,\n*,,9\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_programs_write_means_the_same(tmp_path: Path, content: str, encoding: str) -> None:
    assert places(read(tmp_path, content.encode(encoding))) == GERMANY


def test_the_unit_is_asked_for_when_the_header_does_not_say_it(tmp_path: Path) -> None:
    content = "Country,Price\nDE,0.07\n"
    with pytest.raises(InvalidFile, match="does not say whether") as caught:
        read(tmp_path, content)
    assert caught.value.field == "unit"
    assert places(read(tmp_path, content, PriceUnit.EUR)) == {("DE", ""): Decimal(7)}
    assert places(read(tmp_path, content, PriceUnit.EUR_CENTS)) == {("DE", ""): Decimal("0.07")}
    # What the header says counts more than what somebody chose.
    assert places(read(tmp_path, "Country,Price EUR\nDE,0.07\n", PriceUnit.EUR_CENTS)) == {("DE", ""): Decimal(7)}


def test_a_network_of_several_countries_is_priced_in_each(tmp_path: Path) -> None:
    shared = "34001"
    countries = {network.country for network in list_networks() if network.mccmnc == shared}
    assert len(countries) > 1
    found = places(read(tmp_path, f"MCCMNC,Price EUR cents\n{shared},4\n"))
    assert found == {(country, shared): Decimal(4) for country in countries}


def test_an_unknown_network_of_a_known_country_is_priced(tmp_path: Path) -> None:
    found = read(tmp_path, "MCCMNC,Price EUR cents\n26299,4\n")
    assert find_price(found.prices, "DE", "26299") == 4


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("Atlantis,,5", "no country Atlantis"),
        ("XX,,5", "no country XX"),
        (",,5", "Neither country nor network"),
        ("DE,2620,5", "2620 is not an MCCMNC"),
        ("DE,26201a,5", "is not an MCCMNC"),
        ("DE,٢٦٢٠١,5", "is not an MCCMNC"),
        ("FR,26201,5", "262 belongs to Germany, not to France"),
        (",99912,5", "country of 99912 is not known"),
        ("DE,,", "price is missing"),
        ("DE", "price is missing"),
        ("DE,,-1", "negative"),
        ("DE,,\N{MINUS SIGN}1", "negative"),
        ("DE,,5.12345", "more than 4 decimals"),
        ("DE,,0.00000001", "more than 4 decimals"),
        ("DE,,NaN", "is not a price"),
        ("DE,,Infinity", "is not a price"),
        ("DE,,1e3", "is not a price"),
        ("DE,,€ 5", "is not a price"),
        ("DE,,1.234.5", "is not a price"),
        ('DE,,"1,234.5"', "is not a price"),
        ("DE,,\N{ARABIC-INDIC DIGIT FIVE}", "is not a price"),
        ("DE,,1000000", "a wrong unit"),
        ("DE,,6,5", "It has 4 cells"),
        ("DE,,=1+1", "is not a price"),
        ("GB,,7", "United Kingdom already has a price in row 2|Britain .* already has a price in row 2"),
        ("UK,,7", "already has a price in row 2"),
        ("*,,7", "Everywhere else already has a price in row 3"),
    ],
)
def test_a_row_that_is_no_price_says_why(tmp_path: Path, row: str, problem: str) -> None:
    found = read(tmp_path, f"Country,MCCMNC,Price EUR cents\nGB,,5\n*,,9\n{row}\nFR,,3\n")
    (fault,) = found.faults
    assert fault.row_no == 4
    assert re.search(problem, fault.problem)


def test_an_mnc_that_lost_its_zero_is_not_guessed(tmp_path: Path) -> None:
    found = read(tmp_path, "MCC,MNC,Price EUR cents\n262,1,5\n,01,5\n")
    assert [fault.row_no for fault in found.faults] == [2, 3]
    assert "leading zeros" in found.faults[0].problem
    assert "no MCC" in found.faults[1].problem


def test_every_fault_is_told_not_only_the_first(tmp_path: Path) -> None:
    found = read(tmp_path, "Country,Price EUR cents\nXX,1\nDE,-1\nFR,2\nFR,3\n")
    assert [fault.row_no for fault in found.faults] == [2, 3, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"Country,Price EUR\n", "no prices"),
        (b"Price EUR\n5\n", "one column"),
        (b"Country,Amount\nDE,5\n", "no price column"),
        (b"Country,Price USD\nDE,5\n", "no price column"),
        (b"Network,Price EUR\nTelekom,5\n", "where the prices are for"),
        (b"Country,Price EUR,Price EUR cents\nDE,5,500\n", "Two columns say the price"),
        (b"Country,ISO,Price EUR\nDE,DE,5\n", "Two columns say the country"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"PK\x03\x04 not a workbook", "damaged"),
        (b"Country,Price EUR\n\xd6sterreich,5\n", "not UTF-8"),
        (b'Country,Price EUR\n"DE,5\n', "Row 2|quote"),
        (b"<html><table></table></html>", "web page"),
        ("Country,Price EUR\nDE,5\n".encode("utf-16-le"), "neither a spreadsheet nor text"),
    ],
)
def test_a_file_that_is_no_price_list_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidFile, match=message) as caught:
        read(tmp_path, content)
    assert caught.value.field == "file"
    assert caught.value.hint


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "MAX_ROWS", 2)
    read(tmp_path, "Country,Price EUR\nDE,0.05\nFR,0.05\n")
    with pytest.raises(InvalidFile, match="more than 2 rows"):
        read(tmp_path, "Country,Price EUR\nDE,0.05\nFR,0.05\nGB,0.05\n")


cents = st.decimals(0, 10_000, places=4, allow_nan=False)
known = st.sampled_from(sorted(list_countries())).map(lambda code: (code, ""))
networks = st.sampled_from([(each.country, each.mccmnc) for each in list_networks() if each.country])


@given(st.dictionaries(st.one_of(known, networks, st.just(("", ""))), cents, min_size=1, max_size=30))
def test_what_was_written_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, wanted: dict) -> None:
    prices = [Price(country, mccmnc, cents) for (country, mccmnc), cents in wanted.items()]
    assert places(read(tmp_path_factory.mktemp("prices"), write_price_list(prices))) == wanted


def test_blank_rows_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A megabyte of them takes longer than any price list does.
    monkeypatch.setattr(price_lists, "MAX_ROWS", 2)
    path = tmp_path / "prices.csv"
    path.write_text(",\n" * 4 + "Country,MCCMNC,Price [EUR c]\nDE,26201,1\n", "utf-8")
    with pytest.raises(InvalidFile, match="more than 2 rows"):
        read_price_list(path, None)


@pytest.mark.parametrize("row", ["26201.0,,", ",262.0,01", "262.01,,"])
def test_a_network_that_pandas_wrote_as_a_number_is_no_other_network(tmp_path: Path, row: str):
    found = read(tmp_path, f"MCCMNC,MCC,MNC,Price EUR\n{row},0.0725\n")
    assert places(found) == {("DE", "26201"): Decimal("7.25")}
