"""
CDR files: CSV (also gzipped) and Parquet, in tables of text, a block at a time.

Whatever a column's type is, its cells come as text, so that both kinds of file are understood by the same rules.
"""

import codecs
import csv
import gzip
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from gzip import GzipFile
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from pyarrow.csv import ConvertOptions, InvalidRow, ParseOptions, ReadOptions, open_csv

from core.domain.imports.cdr import MAX_COLUMNS
from core.domain.imports.cdr_guessing import guess_columns
from core.domain.words.counting import count_of, grouped
from core.errors import InvalidFile
from core.files.imports.header import name_columns
from core.files.tables.cells import find_content, originals, unwrapped
from core.files.tables.delimited import DELIMITERS, refuse_encoding
from core.files.tables.kinds import FileKind, find_kind
from core.files.tables.rejected import OWN_COLUMNS, is_own_file, original
from core.files.tables.rows import MAX_BLANK_ROWS, unwrap

BLOCK_BYTES = 8 << 20
BLOCK_ROWS = 65_536
ROW_NO = "row_no"

_HEAD_BYTES = 1 << 16
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HINT = "Save it as CSV UTF-8 or Parquet, with a header."


class CdrKind(StrEnum):
    """What a CDR file can be."""

    CSV = "csv"
    GZIP = "csv.gz"
    PARQUET = "parquet"


@dataclass(frozen=True)
class BadRow:
    """A row with more or fewer cells than the header; *cells* says how many, *text* is the row as it stands."""

    row_no: int
    cells: str
    text: str


@dataclass
class CdrFile:
    """
    A CDR file being read.

    *blocks* can be read once. Each is a table of `row_no` (int64, the header usually 1) and of one text column per
    header, called c0, c1, …; cells without content are "". Rows without any content are left out, and rows whose cells
    do not match the header are in *bad_rows* instead, by the time the block behind them is given.
    """

    columns: tuple[str, ...]
    kind: CdrKind
    blocks: Iterator[pa.Table]
    read_share: Callable[[], float]
    bad_rows: list[BadRow] = field(default_factory=list)

    def take_bad_rows(self) -> list[BadRow]:
        """Return the bad rows met since the last call."""
        taken, self.bad_rows[:] = list(self.bad_rows), []
        return taken


@contextmanager
def open_cdr(path: Path, block_bytes: int = BLOCK_BYTES) -> Generator[CdrFile]:
    """
    Open the CDR file at *path*; about *block_bytes* of it are in memory at a time.

    Raises: InvalidFile: no such file, or its header cannot be used; from *blocks* where it is only met there.
    """
    try:
        with path.open("rb") as file:
            kind = _find_kind(path, file)
            if kind is CdrKind.PARQUET:
                yield _open_parquet(file)
            else:
                yield _open_csv(path, file, kind, block_bytes)
    except InvalidFile as error:
        error.field = error.field or "file"
        raise
    except (EOFError, gzip.BadGzipFile) as error:
        raise InvalidFile("The gzip file is damaged or incomplete.", hint="Copy it again.", field="file") from error


def _find_kind(path: Path, file: BinaryIO) -> CdrKind:
    head = file.read(len(_PARQUET))
    file.seek(0)
    if head == _PARQUET:
        return CdrKind.PARQUET
    if head.startswith(_GZIP):
        return CdrKind.GZIP
    if find_kind(path) is FileKind.XLSX:
        raise InvalidFile("The file is an Excel workbook.", hint=_HINT)
    return CdrKind.CSV


def _check_columns(columns: Sequence[str]) -> tuple[str, ...]:
    return name_columns([" ".join(name.split()) for name in columns], MAX_COLUMNS)


