"""Turning the rows of an uploaded file into entries of a list."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from core.domain.imports.lists import ROW_FAULTS, RowFault
from core.domain.numbering.read_numbers import ReadNumber
from core.domain.words.counting import count_of
from core.errors import InvalidFile
from core.files.imports.numbers import RowRefused, check_row
from core.files.imports.reading import ContactSheet, SheetRow
from core.files.tables.rejected import RejectedRows
from core.history.lake.schema import CONTACT_SCHEMA
from core.history.numbers.reading_numbers import NumberReader
from core.state.imports.lists import ImportCounts

CHUNK_ROWS = 10_000


class EntryReader:
    """
    Reads a sheet once: entries come as Arrow tables, all other rows go to a CSV file for the person.

    Read rows = entries + duplicates + rejected, at every moment.
    """

    def __init__(self, sheet: ContactSheet, rejected_path: Path, max_rows: int, numbers: NumberReader) -> None:
        """Take the open *sheet*, where rejected rows go, how many rows are too many, and who reads numbers."""
        self._sheet = sheet
        self._numbers = numbers
        self._refused = RejectedRows(rejected_path, sheet.columns, max_rows)
        self._max_rows = max_rows
        self._seen: set[str] = set()
        self._read = self._entries = self._duplicates = self._rejected = 0

    def __enter__(self) -> Self:
        """Start a fresh file of rejected rows; it exists only once there is one."""
        self._refused.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file of rejected rows."""
        self._refused.__exit__(kind, error, trace)

    def counts(self) -> ImportCounts:
        """Return the counts so far."""
        return ImportCounts(self._read, self._entries, self._duplicates, self._rejected, self._sheet.progress())

    def tables(self) -> Iterator[pa.Table]:
        """
        Yield entries in tables of at most `CHUNK_ROWS` rows with `CONTACT_SCHEMA`, in file order.

        Raises: InvalidFile: the file breaks off or holds too many rows.
        """
        while rows := list(islice(self._sheet.rows, CHUNK_ROWS)):
            self._read += len(rows)
            if self._read > self._max_rows:
                raise InvalidFile(
                    f"The file has more than {count_of(self._max_rows, 'row', 'rows')}.",
                    hint="Split it into several lists.",
                )
            cells = [row.cells[self._sheet.phone_index] for row in rows]
            numbers = self._numbers.read_texts(cells)
            yield self._table([each for each in zip(rows, numbers, strict=True) if self._take(*each)])

    def _take(self, row: SheetRow, number: ReadNumber) -> bool:
        """Tell whether the row is an entry; one that is not is written down."""
        try:
            self._check(row, number)
        except RowRefused as refused:
            self._reject(row, refused.fault, refused.detail)
            return False
        self._seen.add(number.msisdn)
        self._entries += 1
        return True

    def _check(self, row: SheetRow, number: ReadNumber) -> None:
        check_row(row, self._sheet.phone_index, number)
        if number.msisdn in self._seen:
            raise RowRefused(RowFault.DUPLICATE)

    def _reject(self, row: SheetRow, fault: RowFault, detail: str) -> None:
        if fault is RowFault.DUPLICATE:
            self._duplicates += 1
        else:
            self._rejected += 1
        self._refused.write(row.row_no, detail or ROW_FAULTS[fault], row.cells)

    def _table(self, chunk: Sequence[tuple[SheetRow, ReadNumber]]) -> pa.Table:
        columns = {
            "row_no": [row.row_no for row, _ in chunk],
            "msisdn": [number.msisdn for _, number in chunk],
            "country": [number.country for _, number in chunk],
            "network": [number.network for _, number in chunk],
            "mccmnc": [number.mccmnc for _, number in chunk],
            "fields": [list(row.cells) for row, _ in chunk],
        }
        return pa.table(columns, schema=CONTACT_SCHEMA)
