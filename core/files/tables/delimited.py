"""Reading text tables: CSV as people's programs write it."""

import codecs
import csv
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Protocol

from core.domain.imports.lists import is_phone_column
from core.domain.imports.reading_plans import TextEncoding
from core.domain.words.counting import grouped
from core.errors import InvalidFile
from core.files.tables.rows import MAX_BLANK_ROWS, MAX_CELL_CHARACTERS, MAX_ROW_CELLS, RawRow, RawSheet

DELIMITERS = (",", ";", "\t", "|")

_HEAD_BYTES = 65_536
# A line without an end must not fill the memory.
_MAX_LINE_CHARACTERS = 1_000_000
_MAX_LINES_BEFORE = 10_000
# Lines of a header whose names have line ends; a quote that is never closed must not take the file for one.
_MAX_HEADER_LINES = 200
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CSV_HINT = 'In Excel, save as "CSV UTF-8 (Comma delimited)" or as .xlsx.'
# Excel's own first line, which names the delimiter of all others.
_SEPARATOR_LINE = "sep="


# How Python calls them. UTF-8 comes with a byte order mark, or without.
CODECS = {TextEncoding.UTF8: "utf-8-sig", TextEncoding.UTF16: "utf-16", TextEncoding.WINDOWS: "cp1252"}
_NAMES = {TextEncoding.UTF8: "UTF-8", TextEncoding.UTF16: "UTF-16", TextEncoding.WINDOWS: "Windows-1252"}


@contextmanager
def open_delimited(path: Path, encoding: TextEncoding | None = None, delimiter: str = "") -> Generator[RawSheet]:
    """
    Open a text table. Comma, semicolon, tab and bar separate cells; the header tells which.

    Quotes follow RFC 4180 strictly: a forgotten one is an error that names its row, because it would swallow the rows
    behind it.

    Args:
        path: The file.
        encoding: How it is written; by default UTF-16 where it begins with that mark, else UTF-8 with or without one.
        delimiter: What separates cells; by default what `find_start` finds.

    Raises: InvalidFile: not such text; from *rows* where it is only met there.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        encoding = encoding or find_mark(head)
        with TextIOWrapper(file, encoding=CODECS[encoding], newline="") as text:
            lines = Lines(text, path, encoding)
            yield RawSheet(
                _read_all(lines, delimiter), lambda: min(1.0, file.tell() / size), _estimate_rows(head, size)
            )


def find_mark(head: bytes) -> TextEncoding:
    """Return the encoding that the first bytes of a file say it has: UTF-8 where they say nothing."""
    return TextEncoding.UTF16 if head.startswith(_UTF16) else TextEncoding.UTF8


class Readable(Protocol):
    """What lines are read from."""

    def readline(self, limit: int, /) -> str:
        """Return the next line with its end, at most so many characters of it."""


class Lines:
    """Lines of text with their ends, which says where it stopped being text."""

    def __init__(self, text: Readable, path: Path, encoding: TextEncoding, line_no: int = 0) -> None:
        """Take the *text* behind the first *line_no* lines of the file at *path*."""
        self._text = text
        self._path = path
        self._encoding = encoding
        self._line_no = line_no

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(_MAX_LINE_CHARACTERS)
        except UnicodeError as error:
            raise refuse_text(self._path, self._encoding) from error
        if not line:
            raise StopIteration
        self._line_no += 1
        if len(line) == _MAX_LINE_CHARACTERS:
            raise InvalidFile(f"Line {self._line_no} has more than {grouped(len(line))} characters.", hint=CSV_HINT)
        if "\0" in line:
            raise InvalidFile(f"Line {self._line_no} holds a NUL byte, so the file is not text.", hint=CSV_HINT)
        return line


def refuse_text(path: Path, encoding: TextEncoding) -> InvalidFile:
    """Return the error for the file at *path*, which is not written in this encoding."""
    with path.open("rb") as content:
        return (
            InvalidFile("The file is not valid UTF-16 text.", hint=CSV_HINT)
            if encoding is TextEncoding.UTF16
            else (refuse_encoding(content, encoding))
        )


def refuse_encoding(content: Iterable[bytes], encoding: TextEncoding = TextEncoding.UTF8) -> InvalidFile:
    """Return the error for *content*, line by line, which is not UTF-8: it names the first byte that is not."""
    for line_no, line in enumerate(content, start=1):
        try:
            line.decode(CODECS[encoding])
        except UnicodeDecodeError as error:
            return InvalidFile(
                f"Line {line_no} holds the byte 0x{line[error.start]:02X}, which is not {_NAMES[encoding]}.",
                hint=f"Letters with accents would be damaged. {CSV_HINT}",
            )
    raise AssertionError(f"called for a file that is {encoding}")


@dataclass(frozen=True, slots=True)
class Start:
    """
    How a text table begins.

    *lines* are the first one that is not blank, and those in which its quoted names go on; *skipped* are before them.
    """

    lines: tuple[str, ...]
    skipped: int
    delimiter: str


def find_start(lines: Iterator[str], delimiter: str = "") -> Start | None:
    """
    Return how the table begins that *lines* are of, None when there is no line in it.

    The delimiter is what somebody says (*delimiter*), else what Excel's own first line says, else the one that makes
    the header one with a phone column, else the one that makes most columns.

    Raises: InvalidFile: a great many blank lines, or quotes in the first one that make no sense.
    """
    header = next(lines, "")
    skipped, said = 0, ""
    if header.lower().startswith(_SEPARATOR_LINE) and len(header.rstrip("\r\n")) == len(_SEPARATOR_LINE) + 1:
        said = header[len(_SEPARATOR_LINE)]
        header = next(lines, "")
        skipped = 1
    while header and not header.strip():
        header = next(lines, "")
        skipped += 1
        if skipped > _MAX_LINES_BEFORE:
            raise InvalidFile(
                f"The first {grouped(skipped)} lines are blank.", hint="The first row must name the columns."
            )
    if not header:
        return None
    found = _go_on(header, lines)
    return Start(found, skipped, delimiter or said or _find_delimiter(found))


def _go_on(header: str, lines: Iterator[str]) -> tuple[str, ...]:
    """Return the line *header*, and those below in which a name goes on that has line ends."""
    found, quotes = [header], header.count('"')
    while quotes % 2 and len(found) < _MAX_HEADER_LINES and (line := next(lines, "")):
        found.append(line)
        quotes += line.count('"')
    return tuple(found)


def _read_all(lines: Iterator[str], delimiter: str) -> Iterator[RawRow]:
    if start := find_start(lines, delimiter):
        yield from read_rows(chain(start.lines, lines), start.delimiter, start.skipped)


def read_rows(lines: Iterator[str], delimiter: str, row_no: int) -> Iterator[RawRow]:
    """Yield the rows of *lines*, which stand behind the first *row_no* rows; without blank ones."""
    blank_count = 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
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
                raise InvalidFile(f"The file has more than {grouped(MAX_BLANK_ROWS)} blank lines.", hint="Remove them.")
            continue
        check_cells(row_no, cells)
        yield RawRow(row_no, cells)


def _find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that makes the header one with a phone column, else the one that makes most columns."""

    def rate(delimiter: str) -> tuple[bool, int]:
        # Not strict: only with the right one quotes make sense.
        cells = next(csv.reader(lines, delimiter=delimiter), [])
        return any(is_phone_column(cell) for cell in cells), len(cells)

    try:
        return max(DELIMITERS, key=rate)
    except csv.Error as error:
        raise _refuse_row(1, str(error)) from error


