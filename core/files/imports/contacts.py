"""
Contact lists in columns: a file, read as a plan says, a block of rows at a time.

Rows that are as their header says are taken in columns; the few others one by one, as `reading` does with all.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.imports.lists import RowFault
from core.domain.imports.reading_plans import ReadingPlan
from core.domain.words.characters import name_character
from core.domain.words.control_characters import find_control
from core.errors import InvalidFile
from core.files.imports.header import Header
from core.files.imports.reading import SheetRow, as_it_was, read_rows, start_table
from core.files.tables.blocks import Block, TextTable, Traits, open_blocks
from core.files.tables.cells import composed, find_content, find_controls, originals, unwrapped, without_no_values
from core.files.tables.delimited import open_delimited
from core.files.tables.kinds import FileKind, find_kind
from core.files.tables.rows import RawRow
from core.files.workbooks.workbook import open_workbook

ROW_NO, FAULT, DETAIL, SURPLUS = "row_no", "fault", "detail", "surplus"

Columns: TypeAlias = tuple[pa.Array, ...]

_CELLS = pa.list_(pa.string())


@dataclass(frozen=True)
class ContactBlocks:
    """
    A contact list being read; *blocks* can be read once, and *progress* says how much was, 0..1.

    Each block is a table of `row_no` (int64, the header usually 1), one text column per column of the list (c0, c1, …),
    `fault` (a `RowFault`, "" for a row that may be an entry), `detail` (a sentence, maybe "") and `surplus` (list of
    text: cells beyond the header's, null where none are). Rows stand in the order of the file; those without content
    are left out.
    """

    columns: tuple[str, ...]
    blocks: Iterator[pa.Table]
    progress: Callable[[], float]


@contextmanager
def open_contacts(path: Path, plan: ReadingPlan) -> Generator[ContactBlocks]:
    """
    Open the contact list at *path*; its content decides what kind of file it is.

    Raises: InvalidFile: no contact list, or it hides rows and nobody has said what becomes of them; from *blocks* where
        it is only met there.
    """
    try:
        opened = _open_workbook if find_kind(path) is FileKind.XLSX else _open_text
        with opened(path, plan) as contacts:
            yield contacts
    except InvalidFile as error:
        error.field = error.field or "file"
        raise


@contextmanager
def _open_workbook(path: Path, plan: ReadingPlan) -> Generator[ContactBlocks]:
    with open_workbook(path, plan.sheet) as workbook:
        header, _ = start_table(workbook.rows, has_header=plan.has_header)
        blocks = workbook.blocks(header.width, header.row_no, header.own_width + plan.phone_column)
        tables = (_of_block(block, header, plan) for block in blocks)
        yield ContactBlocks(header.columns, (table for table in tables if len(table)), workbook.progress)


@contextmanager
def _open_text(path: Path, plan: ReadingPlan) -> Generator[ContactBlocks]:
    with open_delimited(path, plan.encoding, plan.delimiter) as sheet:
        header, _ = start_table(sheet, has_header=plan.has_header)
    table = TextTable(plan.encoding, plan.delimiter, header.width, header.row_no)
    with open_blocks(path, table) as reader:
        tables = (_of_block(block, header, plan) for block in reader.blocks())
        yield ContactBlocks(header.columns, (table for table in tables if len(table)), reader.progress)


def _of_block(block: Block, header: Header, plan: ReadingPlan) -> pa.Table:
    width, own = len(header.columns), header.own_width
    columns, row_nos, odd = block.columns, block.row_nos, list(block.odd)
    if header.width > own + width:
        # Columns without a name are no columns: where something stands in them, somebody has written beside the list.
        beyond = find_content(columns[own + width :])
        cells = zip(*(column.filter(beyond).to_pylist() for column in columns), strict=True)
        odd += map(RawRow, row_nos.filter(beyond).to_pylist(), map(list, cells))
        columns, row_nos = _filter(columns, row_nos, pc.invert(beyond))
    columns = columns[own : own + width]
    if own:
        odd = list(map(as_it_was, odd))
        columns, row_nos = _filter(tuple(map(originals, columns)), row_nos, find_content(columns))
    table = _table(row_nos, [_clean(column, block.traits) for column in columns])
    if rows := list(read_rows(iter(odd), header, plan.phone_column, plan.hidden_rows)):
        table = pa.concat_tables([table, _table_of(rows, width)])
        # Two rows may claim one number: those stay in the order of the file.
        table = table.take(np.argsort(table[ROW_NO].to_numpy(), kind="stable"))
    return _without_controls(table, width) if rows or block.traits.has_controls else table


def _filter(columns: Columns, row_nos: pa.Array, keeps: pa.Array) -> tuple[Columns, pa.Array]:
    if pc.all(keeps).as_py():
        return columns, row_nos
    return tuple(column.filter(keeps) for column in columns), row_nos.filter(keeps)


def _clean(cells: pa.Array, traits: Traits) -> pa.Array:
    """Return the cells of a column as `reading.clean` returns each."""
    if traits.has_wrapped:
        cells = unwrapped(cells)
    cells = without_no_values(cells, is_ascii=traits.is_ascii)
    return cells if traits.is_ascii else composed(cells)


def _table_of(rows: Sequence[SheetRow], width: int) -> pa.Table:
    return _table(
        pa.array([row.row_no for row in rows], pa.int64()),
        [pa.array([row.cells[index] for row in rows], pa.string()) for index in range(width)],
        [row.fault or "" for row in rows],
        [row.detail for row in rows],
        [list(row.cells[width:]) or None for row in rows],
    )


def _table(
    row_nos: pa.Array,
    columns: Sequence[pa.Array],
    faults: Sequence[str] | None = None,
    details: Sequence[str] | None = None,
    surplus: Sequence[list[str] | None] | None = None,
) -> pa.Table:
    nothing = pa.repeat(pa.scalar("", pa.string()), len(row_nos))
    return pa.table(
        {
            ROW_NO: row_nos,
            **{f"c{index}": column for index, column in enumerate(columns)},
            FAULT: nothing if faults is None else pa.array(faults, pa.string()),
            DETAIL: nothing if details is None else pa.array(details, pa.string()),
            SURPLUS: pa.nulls(len(row_nos), _CELLS) if surplus is None else pa.array(surplus, _CELLS),
        }
    )


def _without_controls(table: pa.Table, width: int) -> pa.Table:
    """Return the rows, those that hold a control character and have no other fault with that one."""
    cells = [table[f"c{index}"] for index in range(width)]
    found = reduce(pc.or_, map(find_controls, cells))
    marked = pc.indices_nonzero(pc.and_(found, pc.equal(table[FAULT], ""))).to_pylist()
    if not marked:
        return table
    faults, details = table[FAULT].to_pylist(), table[DETAIL].to_pylist()
    for index in marked:
        met = next(filter(None, (find_control(column[index].as_py(), is_prose=True) for column in cells)))
        faults[index] = RowFault.CONTROL
        details[index] = f"A cell holds a control character: {name_character(met[0])}."
    replaced = table.set_column(table.schema.get_field_index(FAULT), FAULT, pa.array(faults, pa.string()))
    return replaced.set_column(table.schema.get_field_index(DETAIL), DETAIL, pa.array(details, pa.string()))
