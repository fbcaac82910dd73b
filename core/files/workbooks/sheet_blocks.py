"""
The rows of a workbook's sheet in columns, a block at a time: what `sheet` reads cell by cell, at many times its speed.

Nearly every program writes rows in one of few forms. Where a whole piece of a sheet is in one of them, which a pattern
proves, its cells are taken out at once. All else (formulas, hidden rows, texts with formatting, whatever a program has
thought of) goes to the reader of cells, piece by piece, so that both find the same in every sheet.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.files.tables.blocks import Block, Traits
from core.files.tables.cells import find_content, find_controls
from core.files.tables.rows import MAX_CELL_CHARACTERS, RawRow
from core.files.workbooks.number_formats import GENERAL
from core.files.workbooks.package import Package
from core.files.workbooks.sheet import MAX_ROWS, SheetReader, Styles, column_no, decode_escapes, make_row

_PIECE_BYTES = 1 << 20
_SHEET_DATA, _ROW_END = b"<sheetData>", b"</row>"
# What makes something else of all that follows: comments, uninterpreted text, instructions, another encoding.
_HIDING = re.compile(rb"<!|<\?(?!xml )|<\?xml [^>]*encoding\s*=\s*.(?!(?i:utf-8|us-ascii)[\"'])")


def _cell(row: bytes, group: bytes) -> bytes:
    """Return the pattern of a cell in this *row*; what stands in it is caught where *group* is "("."""
    text = rb"(?:[^<&\r]|&(?:amp|lt|gt|quot|apos);)*+)"
    return (
        rb'<c r="' + group + rb"[A-Z]{1,3})" + row + rb'"(?: s="' + group + rb'[0-9]{1,6})")?+'
        rb'(?: t="' + group + rb'[bens]|str|inlineStr)")?+(?:/>|>(?:<v>' + group + text + rb"</v>"
        rb'|<is><t(?: xml:space="preserve")?+>' + group + text + rb"</t></is>)?+</c>)"
    )


_ROW = (
    rb'<row r="([1-9][0-9]{0,6})"(?: (?!hidden)[A-Za-z0-9:]++="[^"<>]*+")*+(?:/>|>(?:'
    # The row that a cell names is the one it stands in.
    + _cell(rb"\1", rb"(?:")
    + rb")*+</row>)"
)
_ROWS = re.compile(rb"(?:" + _ROW + rb")*+")
_ROW_NOS = re.compile(rb'<row r="([0-9]+)"')
_CELLS = re.compile(_cell(rb"([0-9]{1,7})", rb"("))
_ENTITY = re.compile("&(amp|lt|gt|quot|apos);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# A number that a cell without a format shows as it is written: no more digits than Excel keeps.
_PLAIN = "^(0|[1-9][0-9]{0,14})$"
_NO_STYLE = "0"
_TRUTH = {"1": "TRUE", "true": "TRUE"}

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Cells:
    """
    Cells of some rows: where each stands (columns from 0), and what the sheet shows there, which is never nothing.

    *numbers* are what to take where a number itself is meant, by the cell's place among the others.
    """

    row_nos: Indices
    columns: Indices
    texts: pa.Array
    numbers: dict[int, str]


class SheetBlocks:
    """Reads a sheet once."""

    def __init__(self, package: Package, part: str, texts: list[str], styles: Styles) -> None:
        """Take the *part* that is the sheet, the workbook's shared *texts*, and its *styles*."""
        self._pieces = package.pieces(part, _PIECE_BYTES)
        self._slow = SheetReader(package, part, texts, styles)
        self._texts = pa.array(texts, pa.string())
        self._styles = styles
        general = [str(index) for index, code in enumerate(styles.formats) if code == GENERAL]
        self._general = pa.array([*general, ""] if styles.format_of(_NO_STYLE) == GENERAL else general, pa.string())
        self._is_slow = False
        self.share = 0.0

    def blocks(self, width: int, header_row: int, number_column: int) -> Iterator[Block]:
        """
        Yield the rows below *header_row* that have any content; none of the blocks is empty.

        In a block's `odd` are rows with a cell beyond *width*, and those whose cell in the *number_column* (from 0)
        shows something else than its number; rows that are hidden or hold a formula are always there.
        """
        for found in self._parts():
            block = _of_cells(found, width, number_column) if isinstance(found, _Cells) else _of_rows(found, width)
            block = _below(block, header_row)
            if len(block.row_nos) or block.odd:
                yield block

    def _parts(self) -> Iterator[_Cells | list[RawRow]]:
        rest, is_within = b"", False
        for piece, share in self._pieces:
            self.share = share
            rest += piece
            if not is_within:
                at = rest.find(_SHEET_DATA)
                is_within = at >= 0
                end = at + len(_SHEET_DATA) if is_within else max(0, len(rest) - len(_SHEET_DATA))
                yield self._feed(rest[:end])
                rest = rest[end:]
            if is_within and (end := rest.rfind(_ROW_END)) >= 0:
                end += len(_ROW_END)
                yield self._read(rest[:end])
                rest = rest[end:]
        yield self._feed(rest)
        yield self._slow.close()

    def _feed(self, piece: bytes) -> list[RawRow]:
        found = self._slow.feed(piece)
        self._is_slow = self._is_slow or self._slow.fills_rows or _HIDING.search(piece) is not None
        return found

    def _read(self, piece: bytes) -> _Cells | list[RawRow]:
        cells = None if self._is_slow or not _ROWS.fullmatch(piece) else self._take(piece)
        return self._feed(piece) if cells is None else cells

    def _take(self, piece: bytes) -> _Cells | None:
        """Return what the cells of some rows show, None where something is odd: the other reader says what."""
        row_nos = np.array(_ROW_NOS.findall(piece)).astype(np.int64)
        if row_nos[-1] > MAX_ROWS or np.any(np.diff(row_nos) <= 0):
            return None
        cells = _CELLS.findall(piece)
        letters, rows, styles, types, values, inline = (
            pa.array(part, pa.binary()).cast(pa.string()) for part in (zip(*cells, strict=True) if cells else [()] * 6)
        )
        content = pc.if_else(pc.equal(values, ""), inline, values)
        if b"&" in piece:
            content = _replaced(content, pc.match_substring(content, "&"), _unescape)
        texts, numbers = self._show(content, types, styles)
        if texts is None or (pc.max(pc.utf8_length(texts)).as_py() or 0) > MAX_CELL_CHARACTERS:
            return None
        names = letters.dictionary_encode()
        places = pa.array([column_no(name) - 1 for name in names.dictionary.to_pylist()], pa.int64())
        self._slow.pass_over(int(row_nos[-1]))
        return _Cells(rows.cast(pa.int64()).to_numpy(), places.take(names.indices).to_numpy(), texts, numbers)

    def _show(self, content: pa.Array, types: pa.Array, styles: pa.Array) -> tuple[pa.Array | None, dict[int, str]]:
        """Return what the sheet shows of each *content*, and what to take where a number itself is meant."""
        is_number, is_shared = pc.or_(pc.equal(types, ""), pc.equal(types, "n")), pc.equal(types, "s")
        texts = _replaced(content, pc.and_(pc.invert(is_number), pc.match_substring(content, "_x")), decode_escapes)
        if pc.any(is_shared).as_py():
            indices = content.filter(is_shared)
            if not pc.all(pc.match_substring_regex(indices, "^[0-9]{1,9}$")).as_py():
                return None, {}
            texts = pc.replace_with_mask(texts, is_shared, self._texts.take(indices.cast(pa.int64())))
        texts = _replaced(texts, pc.equal(types, "b"), _show_truth)
        # Nearly all numbers are whole and shown as they are; a format changes the others.
        is_plain = pc.and_(pc.is_in(styles, value_set=self._general), pc.match_substring_regex(content, _PLAIN))
        formatted = pc.indices_nonzero(pc.and_(is_number, pc.invert(is_plain)))
        numbers: dict[int, str] = {}
        shown = []
        for index, value, style in zip(
            formatted.to_pylist(), content.take(formatted).to_pylist(), styles.take(formatted).to_pylist(), strict=True
        ):
            text, number = self._styles.show(value, style or _NO_STYLE) if value.strip() else ("", None)
            shown.append(text)
            if number is not None:
                numbers[index] = number
        return _put(texts, formatted, shown), numbers


