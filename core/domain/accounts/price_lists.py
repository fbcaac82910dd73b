"""Price lists as files say them: which column is which, what a row means, and what is wrong with it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NoReturn

from core.domain.accounts.pricing import Price
from core.domain.imports.cdr import PriceUnit
from core.domain.numbering import country_name, find_country, list_networks
from core.domain.words.counting import count_of, in_euros
from core.errors import InvalidFile

# Of one segment: beyond it, the unit is mistaken.
PRICE_MAX_EUR_CENTS = Decimal(10_000)
DECIMALS_MAX = 4
# What stands for every destination that has no price of its own.
EVERYWHERE = "*"

_COUNTRY = frozenset({"country", "countrycode", "countryiso", "iso", "iso2", "isocode", "countryname", "destination"})
_MCCMNC = frozenset({"mccmnc", "mccandmnc", "networkcode", "plmn", "plmnid"})
_CENTS = frozenset(
    {"priceeurc", "priceeurcent", "priceeurcents", "priceineurcents", "pricecents", "pricecent", "eurcents", "eurcent"}
)
_EUROS = frozenset({"priceeur", "priceeuro", "priceeuros", "priceineur", "priceineuro", "eur", "euro", "euros"})
_UNSAID = frozenset({"price", "rate", "cost", "pricepersms", "pricepersegment", "unitprice"})
_EVERYWHERE = frozenset({EVERYWHERE, "default", "other", "others", "rest of world", "all other countries"})
_MCC = re.compile(r"\d{3}")
_MCCMNC_DIGITS = re.compile(r"\d{5,6}")
_MNC = re.compile(r"\d{2,3}")
_BETWEEN = re.compile(r"[\s/\-.]+")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,20})?")


@dataclass(frozen=True)
class PriceFault:
    """A row that is no price: its number in the file as a spreadsheet counts, what it says, what is wrong with it."""

    row_no: int
    text: str
    problem: str


@dataclass(frozen=True)
class ReadPrices:
    """What a file holds. With any *faults* it is not used; *unit* is what its prices were counted in."""

    prices: tuple[Price, ...]
    faults: tuple[PriceFault, ...]
    unit: PriceUnit


@dataclass(frozen=True)
class PriceList:
    """A list that counts from *valid_from* on (a day of UTC); *is_current* is the one that counts today."""

    valid_from: date
    price_count: int
    is_current: bool


@dataclass(frozen=True)
class _Columns:
    """Positions from 0, None for a column that is not there."""

    price: int
    unit: PriceUnit
    country: int | None = None
    mccmnc: int | None = None
    mcc: int | None = None
    mnc: int | None = None


class _Fault(Exception):
    """What is wrong with a row."""


def read_prices(header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], unit: PriceUnit | None) -> ReadPrices:
    """
    Return the prices in *rows* (number and cells), and what is wrong with each row that is none.

    A row names a country, a network (MCC and MNC, together or apart), or `*` for everywhere else; a network without a
    country is priced in every country it serves. *unit* is for a header that does not say it.

    Raises: InvalidFile: no price column or two, nothing that says where, or nobody says in which unit.
    """
    columns = _find_columns(header, unit)
    prices: list[Price] = []
    said_by: dict[tuple[str, str], int] = {}
    faults = []
    for row_no, cells in rows:
        try:
            for price in _read_row(columns, cells, len(header)):
                _note(said_by, (price.country, price.mccmnc), row_no)
                prices.append(price)
        except _Fault as fault:
            faults.append(PriceFault(row_no, ", ".join(cell.strip() for cell in cells)[:80], str(fault)))
    if not prices and not faults:
        raise InvalidFile("The file has a header but no prices.", hint="Add a row for each destination.", field="file")
    return ReadPrices(tuple(prices), tuple(faults), columns.unit)


def _note(said_by: dict[tuple[str, str], int], place: tuple[str, str], row_no: int) -> None:
    if place in said_by:
        raise _Fault(f"{_in_words(*place)} already has a price in row {said_by[place]}.")
    said_by[place] = row_no


def _find_columns(header: Sequence[str], unit: PriceUnit | None) -> _Columns:
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]

    def find(known: frozenset[str], what: str) -> int | None:
        found = [index for index, name in enumerate(names) if name in known]
        if len(found) > 1:
            raise InvalidFile(
                f"Two columns say {what}: {header[found[0]]} and {header[found[1]]}.",
                hint="Keep one of them.",
                field="file",
            )
        return found[0] if found else None

    price = find(_CENTS | _EUROS | _UNSAID, "the price")
    if price is None:
        _refuse("There is no price column.", header)
    said = PriceUnit.EUR_CENTS if names[price] in _CENTS else PriceUnit.EUR if names[price] in _EUROS else None
    if said is None and unit is None:
        raise InvalidFile(
            f"The column {header[price]} does not say whether it is in EUR or in EUR cents.",
            hint="Choose one of them above, or name the column Price [EUR] or Price [EUR c].",
            field="unit",
        )
    country, mccmnc = find(_COUNTRY, "the country"), find(_MCCMNC, "the network")
    mcc, mnc = find(frozenset({"mcc"}), "the MCC"), find(frozenset({"mnc"}), "the MNC")
    if country is None and mccmnc is None and mcc is None:
        _refuse("No column says where the prices are for.", header)
    return _Columns(price, said or unit or PriceUnit.EUR_CENTS, country, mccmnc, mcc, mnc)


def _refuse(problem: str, header: Sequence[str]) -> NoReturn:
    shown = ", ".join(name[:30] or "(no name)" for name in header[:8])
    raise InvalidFile(
        f"{problem} Found: {shown}.",
        hint="The first row must name Country, MCCMNC (or one of the two), and Price [EUR] or Price [EUR c].",
        field="file",
    )


def _read_row(columns: _Columns, cells: Sequence[str], width: int) -> list[Price]:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        raise _Fault(
            f"It has {count_of(len(cells), 'cell', 'cells')}, the header {width}: "
            "a decimal comma needs quotes or another separator."
        )

    def cell(index: int | None) -> str:
        return "" if index is None or index >= len(cells) else " ".join(cells[index].split())

    def code(index: int | None) -> str:
        # 26201.0, as pandas writes it, is not the network 262 010.
        return re.sub(r"^(\d+)\.0$", r"\1", cell(index))

    country, network = cell(columns.country), _BETWEEN.sub("", code(columns.mccmnc))
    if not network:
        network = _join(code(columns.mcc), code(columns.mnc))
    places = _find_places(country, network)
    price = _read_price(cell(columns.price), columns.unit)
    return [Price(place, mccmnc, price) for place, mccmnc in places]


def _join(mcc: str, mnc: str) -> str:
    if mnc and not mcc:
        raise _Fault(f"The MNC {mnc} has no MCC.")
    if mnc and not _MNC.fullmatch(mnc):
        raise _Fault(f"{mnc} is not an MNC: that has two or three digits, with leading zeros.")
    return mcc + mnc


def _find_places(country: str, network: str) -> list[tuple[str, str]]:
    """Return country codes and networks, as `Price` has them, that a row is about."""
    if country.casefold() in _EVERYWHERE and not network:
        return [("", "")]
    code = _find_country(country) if country and country.casefold() not in _EVERYWHERE else ""
    if not network:
        if not code:
            raise _Fault(f"Neither country nor network; use {EVERYWHERE} as the country for everywhere else.")
        return [(code, "")]
    if not network.isascii() or not (_MCC.fullmatch(network) or _MCCMNC_DIGITS.fullmatch(network)):
        raise _Fault(f"{network[:20]} is not an MCCMNC: that has three digits (a country) or five or six (a network).")
    in_country = _countries_by_mcc().get(network[:3], frozenset())
    if code and in_country and code not in in_country:
        where = ", ".join(country_name(each) for each in sorted(in_country)[:3])
        raise _Fault(f"The MCC {network[:3]} belongs to {where}, not to {country_name(code)}.")
    mccmnc = "" if len(network) == 3 else network
    if code:
        return [(code, mccmnc)]
    # A network we do not know, of an MCC of one country, is that country's.
    countries = _countries_by_network().get(network) or (in_country if len(in_country) == 1 else frozenset())
    if not countries:
        raise _Fault(f"The country of {network} is not known; name it.")
    return [(each, mccmnc) for each in sorted(countries)]


def _find_country(text: str) -> str:
    found = find_country(text)
    if found is None:
        raise _Fault(f"There is no country {text[:40]}; write its ISO code, such as DE, or its English name.")
    return found


def _read_price(text: str, unit: PriceUnit) -> Decimal:
    """Return the price in EUR cents."""
    if not text:
        raise _Fault("The price is missing.")
    if text.startswith(("-", "\N{MINUS SIGN}")):
        raise _Fault(f"The price {text[:20]} is negative.")
    if not text.isascii() or not _NUMBER.fullmatch(text):
        raise _Fault(f"{text[:20]} is not a price: write digits with one decimal point or comma, no currency.")
    cents = Decimal(text.replace(",", ".")) * (100 if unit is PriceUnit.EUR else 1)
    exponent = cents.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DECIMALS_MAX:
        raise _Fault(f"The price {text[:24]} has more than {DECIMALS_MAX} decimals in EUR cents.")
    if cents > PRICE_MAX_EUR_CENTS:
        raise _Fault(f"The price {text[:20]} is more than {in_euros(PRICE_MAX_EUR_CENTS)} for a segment: a wrong unit?")
    return cents.quantize(Decimal(1).scaleb(-DECIMALS_MAX))


def _in_words(country: str, mccmnc: str) -> str:
    if not country:
        return "Everywhere else"
    return f"Network {mccmnc} in {country_name(country)}" if mccmnc else country_name(country)


@cache
def _countries_by_mcc() -> Mapping[str, frozenset[str]]:
    return _grouped((network.mccmnc[:3], network.country) for network in list_networks())


@cache
def _countries_by_network() -> Mapping[str, frozenset[str]]:
    pairs = [(network.mccmnc, network.country) for network in list_networks()]
    return _grouped(pairs + [(mcc, each) for mcc, countries in _countries_by_mcc().items() for each in countries])


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key, country in pairs:
        if country:
            found[key].add(country)
    return {key: frozenset(countries) for key, countries in found.items()}