def _open_parquet(file: BinaryIO) -> CdrFile:
    try:
        found = parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InvalidFile("The Parquet file is damaged or incomplete.", hint="Copy it again.") from error
    total = found.metadata.num_rows
    columns = _check_columns(found.schema_arrow.names)
    if not total:
        raise InvalidFile("The file has a header but no rows.", hint="Export the records again.")
    done = [0]

    def blocks() -> Iterator[pa.Table]:
        try:
            for batch in found.iter_batches(batch_size=BLOCK_ROWS):
                cells = [_as_text(column) for column in batch.columns]
                for column in cells:
                    # Parquet promises UTF-8, and whoever writes it may not have kept that.
                    column.validate(full=True)
                # As in a spreadsheet, where the header is row 1.
                numbers = pa.array(range(done[0] + 2, done[0] + 2 + batch.num_rows), pa.int64())
                done[0] += batch.num_rows
                yield _table(numbers, cells)
        except (pa.ArrowException, OSError) as error:
            raise InvalidFile("The Parquet file is damaged or incomplete.", hint="Copy it again.") from error

    return CdrFile(columns, CdrKind.PARQUET, blocks(), lambda: min(1.0, done[0] / total))


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        # Whole numbers that met an empty cell on their way became 27.0.
        whole = pc.floor(column).cast(pa.int64(), safe=False)
        same = pc.and_kleene(pc.equal(whole.cast(column.type, safe=False), column), pc.less(pc.abs(column), 1e15))
        plain = column.cast(pa.string())
        text = pc.if_else(same, whole.cast(pa.string()), plain)
        return pc.fill_null(pc.if_else(pc.is_nan(column), "", text), "")
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except pa.ArrowException:
        # Lists and the like are no cells; should such a column be chosen, its rows are refused with what is shown.
        return pa.array(["" if value is None else str(value) for value in column.to_pylist()], pa.string())


def _open_csv(path: Path, file: BinaryIO, kind: CdrKind, block_bytes: int) -> CdrFile:
    size = path.stat().st_size
    content = _plain(file, kind)
    header, skipped, delimiter, encoding = _read_header(content)
    content.seek(0)
    # Somebody has mended the rows that were left out, and sends them again.
    own = len(OWN_COLUMNS) if is_own_file(header) else 0
    columns = _check_columns([unwrap(original(name) if own else name) for name in header[own:]])
    bad_rows: list[BadRow] = []
    bad_numbers: list[int] = []

    def refuse(row: InvalidRow) -> str:
        bad_numbers.append(row.number)
        cells = f"{count_of(row.actual_columns - own, 'cell', 'cells')}, the header {row.expected_columns - own}"
        bad_rows.append(BadRow(row.number, cells, row.text))
        return "skip"

    def blocks() -> Iterator[pa.Table]:
        names = [f"c{index}" for index in range(len(header))]
        try:
            # Rows have numbers only when one thread reads them.
            reading = ReadOptions(
                use_threads=False, block_size=block_bytes, column_names=names, skip_rows=skipped, encoding=encoding
            )
            parsing = ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse, ignore_empty_lines=False
            )
            texts = ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
            reader = open_csv(content, read_options=reading, parse_options=parsing, convert_options=texts)
            yield from _numbered(reader, bad_numbers, skipped, own)
        except pa.ArrowException as error:
            raise _explained(error, path, kind) from error
        except UnicodeError as error:
            raise InvalidFile("The file is not valid UTF-16 text.", hint=_HINT) from error

    return CdrFile(columns, kind, blocks(), lambda: min(1.0, file.tell() / size), bad_rows)


def _numbered(reader: Iterable[pa.RecordBatch], bad: list[int], skipped: int, own: int) -> Iterator[pa.Table]:
    """
    Give rows their numbers in the file: the reader passes over *bad* rows, and says in time which those were.

    The first *own* columns are ours, and the cells behind them are as we write them, so that no spreadsheet runs them.
    """
    following, blank_count = skipped + 1, 0
    for batch in reader:
        numbers, following = _row_numbers(following, batch.num_rows, bad)
        # The reader is ahead of us: some bad rows may stand behind this block.
        bad[:] = [number for number in bad if number >= following]
        cells = map(originals, batch.columns[own:]) if own else batch.columns
        table = _table(numbers, list(map(unwrapped, cells)))
        blank_count += batch.num_rows - table.num_rows
        if blank_count > MAX_BLANK_ROWS:
            # A small archive can unpack to nothing but line ends, for hours.
            raise InvalidFile(f"The file has more than {grouped(MAX_BLANK_ROWS)} blank rows.", hint="Export it again.")
        if table.num_rows:
            yield table


