"""Price lists from CSV files, and as CSV files."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from core.domain.accounts.price_lists import EVERYWHERE, PriceFault, ReadPrices, read_prices
from core.domain.accounts.pricing import Price
from core.domain.imports.cdr import PriceUnit
from core.domain.words.counting import grouped
from core.errors import InvalidFile
from core.files.tables.delimited import open_delimited
from core.files.tables.kinds import FileKind, find_kind
from core.files.tables.rows import RawRow, unwrap

MAX_ROWS = 20_000
_HEADER = ("Country", "MCCMNC", "Price [EUR c]")
# What a CSV file is, for who brought something else.
_HINT = 'Save the sheet as "CSV UTF-8", then upload that.'


def read_price_list(path: Path, unit: PriceUnit | None) -> ReadPrices:
    """
    Return the prices in the CSV file at *path*; *unit* is for a header that does not say it.

    Raises: InvalidFile: no CSV file, too long, or without the columns a price list needs; with the *field*.
    """
    try:
        return _read(path, unit)
    except InvalidFile as error:
        error.field = error.field or "file"
        raise


def write_read(path: str, unit: str) -> bytes:
    """Return what `read_price_list` returns, "" being no unit, as bytes for `load_read`: a child does it."""
    found = read_price_list(Path(path), PriceUnit(unit) if unit else None)
    prices = [(each.country, each.mccmnc, f"{each.price_eur_cents}") for each in found.prices]
    faults = [(each.row_no, each.text, each.problem) for each in found.faults]
    return json.dumps([prices, faults, found.unit]).encode()


def load_read(written: bytes) -> ReadPrices:
    """Return what `write_read` wrote."""
    prices, faults, unit = json.loads(written)
    return ReadPrices(
        tuple(Price(country, mccmnc, Decimal(cents)) for country, mccmnc, cents in prices),
        tuple(PriceFault(*fault) for fault in faults),
        PriceUnit(unit),
    )


def _read(path: Path, unit: PriceUnit | None) -> ReadPrices:
    if find_kind(path) is not FileKind.CSV:
        raise InvalidFile("The file is a workbook, not CSV.", hint=_HINT)
    with open_delimited(path) as sheet:
        # Blank ones count: a megabyte of them would take longer than any price list.
        rows = (row for row in _counted(sheet.rows) if any(map(str.strip, row.cells)))
        header = next(rows, None)
        if header is None:
            raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one price.")
        if len(header.cells) < 2:
            raise InvalidFile(
                "The first row names only one column.", hint="Separate the columns with commas, semicolons or tabs."
            )
        # Networks begin with zeros, which programs keep by saying that a cell is a text.
        found = [(row.row_no, list(map(unwrap, row.cells))) for row in rows]
    return read_prices(list(map(unwrap, header.cells)), found, unit)


def _counted(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            raise InvalidFile(
                f"The file has more than {grouped(MAX_ROWS)} rows.", hint="Give each network only one row."
            )
        yield row


def write_price_list(prices: Iterable[Price]) -> bytes:
    """Return the prices as a CSV file that `read_price_list` reads; UTF-8, comma, decimal point."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    for price in sorted(prices, key=lambda each: (each.country, each.mccmnc)):
        writer.writerow((price.country or EVERYWHERE, price.mccmnc, f"{price.price_eur_cents:f}"))
    return text.getvalue().encode()
