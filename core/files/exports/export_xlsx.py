"""
Writing Excel workbooks of any length: typed cells, streamed into the archive column by column of each batch.

Libraries build a workbook cell by cell; at a million rows of fourteen columns that takes minutes. The sheet's XML is
simple enough to be made by Arrow instead (docs/decisions/0008-exports.md has the figures).
Source: ECMA-376 part 1 (SpreadsheetML), and Excel's own limits.
"""

import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from core.files.exports.export_columns import Column, Kind, Layout, chosen, wall_clock
from core.files.workbooks.sheet import MAX_ROWS

MAX_CELL_CHARACTERS = 32_767
_BATCH_ROWS = 20_000
_XMLNS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TEXT, _CLOSE = '<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
# Days from Excel's first to 1970-01-01, and microseconds of a day.
_EPOCH_DAYS, _DAY_US = 25_569, 86_400_000_000
# What XML cannot hold; and the beginning of what Excel would read as such a character spelt out: its end may be the
# beginning of the next one.
_FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"
_SPELT_OUT = r"_x([0-9A-Fa-f]{4})"

# Cell styles by position: 0 as it is, 1 the header, 2 what is to be read with line breaks, then one per kind.
_FORMATS = {
    Kind.COUNT: "#,##0",
    Kind.YEAR: "0",
    Kind.CENTS: "#,##0.00##",
    Kind.EUROS: '"€" #,##0.00',
    Kind.RATE: "0.0%",
    Kind.SECONDS: "#,##0.0",
    Kind.MOMENT: "dd/mm/yyyy hh:mm:ss",
    Kind.DAY: "dd/mm/yyyy",
    Kind.MONTH: "mm/yyyy",
}
_HEADER, _WRAPPED, _FIRST_FORMAT = 1, 2, 3
_STYLE_OF = {kind: _FIRST_FORMAT + number for number, kind in enumerate(_FORMATS)}


class XlsxFile:
    """
    A workbook with the rows on as many sheets as they need, and a last one with the notes.

    Every sheet has the header, frozen and with filters. Text is text, whatever it begins with: never a formula.
    """

    def __init__(self, path: Path, layout: Layout, max_rows: int = MAX_ROWS) -> None:
        """Open the file; *max_rows* is a sheet's, the header included."""
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._layout = layout
        self._max_rows = max_rows
        self._titles: list[str] = []
        self._sheet: IO[bytes] | None = None
        self._row_count = 0

    def __enter__(self) -> Self:
        """Begin the first sheet."""
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left, unless something went wrong."""
        try:
            if kind is None:
                self._end()
                self._write_notes()
                self._write_parts()
            elif self._sheet:
                self._sheet.close()
        finally:
            self._archive.close()

    def write(self, rows: pa.Table) -> None:
        """Append *rows*; see `Writer`."""
        offset = 0
        while offset < rows.num_rows:
            if self._row_count == self._max_rows:
                self._end()
                self._begin()
            count = min(_BATCH_ROWS, self._max_rows - self._row_count, rows.num_rows - offset)
            assert self._sheet
            self._sheet.write(_rows_xml(rows.slice(offset, count), self._layout.columns))
            self._row_count += count
            offset += count

    def _begin(self) -> None:
        number = len(self._titles) + 1
        self._titles.append(self._layout.title if number == 1 else f"{self._layout.title} {number}")
        self._sheet = self._archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True)
        columns = "".join(_col(place, column.width) for place, column in enumerate(self._layout.columns, start=1))
        view = (
            f'<sheetViews><sheetView workbookViewId="0"{" tabSelected=" + quoteattr("1") if number == 1 else ""}>'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        )
        header = _row([column.label for column in self._layout.columns], _HEADER)
        text = f"{_HEAD}<worksheet {_XMLNS}>{view}<cols>{columns}</cols><sheetData>{header}"
        self._sheet.write(text.encode())
        self._row_count = 1

    def _end(self) -> None:
        assert self._sheet
        last = f"{_letters(len(self._layout.columns))}{self._row_count}"
        self._sheet.write(f'</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode())
        self._sheet.close()
        self._sheet = None

    def _write_notes(self) -> None:
        self._titles.append("About this file")
        rows = "".join(_row([name], _HEADER, text) for name, text in self._layout.notes)
        columns = f"<cols>{_col(1, 28)}{_col(2, 90)}</cols>"
        self._put(
            f"xl/worksheets/sheet{len(self._titles)}.xml",
            f"<worksheet {_XMLNS}>{columns}<sheetData>{rows}</sheetData></worksheet>",
        )

    def _write_parts(self) -> None:
        """Write what binds the sheets together."""
        numbers = range(1, len(self._titles) + 1)
        sheets = "".join(
            f'<sheet name={quoteattr(self._titles[number - 1])} sheetId="{number}" r:id="rId{number}"/>'
            for number in numbers
        )
        self._put("xl/workbook.xml", f'<workbook {_XMLNS} xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>')
        targets = [(f"worksheets/sheet{number}.xml", "worksheet") for number in numbers] + [("styles.xml", "styles")]
        self._put("xl/_rels/workbook.xml.rels", _relations(targets))
        self._put("_rels/.rels", _relations([("xl/workbook.xml", "officeDocument")]))
        self._put("xl/styles.xml", _styles())
        self._put("[Content_Types].xml", _content_types(numbers))

    def _put(self, name: str, text: str) -> None:
        self._archive.writestr(name, _HEAD + text)


def _rows_xml(rows: pa.Table, columns: tuple[Column, ...]) -> bytes:
    """Return the rows as XML: each column's cells are made at once, then joined row by row."""
    cells = [_cells(values, column.kind) for values, column in zip(chosen(rows, columns), columns, strict=True)]
    joined = pc.binary_join_element_wise("<row>", *cells, "</row>", "")
    return b"".join(bytes(_text_of(chunk)) for chunk in joined.chunks)


