"""Reading Excel workbooks (.xlsx)."""

import warnings
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
from openpyxl.cell.read_only import EMPTY_CELL

from core.errors import InvalidFile
from core.files.rows import MAX_CELL_CHARACTERS, RawRow, RawSheet

# Source: ECMA-376 leaves it open; Excel's own limit.
MAX_ROWS = 1_048_576

# A workbook is a zip archive. Real ones shrink to a tenth, rarely to a hundredth; these limits stop archives that were
# made to fill memory or time. Shared texts are all held in memory, hence their own limit.
MAX_UNPACKED_BYTES = 600 * 2**20
MAX_SHARED_TEXT_BYTES = 128 * 2**20
MAX_RATIO = 250
_SMALL_BYTES = 10 * 2**20
_SHARED_TEXTS = "xl/sharedStrings.xml"

_SAVE_AGAIN = "Open it in Excel, save it again as Excel workbook (.xlsx) or CSV UTF-8, then upload that."

# openpyxl warns of drop-down lists, styles and the like that it would not save; nothing is saved here.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")


@contextmanager
def open_workbook(path: Path) -> Generator[RawSheet]:
    """
    Open the first visible sheet of the workbook at *path*.

    Whole numbers come without ".0", others with the 15 digits Excel keeps; dates in ISO 8601; truth values as TRUE
    and FALSE; error values as Excel shows them ("#N/A").

    Raises: InvalidFile: damaged, oversized, no visible sheet; from *rows* where it is only met there.
    """
    with path.open("rb") as file:
        members = _list_members(file)
        with _broken_means_invalid():
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        with closing(workbook):
            sheet = next((sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"), None)
            if sheet is None:
                raise InvalidFile("The workbook has no visible sheet.", hint="Put the list on the first sheet.")
            row_count = sheet.max_row
            # Programs write wrong dimensions; believing them would cut rows off.
            sheet.reset_dimensions()
            yield RawSheet(_read_rows(sheet), lambda: _share_read(file.tell(), members), row_count)


def _share_read(position: int, members: list[zipfile.ZipInfo]) -> float:
    """Return how much was read of the archive member that *position* (bytes) is in: that is the sheet, 0..1."""
    started = [member for member in members if member.header_offset < position]
    if not started:
        return 0.0
    member = max(started, key=lambda member: member.header_offset)
    return min(1.0, (position - member.header_offset) / max(1, member.compress_size))


def _list_members(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """Return the archive's members. Raises: InvalidFile: they are encrypted or too large."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if any(member.flag_bits & 0x1 for member in members):
        raise InvalidFile("The workbook is protected by a password.", hint="Save it without a password.")
    packed = any(
        member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * member.compress_size for member in members
    )
    if packed or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise InvalidFile(
            f"The workbook unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB, or consists of almost nothing else "
            "than repetitions.",
            hint="Delete sheets and formatting that the list does not need, or save it as CSV UTF-8.",
        )
    shared = sum(member.file_size for member in members if member.filename == _SHARED_TEXTS)
    if shared > MAX_SHARED_TEXT_BYTES:
        raise InvalidFile(
            f"The workbook has more than {MAX_SHARED_TEXT_BYTES >> 20} MiB of different texts.",
            hint="Save it as CSV UTF-8, or split it.",
        )
    return members


@contextmanager
def _broken_means_invalid() -> Generator[None]:
    try:
        yield
    except InvalidFile:
        raise
    except Exception as error:
        # A damaged workbook makes openpyxl raise anything from KeyError to a parser's own error.
        raise InvalidFile("The workbook is damaged.", hint=_SAVE_AGAIN) from error


def _read_rows(sheet: Any) -> Iterator[RawRow]:
    rows = sheet.iter_rows()
    row_no = 0
    while True:
        with _broken_means_invalid():
            cells = next(rows, None)
        if cells is None:
            return
        row_no += 1
        if row_no > MAX_ROWS:
            # A forged row number would have openpyxl deliver empty rows for ever.
            raise InvalidFile(f"The sheet has more than {MAX_ROWS:,} rows.", hint="Split it into several lists.")
        if cells:
            yield _make_row(row_no, cells)


def _make_row(row_no: int, cells: tuple[Any, ...]) -> RawRow:
    formula_at = ""
    texts = []
    for cell in cells:
        # Most rows of exported sheets end with a few cells that are not there at all.
        if cell is EMPTY_CELL:
            texts.append("")
            continue
        if cell.data_type == "f":
            formula_at = formula_at or cell.coordinate
        value = cell.value
        text = value if type(value) is str else format_value(value)
        if len(text) > MAX_CELL_CHARACTERS:
            raise InvalidFile(
                f"Cell {cell.coordinate} has more than {MAX_CELL_CHARACTERS:,} characters.", hint="Shorten it."
            )
        texts.append(text)
    return RawRow(row_no, texts, formula_at)


def format_value(value: object) -> str:
    """Return the text of a cell's value; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # Excel computes with 15 decimal digits; more would show binary rounding (0.30000000000000004).
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    if isinstance(value, datetime):
        whole_day = value.time() == time()
        return value.date().isoformat() if whole_day else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