def _put(cells: pa.Array, where: pa.Array, texts: Sequence[str]) -> pa.Array:
    """Return *cells* with *texts* at the places *where*, which are in order."""
    mask = np.zeros(len(cells), dtype=bool)
    mask[where] = True
    return pc.replace_with_mask(cells, pa.array(mask), pa.array(texts, pa.string()))


def _replaced(cells: pa.Array, where: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return *cells*, those *where* it counts as *change* makes them."""
    places = pc.indices_nonzero(where)
    return _put(cells, places, list(map(change, cells.take(places).to_pylist()))) if len(places) else cells


def _show_truth(value: str) -> str:
    value = value.strip()
    return _TRUTH.get(value, "FALSE") if value else ""


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], text)


def _of_rows(rows: list[RawRow], width: int) -> Block:
    nothing = pa.array([], pa.string())
    return Block(pa.array([], pa.int64()), (nothing,) * width, tuple(rows), Traits(True, False, False))


def _of_cells(cells: _Cells, width: int, number_column: int) -> Block:
    has_text = pc.not_equal(cells.texts, "").to_numpy(zero_copy_only=False)
    row_nos, places = np.unique(cells.row_nos[has_text], return_inverse=True)
    columns, where = cells.columns[has_text], np.flatnonzero(has_text)
    is_odd = np.zeros(len(row_nos), dtype=bool)
    is_odd[places[columns >= width]] = True
    meant = [index for index in cells.numbers if cells.columns[index] == number_column]
    is_odd[np.searchsorted(row_nos, cells.row_nos[meant])] = True
    even = np.cumsum(~is_odd) - 1
    count = int(np.count_nonzero(~is_odd))
    made = []
    for column in range(width):
        here = (columns == column) & ~is_odd[places]
        indices = np.full(count, -1, dtype=np.int64)
        indices[even[places[here]]] = where[here]
        taken = cells.texts.take(pa.array(indices, mask=indices < 0))
        made.append(taken.fill_null(""))
    odd = _gather(cells, row_nos[is_odd])
    return Block(pa.array(row_nos[~is_odd]), tuple(made), odd, _traits_of(cells.texts))


def _gather(cells: _Cells, row_nos: Indices) -> tuple[RawRow, ...]:
    """Return these rows as the reader of cells makes them."""
    rows: dict[int, tuple[dict[int, str], dict[int, str]]] = {int(row_no): ({}, {}) for row_no in row_nos}
    for index in np.flatnonzero(np.isin(cells.row_nos, row_nos)).tolist():
        texts, numbers = rows[int(cells.row_nos[index])]
        column = int(cells.columns[index]) + 1
        if text := cells.texts[index].as_py():
            texts[column] = text
        if index in cells.numbers:
            numbers[column] = cells.numbers[index]
    return tuple(make_row(row_no, texts, numbers) for row_no, (texts, numbers) in rows.items())


def _traits_of(texts: pa.Array) -> Traits:
    return Traits(
        is_ascii=bool(pc.all(pc.string_is_ascii(texts)).as_py()),
        has_controls=bool(pc.any(find_controls(texts)).as_py()),
        has_wrapped=bool(pc.any(pc.starts_with(texts, '="')).as_py()),
    )


def _below(block: Block, header_row: int) -> Block:
    """Return the rows below the header that are not blank."""
    odd = tuple(row for row in block.odd if row.row_no > header_row)
    is_row = pc.and_(pc.greater(block.row_nos, header_row), find_content(block.columns))
    if len(odd) == len(block.odd) and pc.all(is_row).as_py():
        return block
    columns = tuple(column.filter(is_row) for column in block.columns)
    return Block(block.row_nos.filter(is_row), columns, odd, block.traits)