def _text_of(chunk: pa.StringArray) -> memoryview:
    """Return the texts of an array, one behind the other, as they lie in memory."""
    _, offsets, data = chunk.buffers()
    ends = pa.Array.from_buffers(pa.int32(), len(chunk) + 1, [None, offsets], offset=chunk.offset)
    return memoryview(data)[ends[0].as_py() : ends[len(chunk)].as_py()] if len(chunk) else memoryview(b"")


def _cells(values: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    if kind is Kind.TEXT:
        return _text_cells(values)
    if kind is Kind.FLAG:
        return _text_cells(pc.if_else(values, "Yes", "No"))
    style = _STYLE_OF[kind]
    found = _numbers(values, kind).cast(pa.string())
    cells = pc.binary_join_element_wise(f'<c s="{style}"><v>', found, "</v></c>", "")
    return pc.fill_null(cells, "<c/>")


def _numbers(values: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    if kind is Kind.MOMENT:
        return pc.add(pc.divide(wall_clock(values).cast(pa.int64()).cast(pa.float64()), float(_DAY_US)), _EPOCH_DAYS)
    if kind in {Kind.DAY, Kind.MONTH}:
        return pc.add(values.cast(pa.int32()), _EPOCH_DAYS)
    return values


def _text_cells(values: pa.ChunkedArray) -> pa.ChunkedArray:
    # Most columns repeat few values: only those are cleaned.
    encoded = values.dictionary_encode()
    chunks = [_clean(chunk.dictionary).take(chunk.indices) for chunk in encoded.chunks]
    cells = pc.binary_join_element_wise(_TEXT, pa.chunked_array(chunks, pa.string()), _CLOSE, "")
    return pc.fill_null(cells, "<c/>")


def _clean(texts: pa.StringArray) -> pa.StringArray:
    found = pc.utf8_slice_codeunits(pc.replace_substring_regex(texts, _FORBIDDEN, ""), 0, MAX_CELL_CHARACTERS)
    found = pc.replace_substring_regex(found, _SPELT_OUT, r"_x005F_x\1")
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        found = pc.replace_substring(found, sign, entity)
    return found


def _row(texts: list[str], style: int, note: str = "") -> str:
    cells = "".join(f'<c t="inlineStr" s="{style}"><is><t>{escape(text)}</t></is></c>' for text in texts)
    if note:
        cells += f'<c t="inlineStr" s="{_WRAPPED}"><is><t xml:space="preserve">{escape(note)}</t></is></c>'
    return f"<row>{cells}</row>"


def _col(place: int, width: int) -> str:
    return f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'


def _letters(place: int) -> str:
    """Return a column's letters by its place, from 1: A, Z, AA."""
    found = ""
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _relations(targets: list[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets, start=1)
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{found}</Relationships>'
    )


def _styles() -> str:
    formats = "".join(
        f'<numFmt numFmtId="{164 + number}" formatCode={quoteattr(code)}/>'
        for number, code in enumerate(_FORMATS.values())
    )
    kinds = "".join(f'<xf numFmtId="{164 + number}" applyNumberFormat="1"/>' for number in range(len(_FORMATS)))
    return (
        f'<styleSheet {_XMLNS}><numFmts count="{len(_FORMATS)}">{formats}</numFmts>'
        '<fonts count="2"><font/><font><b/></font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8E4F8"/></patternFill></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{_FIRST_FORMAT + len(_FORMATS)}"><xf/><xf fontId="1" fillId="2" applyFont="1" applyFill="1"/>'
        f'<xf applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>{kinds}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _content_types(numbers: range) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{kind}.worksheet+xml"/>'
        for number in numbers
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{sheets}</Types>'
    )