def _row_numbers(first: int, count: int, bad: Sequence[int]) -> tuple[pa.Array, int]:
    """Return the numbers of *count* rows from *first* on that are not bad, and the number after the last."""
    if not bad:
        return pa.array(range(first, first + count), pa.int64()), first + count
    passed = set(bad)
    numbers = list(islice((n for n in range(first, first + count + len(passed)) if n not in passed), count))
    return pa.array(numbers, pa.int64()), (numbers[-1] + 1 if numbers else first)


def _table(numbers: pa.Array, cells: Sequence[pa.Array]) -> pa.Table:
    """Return rows that have any content."""
    names = [f"c{index}" for index in range(len(cells))]
    table = pa.table([numbers, *cells], names=[ROW_NO, *names])
    filled = find_content(cells)
    return table if pc.all(filled).as_py() else table.filter(filled)


def _plain(file: BinaryIO, kind: CdrKind) -> GzipFile | BinaryIO:
    return gzip.open(file) if kind is CdrKind.GZIP else file


def _read_header(content: GzipFile | BinaryIO) -> tuple[list[str], int, str, str]:
    """Return the header's cells, how many rows stand before the first record, the delimiter, and the encoding."""
    head = content.read(_HEAD_BYTES)
    encoding = "utf-16" if head.startswith(_UTF16) else "utf8"
    # The head may end in the middle of a character.
    text = head.decode("utf-16" if encoding == "utf-16" else "utf-8-sig", errors="ignore")
    if "\0" in text:
        raise InvalidFile("The file is neither text nor Parquet.", hint=_HINT)
    lines = re.split(r"\r\n|\r|\n", text)
    delimiter = ""
    for skipped, line in enumerate(lines, start=1):
        if skipped == 1 and line.lower().startswith("sep=") and len(line) == len("sep=") + 1:
            delimiter = line[-1]
            if not delimiter.isascii():
                raise InvalidFile(
                    f"The first line says that {delimiter!r} separates cells, which cannot be read.",
                    hint="Export the records with commas, semicolons, tabs or bars.",
                )
        elif line.strip():
            if len(lines) == skipped and len(head) == _HEAD_BYTES:
                raise InvalidFile(f"The header is longer than {grouped(_HEAD_BYTES)} bytes.", hint=_HINT)
            if not any(map(str.strip, lines[skipped:])) and len(head) < _HEAD_BYTES:
                raise InvalidFile("The file has a header but no rows.", hint="Export the records again.")
            return _split_header(line, delimiter), skipped, delimiter or _find_delimiter(line), encoding
    raise InvalidFile("The file is empty.", hint="Upload a file with a header and at least one row.")


def _split_header(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter or _find_delimiter(line), strict=True))
    except csv.Error as error:
        raise InvalidFile(
            f"The header cannot be read as CSV ({error}).", hint="Put every name on one line, quoted or not."
        ) from error


def _find_delimiter(line: str) -> str:
    """Return the delimiter that makes most known names of *line*, else the most names at all."""

    def rate(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return len(guess_columns(cells)), len(cells)

    return max(DELIMITERS, key=rate)


def _explained(error: pa.ArrowException, path: Path, kind: CdrKind) -> InvalidFile:
    reason = str(error)
    if "UTF8" in reason or "UTF-8" in reason:
        with path.open("rb") as file:
            return refuse_encoding(_plain(file, kind))
    if "straddling" in reason:
        return InvalidFile(
            "A row is longer than several megabytes.", hint="A quote is probably opened and never closed."
        )
    return InvalidFile(f"The file cannot be read as CSV ({reason.splitlines()[0]}).", hint=_HINT)
