"""
Text tables in columns, a block at a time: what `delimited` reads row by row, at several times its speed.

A row is given to Arrow only once it is known to be quoted by RFC 4180; where one is not, the rest is read row by row,
which says exactly what is wrong with it. Both readers take the same file for the same cells.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader, StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, InvalidRow, ParseOptions, ReadOptions, read_csv

from core.domain.imports.reading_plans import TextEncoding
from core.domain.words.counting import grouped
from core.errors import InvalidFile
from core.files.tables.cells import find_content
from core.files.tables.delimited import CODECS, DELIMITERS, Lines, read_rows, refuse_text
from core.files.tables.rows import MAX_BLANK_ROWS, MAX_CELL_CHARACTERS, RawRow

BLOCK_BYTES = 4 << 20
_SLOW_ROWS = 10_000
_LINE_ENDS = (b"\n", b"\r")
# What is left of a text without the bytes of text is control characters.
_TEXT_BYTES = bytes(byte for byte in range(256) if (byte >= 0x20 and byte != 0x7F) or byte in b"\t\n\f\r")
_HIGH_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Traits:
    """What is true of all cells of a block, so that nobody looks for it in each of them."""

    is_ascii: bool
    has_controls: bool
    has_wrapped: bool


@dataclass(frozen=True, slots=True)
class Block:
    """
    Rows of a table, in file order.

    *row_nos* (int64) are their numbers in the file, *columns* one array of texts for each column of the header, cells
    as they stand in the file. Rows with more or fewer cells than that are in *odd* instead.
    """

    row_nos: pa.Array
    columns: tuple[pa.Array, ...]
    odd: tuple[RawRow, ...]
    traits: Traits


@dataclass(frozen=True, slots=True)
class TextTable:
    """A text table: how it is written, how many cells its header has, and which row that is."""

    encoding: TextEncoding
    delimiter: str
    width: int
    header_row: int


@contextmanager
def open_blocks(path: Path, table: TextTable, block_bytes: int = BLOCK_BYTES) -> Generator["BlockReader"]:
    """
    Open the rows below the header, about *block_bytes* characters at a time.

    Raises: InvalidFile: from `blocks`, where the file turns out to be no such text.
    """
    with path.open("rb") as file, TextIOWrapper(file, encoding=CODECS[table.encoding], newline="") as text:
        yield BlockReader(path, file, text, table, block_bytes)


class BlockReader:
    """Reads the rows of a text table once."""

    def __init__(
        self, path: Path, file: BufferedReader, text: TextIOWrapper, table: TextTable, block_bytes: int
    ) -> None:
        """Take the *file* at *path*, and its *text*, at their beginning."""
        self._path = path
        self._file = file
        self._text = text
        self._table = table
        self._block_bytes = block_bytes
        self._size = max(1, path.stat().st_size)
        self._row_no = self._line_no = self._blank_count = 0

    def progress(self) -> float:
        """Return how much of the file was read, 0..1."""
        return min(1.0, self._file.tell() / self._size)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows below the header that are not blank; none of the blocks is empty."""
        rest, is_last = b"", False
        while not is_last:
            piece = self._read()
            is_last = len(piece) < self._block_bytes
            rest += piece.encode()
            if is_last and rest and not rest.endswith(_LINE_ENDS):
                rest += b"\n"
            end = self._find_end(rest)
            if rest and not end:
                # Not a row by the rules, or longer than a block: the other reader says which.
                break
            try:
                block = self._take(rest[:end]) if end else None
            except _UnfitError:
                break
            if block:
                yield block
            rest = rest[end:]
        if rest:
            yield from self._slowly(rest)

    def _read(self) -> str:
        try:
            piece = self._text.read(self._block_bytes)
            # The other half of a line's end must not come by itself.
            while piece.endswith("\r") and (following := self._text.read(1)):
                piece += following
        except UnicodeError as error:
            raise refuse_text(self._path, self._table.encoding) from error
        return piece

    def _find_end(self, rest: bytes) -> int:
        """Return how much of *rest* is whole rows; nothing where they can only be read row by row."""
        if not self._table.delimiter.isascii():
            # A file may name any sign; Arrow takes one octet.
            return 0
        if b'"' not in rest:
            return max(map(rest.rfind, _LINE_ENDS)) + 1
        found = _rows_pattern(self._table.delimiter).match(rest)
        return found.end() if found else 0

    def _take(self, rows: bytes) -> Block | None:
        """Return the block that *rows* are; None when all of them are blank or belong to the header."""
        traits = _find_traits(rows)
        if b"\0" in rows:
            raise _UnfitError
        odd: list[RawRow] = []
        columns = self._parse(rows, odd)
        if any((pc.max(pc.binary_length(column)).as_py() or 0) > MAX_CELL_CHARACTERS for column in columns):
            raise _UnfitError
        row_nos = _row_numbers(self._row_no + 1, len(columns[0]), [row.row_no for row in odd])
        self._row_no += len(columns[0]) + len(odd)
        self._line_no += rows.count(b"\n") + rows.count(b"\r") - rows.count(b"\r\n")
        return self._without_blank(Block(row_nos, columns, tuple(odd), traits))

    def _parse(self, rows: bytes, odd: list[RawRow]) -> tuple[pa.Array, ...]:
        """Return the cells of *rows* in columns; those that do not match the header go to *odd*."""
        names = [f"c{index}" for index in range(self._table.width)]

        def refuse(row: InvalidRow) -> str:
            odd.extend(read_rows(iter([row.text]), self._table.delimiter, self._row_no + row.number - 1))
            return "skip"

        if rows.startswith(BOM_UTF8):
            # That of the file is gone: this one is a character of a cell, and Arrow takes one away.
            rows = BOM_UTF8 + rows
        table = read_csv(
            pa.py_buffer(rows),
            # Rows have numbers only when one thread reads them.
            ReadOptions(use_threads=False, block_size=len(rows) + 1, column_names=names),
            ParseOptions(
                delimiter=self._table.delimiter,
                newlines_in_values=True,
                invalid_row_handler=refuse,
                ignore_empty_lines=False,
            ),
            ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
        return tuple(column.combine_chunks() for column in table.columns)

    def _without_blank(self, block: Block) -> Block | None:
        is_row = pc.greater(block.row_nos, self._table.header_row)
        has_content = find_content(block.columns)
        keeps = pc.and_(is_row, has_content)
        odd = tuple(row for row in block.odd if row.row_no > self._table.header_row and any(map(str.strip, row.cells)))
        self._blank_count += pc.sum(pc.invert(has_content)).as_py() or 0
        if self._blank_count > MAX_BLANK_ROWS:
            # A small file can be nothing but line ends, for hours.
            raise InvalidFile(f"The file has more than {grouped(MAX_BLANK_ROWS)} blank rows.", hint="Remove them.")
        if pc.all(keeps).as_py():
            kept = Block(block.row_nos, block.columns, odd, block.traits)
        else:
            columns = tuple(column.filter(keeps) for column in block.columns)
            kept = Block(block.row_nos.filter(keeps), columns, odd, block.traits)
        return kept if len(kept.row_nos) or odd else None

    def _slowly(self, rest: bytes) -> Iterator[Block]:
        """Yield *rest* and what follows it in the file, read row by row."""
        text = _Chained(rest.decode(), self._text)
        lines = Lines(text, self._path, self._table.encoding, self._line_no)
        rows = read_rows(lines, self._table.delimiter, self._row_no)
        while some := list(islice(rows, _SLOW_ROWS)):
            if block := self._without_blank(self._of_rows(some)):
                yield block

    def _of_rows(self, rows: list[RawRow]) -> Block:
        even = [row for row in rows if len(row.cells) == self._table.width]
        odd = tuple(row for row in rows if len(row.cells) != self._table.width)
        columns = tuple(pa.array([row.cells[index] for row in even], pa.string()) for index in range(self._table.width))
        traits = _find_traits("\n".join(cell for row in even for cell in row.cells).encode())
        return Block(pa.array([row.row_no for row in even], pa.int64()), columns, odd, traits)


class _UnfitError(Exception):
    """What has to be read row by row; never leaves this module."""


class _Chained:
    """The lines of a piece of text that was read already, then those of what follows it."""

    def __init__(self, piece: str, following: TextIOWrapper) -> None:
        self._piece: StringIO | None = StringIO(piece, newline="")
        self._following = following

    def readline(self, limit: int, /) -> str:
        """Return the next line with its end, at most so many characters of it."""
        if self._piece is None:
            return self._following.readline(limit)
        line = self._piece.readline(limit)
        if line.endswith(("\n", "\r")) or len(line) == limit:
            return line
        # Only the last line has no end: it goes on behind the piece.
        self._piece = None
        return line + self._following.readline(limit - len(line))


def _find_traits(text: bytes) -> Traits:
    is_ascii = text.isascii()
    has_controls = bool(text.translate(None, _TEXT_BYTES)) or (not is_ascii and _HIGH_CONTROL.search(text) is not None)
    return Traits(is_ascii, has_controls, b'="' in text)


def _row_numbers(first: int, count: int, passed: Sequence[int]) -> pa.Array:
    """Return the numbers of *count* rows from *first* on, without those that were *passed* over."""
    numbers = np.arange(first, first + count + len(passed), dtype=np.int64)
    return pa.array(np.delete(numbers, np.asarray(passed, dtype=np.int64) - first) if passed else numbers)


@lru_cache(maxsize=len(DELIMITERS))
def _rows_pattern(delimiter: str) -> re.Pattern[bytes]:
    """Return what matches whole rows: cells in quotes, or not, up to an end of line. Nothing in it is tried twice."""
    ends = re.escape(delimiter).encode() + rb"\r\n"
    cell = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^"' + ends + rb"][^" + ends + rb"]*+|)"
    return re.compile(rb"(?:" + cell + rb"(?:" + re.escape(delimiter).encode() + cell + rb")*+(?:\r\n|\n|\r))*+")
