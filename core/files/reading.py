"""Contact lists from files: CSV and Excel workbooks, row by row."""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from core.domain.lists import RowFault
from core.errors import InvalidFile
from core.files.delimited import open_delimited
from core.files.header import check_header
from core.files.kinds import Kind, find_kind
from core.files.rows import RawRow, RawSheet
from core.files.workbook import open_workbook

log = logging.getLogger(__name__)

_OPENERS = {Kind.CSV: open_delimited, Kind.XLSX: open_workbook}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """
    A row of a contact list.

    *row_no* is 1-based, the header usually 1. *cells* are as many as there are columns, missing ones "". A row that
    cannot be an entry has a *fault* and maybe a *detail*, one sentence; its surplus cells, if any, are kept.
    """

    row_no: int
    cells: tuple[str, ...]
    fault: RowFault | None = None
    detail: str = ""


@dataclass(frozen=True)
class ContactSheet:
    """
    A contact list being read; *rows* can be read once and skips rows without content.

    *estimated_rows* counts rows below the header, None when the file does not tell.
    """

    columns: tuple[str, ...]
    phone_index: int
    estimated_rows: int | None
    rows: Iterator[SheetRow]
    read_share: Callable[[], float]

    def progress(self) -> float:
        """Return how much of the file was read, 0..1."""
        return self.read_share()


@contextmanager
def open_sheet(path: Path, file_name: str) -> Generator[ContactSheet]:
    """
    Open the contact list at *path*; only one row at a time is held in memory (a workbook's shared texts besides).

    Args:
        path: The stored upload. Its content decides how it is read.
        file_name: What its owner called it; only its ending is noted, in the log.

    Raises: InvalidFile: not a contact list; says what is wrong and what to do. Rows further down are only met while
        reading, so iterating over *rows* raises it as well.
    """
    try:
        kind = find_kind(path)
        # The name itself may be a customer's; its ending tells enough when a file is not what it claims.
        log.info("sheet_opened", extra={"kind": kind, "name_ending": Path(file_name).suffix.lower()})
        with _OPENERS[kind](path) as raw:
            yield _start(raw)
    except InvalidFile as error:
        error.field = error.field or "file"
        raise


def _start(raw: RawSheet) -> ContactSheet:
    """Read header and first row, so that a file without them is refused at once."""
    rows = (row for row in raw.rows if row.formula_at or any(map(str.strip, row.cells)))
    header = next(rows, None)
    if header is None:
        raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one row.")
    columns, phone_index = check_header(header)
    first = next(rows, None)
    if first is None:
        raise InvalidFile("The file has a header but no rows.", hint="Add at least one row with a number.")
    estimated = None if raw.estimated_rows is None else max(1, raw.estimated_rows - header.row_no)
    read = (_make_row(row, len(columns)) for row in chain([first], rows))
    return ContactSheet(columns, phone_index, estimated, read, raw.progress)


def _make_row(row: RawRow, width: int) -> SheetRow:
    cells = tuple(row.cells)
    if len(cells) < width:
        cells += ("",) * (width - len(cells))
    if row.formula_at:
        detail = f"Cell {row.formula_at} holds a formula; paste its value instead."
        return SheetRow(row.row_no, cells, RowFault.FORMULA, detail)
    if len(cells) > width:
        # Programs that end every line with a delimiter write one empty cell too many.
        if any(map(str.strip, cells[width:])):
            detail = f"The row has {len(cells)} cells, the header {width}."
            return SheetRow(row.row_no, cells, RowFault.TOO_MANY_CELLS, detail)
        cells = cells[:width]
    return SheetRow(row.row_no, cells)
