"""
A look into a file of contacts, before it is taken: what is in it, and how it is probably meant.

Runs in a child process (`core.files.apart`), as what a stranger's file does to a parser must not be done to others.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

from core.domain.imports.lists import HiddenRows
from core.domain.imports.phone_columns import choose_column, header_key, judge_column
from core.domain.imports.reading_plans import ReadingPlan, TextEncoding
from core.errors import InvalidFile
from core.files.imports.header import Header, find_phone_column
from core.files.imports.reading import SheetRow, read_rows, start_table
from core.files.tables.delimited import CODECS, Lines, find_mark, find_start, open_delimited
from core.files.tables.kinds import FileKind, find_kind
from core.files.tables.rows import RawRow, RawSheet
from core.files.workbooks.workbook import list_sheets, open_workbook

# Rows shown as they will be read; rows whose cells say which column holds the numbers.
SHOWN_ROWS, JUDGED_ROWS = 20, 500
# Rows in which hidden ones are looked for while the person waits. Further down the import asks.
LOOKED_AT_ROWS = 10_000
# So much of a text is looked at for letters that are not UTF-8; further down the import says which line it is.
_LOOKED_AT_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileLook:
    """
    What was seen.

    *plan* is how the file is read, where nothing else is chosen; its phone column is -1 where no column looks like one.
    *is_encoding_guessed* tells text that is not UTF-8 and names no other encoding. *sheets* are a workbook's visible
    ones. *hidden_row* is the first hidden row, 0 without one. *estimated_rows* counts contacts, None when the file does
    not tell. *rows* are the first ones, as (number, cells).
    """

    plan: ReadingPlan
    is_encoding_guessed: bool
    sheets: tuple[str, ...]
    columns: tuple[str, ...]
    header_key: str
    hidden_row: int
    estimated_rows: int | None
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def dump(self) -> bytes:
        """Return what was seen as bytes for `load`."""
        return json.dumps(vars(self) | {"plan": self.plan.dump()}).encode()

    @classmethod
    def load(cls, content: bytes) -> "FileLook":
        """Return what `dump` wrote."""
        found: dict[str, Any] = json.loads(content)
        found["plan"] = ReadingPlan.load(found["plan"])
        found["rows"] = tuple((row_no, tuple(cells)) for row_no, cells in found["rows"])
        return cls(**found | {"sheets": tuple(found["sheets"]), "columns": tuple(found["columns"])})


def look(path: Path, chosen: ReadingPlan | None = None) -> FileLook:
    """
    Return what stands in the contact list at *path*, read as *chosen* where somebody has chosen already.

    Of a chosen plan all but the phone column counts: that one is proposed anew where it is -1.

    Raises: InvalidFile: no contact list; says what is wrong and what to do.
    """
    try:
        if find_kind(path) is FileKind.XLSX:
            return _look_into_workbook(path, chosen or ReadingPlan(-1))
        return _look_into_text(path, chosen)
    except InvalidFile as error:
        error.field = error.field or "file"
        raise


def find_plan(path: Path, hidden_rows: HiddenRows) -> ReadingPlan:
    """
    Return how the list at *path* is read whose column of numbers is called PhoneNumber.

    Text that is neither UTF-8 nor UTF-16 is taken for UTF-8: reading it says in which line it is not.

    Raises: InvalidFile: no contact list, or none with that column.
    """
    seen = look(path)
    encoding = TextEncoding.UTF8 if seen.is_encoding_guessed else seen.plan.encoding
    column = find_phone_column(seen.columns)
    return replace(seen.plan, phone_column=column, default_country="", encoding=encoding, hidden_rows=hidden_rows)


def write_look(path: str, chosen: str = "") -> bytes:
    """Return what `look` does as bytes: a task of `core.files.apart`."""
    return look(Path(path), ReadingPlan.load(chosen) if chosen else None).dump()


def _look_into_workbook(path: Path, plan: ReadingPlan) -> FileLook:
    sheets = list_sheets(path)
    with open_workbook(path, plan.sheet) as workbook:
        plan = replace(plan, sheet=plan.sheet or sheets[0])
        return _describe(workbook.rows, plan, sheets=sheets, rows_looked_at=LOOKED_AT_ROWS)


def _look_into_text(path: Path, chosen: ReadingPlan | None) -> FileLook:
    encoding, is_guessed = find_encoding(path)
    plan = chosen or ReadingPlan(-1, encoding=encoding, delimiter="")
    with path.open("rb") as file, closing(TextIOWrapper(file, encoding=CODECS[plan.encoding], newline="")) as text:
        start = find_start(Lines(text, path, plan.encoding), plan.delimiter)
    plan = replace(plan, delimiter=start.delimiter if start else ",")
    with open_delimited(path, plan.encoding, plan.delimiter) as raw:
        return _describe(raw, plan, is_encoding_guessed=is_guessed)


def find_encoding(path: Path) -> tuple[TextEncoding, bool]:
    """Return how the text at *path* is written, and whether that is only a guess: what is not UTF-8 may be anything."""
    with path.open("rb") as file:
        mark = find_mark(file.read(4))
        if mark is not TextEncoding.UTF8:
            return mark, False
        file.seek(0)
        text = TextIOWrapper(file, encoding=CODECS[TextEncoding.UTF8], newline="")
        try:
            for _ in range(_LOOKED_AT_BYTES // _CHUNK_BYTES):
                if not text.read(_CHUNK_BYTES):
                    break
        except UnicodeError:
            return TextEncoding.WINDOWS, True
    return TextEncoding.UTF8, False


def _describe(
    raw: RawSheet,
    plan: ReadingPlan,
    *,
    is_encoding_guessed: bool = False,
    sheets: tuple[str, ...] = (),
    rows_looked_at: int = JUDGED_ROWS,
) -> FileLook:
    header, raw_rows = start_table(raw, has_header=plan.has_header)
    hidden = [0]
    read = read_rows(_noting_hidden(raw_rows, hidden), header, plan.phone_column, HiddenRows.IMPORT)
    rows = list(islice(read, JUDGED_ROWS))
    for _ in islice(read, rows_looked_at - JUDGED_ROWS):
        pass
    estimated = None if raw.estimated_rows is None else max(len(rows), raw.estimated_rows - header.row_no)
    return FileLook(
        _complete(plan, header, rows),
        is_encoding_guessed,
        sheets,
        header.columns,
        header_key(header.columns),
        hidden[0],
        estimated,
        tuple((row.row_no, row.cells[: len(header.columns)]) for row in rows[:SHOWN_ROWS]),
    )


def _noting_hidden(rows: Iterator[RawRow], first: list[int]) -> Iterator[RawRow]:
    for row in rows:
        if row.is_hidden and not first[0]:
            first[0] = row.row_no
        yield row


def _complete(plan: ReadingPlan, header: Header, rows: list[SheetRow]) -> ReadingPlan:
    """Return *plan* with what it leaves open: the column that looks most like phone numbers, and their country."""
    judged = [
        judge_column(name, [row.cells[index] for row in rows if not row.fault])
        for index, name in enumerate(header.columns)
    ]
    column = plan.phone_column if 0 <= plan.phone_column < len(judged) else choose_column(judged)
    country = plan.default_country
    if not country and column >= 0 and judged[column].national_share > 0:
        # Some of the numbers say where the others are.
        country = judged[column].country
    return replace(plan, phone_column=column, default_country=country)
