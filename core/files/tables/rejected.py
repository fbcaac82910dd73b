"""Rows that were not taken, as a CSV file for the person who sent them: row number, reason, and the row itself."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

OWN_COLUMNS = ("Row", "Reason")
# Spreadsheets of East Asia take the wide signs as well (OWASP, CSV Injection).
SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
BEGINS_FORMULA = re.compile(f"'*[{SIGNS}]")


def harmless(cell: str) -> str:
    """Return *cell* so that a spreadsheet does not run it: one that begins like a formula gets an apostrophe."""
    return f"'{cell}" if BEGINS_FORMULA.match(cell) and not cell[1:].isdigit() else cell


def original(cell: str) -> str:
    """Return the cell that `harmless` made *cell* of."""
    return cell[1:] if cell[:1] == "'" and BEGINS_FORMULA.match(cell) else cell


def is_own_file(header: Sequence[str]) -> bool:
    """Tell whether *header* is the one of a file written here: somebody has mended the rows and sends them again."""
    return tuple(header[: len(OWN_COLUMNS)]) == OWN_COLUMNS


class RejectedRows:
    """Writes such a file; it exists only once there is a row. After *most* rows the others are only counted."""

    def __init__(self, path: Path, columns: Sequence[str], most: int) -> None:
        """Take where the file goes, the header of the file the rows are from, and how many rows are kept."""
        self._path = path
        self._columns = columns
        self._most = most
        self._file: TextIO | None = None
        self.count = 0

    def __enter__(self) -> Self:
        """Start afresh."""
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def write(self, row_no: int, reason: str, cells: Iterable[str]) -> None:
        """Write a row."""
        self.count += 1
        if self.count > self._most:
            return
        if self._file is None:
            # Spreadsheets take a file without the mark for one of their own country's old encodings.
            self._file = self._path.open("w", newline="", encoding="utf-8-sig")
            csv.writer(self._file).writerow([*OWN_COLUMNS, *map(harmless, self._columns)])
        csv.writer(self._file).writerow([row_no, harmless(reason), *map(harmless, cells)])
