"""Contact lists from files: CSV and Excel workbooks, row by row."""

import json
import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from core.domain.imports.lists import HiddenRows, RowFault
from core.domain.texts.no_values import MOST_CHARACTERS, is_no_value
from core.domain.words.characters import compose
from core.domain.words.counting import count_of, grouped
from core.errors import InvalidFile
from core.files.imports.header import Header, find_phone_column, read_header
from core.files.tables.delimited import open_delimited
from core.files.tables.kinds import FileKind, find_kind
from core.files.tables.rejected import OWN_COLUMNS, original
from core.files.tables.rows import MAX_BLANK_ROWS, RawRow, RawSheet, unwrap
from core.files.workbooks.workbook import open_rows

log = logging.getLogger(__name__)

# Rows in which hidden ones are looked for while the person who uploads a workbook waits. Further down the import asks.
LOOKED_AT_ROWS = 10_000

_OPENERS: dict[FileKind, Callable[[Path], AbstractContextManager[RawSheet]]] = {
    FileKind.CSV: open_delimited,
    FileKind.XLSX: open_rows,
}


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
def open_sheet(path: Path, file_name: str, hidden_rows: HiddenRows = HiddenRows.ASK) -> Generator[ContactSheet]:
    """
    Open the contact list at *path*; only few rows at a time are held in memory (a workbook's shared texts besides).

    Args:
        path: The stored upload. Its content decides how it is read.
        file_name: What its owner called it; only its ending is noted, in the log.
        hidden_rows: What becomes of rows that a workbook hides.

    Raises: InvalidFile: not a contact list, or it hides rows and nobody has said what becomes of them; says what is
        wrong and what to do. Rows further down are only met while reading, so iterating over *rows* raises it as well.
    """
    try:
        kind = find_kind(path)
        # The name itself may be a customer's; its ending tells enough when a file is not what it claims.
        log.info("sheet_opened", extra={"kind": kind, "name_ending": Path(file_name).suffix.lower()})
        with _OPENERS[kind](path) as raw:
            yield _start(raw, hidden_rows)
    except InvalidFile as error:
        error.field = error.field or "file"
        raise


def read_columns(path: Path, file_name: str, hidden_rows: HiddenRows = HiddenRows.ASK) -> tuple[str, ...]:
    """
    Return the columns of the contact list at *path*. Raises: as `open_sheet`.

    Only header and first row are read; of a workbook more, where it might be to ask about hidden rows.
    """
    with open_sheet(path, file_name, hidden_rows) as sheet:
        if hidden_rows is HiddenRows.ASK and find_kind(path) is FileKind.XLSX:
            deque(islice(sheet.rows, LOOKED_AT_ROWS), maxlen=0)
        return sheet.columns


def write_columns(path: str, ending: str, hidden_rows: str = HiddenRows.ASK) -> bytes:
    """Return what `read_columns` does as bytes: a task of `core.files.apart`."""
    return json.dumps(read_columns(Path(path), ending, HiddenRows(hidden_rows))).encode()


def _start(raw: RawSheet, hidden_rows: HiddenRows) -> ContactSheet:
    """Read header and first row, so that a file without them is refused at once."""
    header, rows = start_table(raw)
    phone_index = find_phone_column(header.columns)
    estimated = None if raw.estimated_rows is None else max(1, raw.estimated_rows - header.row_no)
    return ContactSheet(
        header.columns, phone_index, estimated, read_rows(rows, header, phone_index, hidden_rows), raw.progress
    )


def start_table(raw: RawSheet, *, has_header: bool = True) -> tuple[Header, Iterator[RawRow]]:
    """
    Return the header of a table, and the rows below it that have any content.

    Raises: InvalidFile: there is no such row, or as `read_header`.
    """
    rows = _counted(raw.rows)
    first = next(rows, None)
    if first is None:
        raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one row.")
    header = read_header(first, has_header=has_header)
    below = map(as_it_was, rows) if header.own_width else rows if has_header else chain([first], rows)
    following = next(below, None)
    if following is None:
        raise InvalidFile("The file has a header but no rows.", hint="Add at least one row with a number.")
    return header, chain([following], below)


def _counted(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Give the *rows* with content as long as few others are between them: a file of nothing else must end."""
    blank_count = 0
    for row in rows:
        if row.formulas or any(map(str.strip, row.cells)):
            yield row
            continue
        blank_count += 1
        if blank_count > MAX_BLANK_ROWS:
            raise InvalidFile(f"The file has more than {grouped(MAX_BLANK_ROWS)} blank rows.", hint="Remove them.")


def as_it_was(row: RawRow) -> RawRow:
    """Return a row of our own file of rejected rows as it was in the file it is from."""
    own = len(OWN_COLUMNS)
    formulas = {index - own: address for index, address in row.formulas.items()}
    numbers = {index - own: text for index, text in row.numbers.items()}
    return RawRow(row.row_no, [original(cell) for cell in row.cells[own:]], formulas, numbers, row.is_hidden)


def read_rows(rows: Iterator[RawRow], header: Header, phone_index: int, hidden_rows: HiddenRows) -> Iterator[SheetRow]:
    """Yield the *rows* below *header* as rows of a list. Raises: InvalidFile: one is hidden, and it is to be asked."""
    width = len(header.columns)
    for row in rows:
        # Whoever computes something beside the list does not mean the list, nor what came out.
        formulas = [address for index, address in row.formulas.items() if 0 <= index < width]
        for index in row.formulas:
            if width <= index < len(row.cells):
                row.cells[index] = ""
        if not formulas and not any(map(str.strip, row.cells)):
            continue
        if row.is_hidden and hidden_rows is HiddenRows.ASK:
            raise InvalidFile(
                f"Rows are hidden by a filter or by hand, the first is row {row.row_no}: should they be texted or not?",
                hint="Next to the file, choose whether hidden rows are left out or imported too.",
                field="hidden_rows",
            )
        made = _make_row(row, formulas, width, phone_index)
        if row.is_hidden and hidden_rows is HiddenRows.LEAVE_OUT:
            made = SheetRow(made.row_no, made.cells, RowFault.HIDDEN)
        yield made


def _make_row(row: RawRow, formulas: Sequence[str], width: int, phone_index: int) -> SheetRow:
    cells = tuple(map(clean, row.cells))
    if len(cells) < width:
        cells += ("",) * (width - len(cells))
    if phone_index in row.numbers:
        cells = (*cells[:phone_index], row.numbers[phone_index], *cells[phone_index + 1 :])
    if formulas:
        detail = f"Cell {formulas[0]} holds a formula; paste its value instead."
        return SheetRow(row.row_no, cells, RowFault.FORMULA, detail)
    if len(cells) > width:
        # Programs that end every line with a delimiter write one empty cell too many.
        if any(map(str.strip, cells[width:])):
            detail = f"The row has {count_of(len(cells), 'cell', 'cells')}, the header {width}."
            return SheetRow(row.row_no, cells, RowFault.TOO_MANY_CELLS, detail)
        cells = cells[:width]
    return SheetRow(row.row_no, cells)


def clean(cell: str) -> str:
    """Return *cell* as it is meant: nothing where it only says that nothing is there, and letters in one piece."""
    cell = unwrap(cell)
    if len(cell) <= MOST_CHARACTERS and is_no_value(cell):
        return ""
    return compose(cell)