def check_cells(row_no: int, cells: list[str]) -> None:
    """Cut blank cells beyond the last column any list may have. Raises: InvalidFile: too many cells, or too long."""
    if len(cells) > MAX_ROW_CELLS and any(map(str.strip, cells[MAX_ROW_CELLS:])):
        raise InvalidFile(
            f"Row {row_no} has {grouped(len(cells))} cells.", hint="Remove the cells beyond the last column."
        )
    del cells[MAX_ROW_CELLS:]
    if max(map(len, cells), default=0) <= MAX_CELL_CHARACTERS:
        return
    for column, cell in enumerate(cells, start=1):
        if len(cell) > MAX_CELL_CHARACTERS:
            raise InvalidFile(
                f"Row {row_no}, column {column}: a cell of more than {grouped(MAX_CELL_CHARACTERS)} characters.",
                hint="A closing quote may be missing. Otherwise, shorten the cell.",
            )


def _refuse_row(row_no: int, reason: str) -> InvalidFile:
    return InvalidFile(
        f"Row {row_no} cannot be read as CSV ({reason}).",
        hint=f"A quote in this row is not closed, or not doubled inside a quoted cell. {CSV_HINT}",
    )


def _estimate_rows(head: bytes, size: int) -> int:
    lines = head.count(b"\n") or head.count(b"\r")
    if len(head) == size:
        # The last line often lacks an end.
        return lines + (not head.rstrip(b"\0").endswith((b"\n", b"\r")))
    return max(1, lines) * size // len(head)
