"""Reading text tables: CSV as people's programs write it."""

import codecs
import csv
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from core.domain.imports.lists import is_phone_column
from core.errors import InvalidFile
from core.files.tables.rows import MAX_BLANK_ROWS, MAX_CELL_CHARACTERS, MAX_ROW_CELLS, RawRow, RawSheet

DELIMITERS = (",", ";", "\t", "|")

_HEAD_BYTES = 65_536
# A line without an end must not fill the memory.
_MAX_LINE_CHARACTERS = 1_000_000
_MAX_LINES_BEFORE = 10_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CSV_HINT = 'In Excel, save as "CSV UTF-8 (Comma delimited)" or as .xlsx.'
# Excel's own first line, which names the delimiter of all others.
_SEPARATOR_LINE = "sep="


@contextmanager
def open_delimited(path: Path) -> Generator[RawSheet]:
    """
    Open a text table. Comma, semicolon, tab and bar separate cells; the header tells which.

    UTF-8 with or without byte order mark, UTF-16 with one. Quotes follow RFC 4180 strictly: a forgotten one is an
    error that names its row, because it would swallow the rows behind it.

    Raises: InvalidFile: not such text; from *rows* where it is only met there.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
        with TextIOWrapper(file, encoding=encoding, newline="") as text:
            lines = _Lines(text, file, path, encoding)
            yield RawSheet(_read_rows(lines), lambda: min(1.0, file.tell() / size), _estimate_rows(head, size))


class _Lines:
    """Lines of text with their ends, which says where it stopped being text."""

    def __init__(self, text: TextIOWrapper, file: BufferedReader, path: Path, encoding: str) -> None:
        self._text = text
        self._file = file
        self._path = path
        self._encoding = encoding
        self._line_no = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(_MAX_LINE_CHARACTERS)
        except UnicodeError as error:
            raise self._refuse_bytes() from error
        if not line:
            raise StopIteration
        self._line_no += 1
        if len(line) == _MAX_LINE_CHARACTERS:
            raise InvalidFile(f"Line {self._line_no} has more than {len(line):,} characters.", hint=_CSV_HINT)
        if "\0" in line:
            raise InvalidFile(f"Line {self._line_no} holds a NUL byte, so the file is not text.", hint=_CSV_HINT)
        return line

    def _refuse_bytes(self) -> InvalidFile:
        if self._encoding != "utf-8-sig":
            return InvalidFile("The file is not valid UTF-16 text.", hint=_CSV_HINT)
        with self._path.open("rb") as content:
            return refuse_encoding(content)


def refuse_encoding(content: Iterable[bytes]) -> InvalidFile:
    """Return the error for *content*, line by line, which is not UTF-8: it names the first byte that is not."""
    for line_no, line in enumerate(content, start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return InvalidFile(
                f"Line {line_no} holds the byte 0x{line[error.start]:02X}, which is not UTF-8.",
                hint=f"Letters with accents would be damaged. {_CSV_HINT}",
            )
    raise AssertionError("called for a file that is not UTF-8")


def _read_rows(lines: Iterator[str]) -> Iterator[RawRow]:
    header = next(lines, "")
    skipped = 0
    delimiter = ""
    if header.lower().startswith(_SEPARATOR_LINE) and len(header.rstrip("\r\n")) == len(_SEPARATOR_LINE) + 1:
        delimiter = header[len(_SEPARATOR_LINE)]
        header = next(lines, "")
        skipped = 1
    while header and not header.strip():
        header = next(lines, "")
        skipped += 1
        if skipped > _MAX_LINES_BEFORE:
            raise InvalidFile(f"The first {skipped:,} lines are blank.", hint="The first row must name the columns.")
    if not header:
        return
    delimiter = delimiter or _find_delimiter(header)
    row_no = skipped
    blank_count = 0
    reader = csv.reader(_prepend(header, lines), delimiter=delimiter, strict=True)
    while True:
        row_no += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refuse_row(row_no, str(error)) from error
        if not cells:
            blank_count += 1
            if blank_count > MAX_BLANK_ROWS:
                raise InvalidFile(f"The file has more than {MAX_BLANK_ROWS:,} blank lines.", hint="Remove them.")
            continue
        _check_cells(row_no, cells)
        yield RawRow(row_no, cells)


def _prepend(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _find_delimiter(header: str) -> str:
    """Return the delimiter that makes *header* one with a phone column, else the one that makes most columns."""

    def rate(delimiter: str) -> tuple[bool, int]:
        # Not strict: a quoted name may go on in the next line, which is not here.
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return any(is_phone_column(cell) for cell in cells), len(cells)

    try:
        return max(DELIMITERS, key=rate)
    except csv.Error as error:
        raise _refuse_row(1, str(error)) from error


def _check_cells(row_no: int, cells: list[str]) -> None:
    if len(cells) > MAX_ROW_CELLS and any(map(str.strip, cells[MAX_ROW_CELLS:])):
        raise InvalidFile(f"Row {row_no} has {len(cells):,} cells.", hint="Remove the cells beyond the last column.")
    del cells[MAX_ROW_CELLS:]
    if max(map(len, cells), default=0) <= MAX_CELL_CHARACTERS:
        return
    for column, cell in enumerate(cells, start=1):
        if len(cell) > MAX_CELL_CHARACTERS:
            raise InvalidFile(
                f"Row {row_no}, column {column}: a cell of more than {MAX_CELL_CHARACTERS:,} characters.",
                hint="A closing quote may be missing. Otherwise, shorten the cell.",
            )


def _refuse_row(row_no: int, reason: str) -> InvalidFile:
    return InvalidFile(
        f"Row {row_no} cannot be read as CSV ({reason}).",
        hint=f"A quote in this row is not closed, or not doubled inside a quoted cell. {_CSV_HINT}",
    )


def _estimate_rows(head: bytes, size: int) -> int:
    lines = head.count(b"\n") or head.count(b"\r")
    if len(head) == size:
        # The last line often lacks an end.
        return lines + (not head.rstrip(b"\0").endswith((b"\n", b"\r")))
    return max(1, lines) * size // len(head)
