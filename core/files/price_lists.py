"""Price lists from CSV files, and as CSV files."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.domain.cdr import PriceUnit
from core.domain.price_lists import EVERYWHERE, ReadPrices, read_prices
from core.domain.pricing import Price
from core.errors import InvalidFile
from core.files.delimited import open_delimited
from core.files.kinds import Kind, find_kind
from core.files.rows import RawRow

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


def _read(path: Path, unit: PriceUnit | None) -> ReadPrices:
    if find_kind(path) is not Kind.CSV:
        raise InvalidFile("The file is a workbook, not CSV.", hint=_HINT)
    with open_delimited(path) as sheet:
        # Blank ones count: a megabyte of them would take longer than any price list.
        rows = (row for row in _counted(sheet.rows) if any(map(str.strip, row.cells)))
        header = next(rows, None)
        if header is None:
            raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one price.")
        if len(header.cells) < 2:
            raise InvalidFile(
                "The first row names one column only.", hint="Separate columns by comma, semicolon or tab."
            )
        found = [(row.row_no, row.cells) for row in rows]
    return read_prices(header.cells, found, unit)


def _counted(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    for count, row in enumerate(rows):
        if count > MAX_ROWS:
            raise InvalidFile(f"The file has more than {MAX_ROWS:,} rows.", hint="A network needs one row only.")
        yield row


def write_price_list(prices: Iterable[Price]) -> bytes:
    """Return the prices as a CSV file that `read_price_list` reads; UTF-8, comma, decimal point."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    for price in sorted(prices, key=lambda each: (each.country, each.mccmnc)):
        writer.writerow((price.country or EVERYWHERE, price.mccmnc, f"{price.price_eur_cents:f}"))
    return text.getvalue().encode()
