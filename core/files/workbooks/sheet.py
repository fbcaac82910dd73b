"""The rows of a workbook's sheet, read piece by piece."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from types import MappingProxyType

from core.domain.words.counting import grouped
from core.errors import InvalidFile
from core.files.tables.rows import MAX_CELL_CHARACTERS, MAX_ROW_CELLS, RawRow
from core.files.workbooks.number_formats import GENERAL, general, render
from core.files.workbooks.package import Attributes, Package, PartParser

# Source: ECMA-376 leaves it open; Excel's own limits.
MAX_ROWS = 1_048_576
_MAX_COLUMNS = 16_384
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]+)")
_ISO_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z?")
# A format that hides digits of a number must not hide those of a phone number.
_SHORTENS = re.compile(r"[%eE?/@hHsSyYdD]|\.[0#]|,")


@dataclass(frozen=True)
class Styles:
    """The number format of each cell style, and whether days are counted from 1904 on."""

    formats: tuple[str, ...]
    since_1904: bool

    def format_of(self, style: str) -> str:
        """Return the format of cells with *style*, an index as the sheet writes it."""
        index = int(style)
        # Some programs name styles that their workbook lacks.
        return self.formats[index] if 0 <= index < len(self.formats) else GENERAL

    def show(self, content: str, style: str) -> tuple[str, str | None]:
        """
        Return the number *content* as the sheet shows it, and what to take where a number itself is meant.

        The latter is None where both are the same. Raises: ValueError: it is no number.
        """
        value = float(content)
        if not isfinite(value):
            # What programs write that divide by zero: there is nothing to format.
            return content.strip(), None
        code = self.format_of(style)
        plain = general(value)
        shown = render(value, code, since_1904=self.since_1904)
        if shown is None or shown == plain:
            return plain, None
        # Of a phone number, only what stands before it can be the format's: its digits are the cell's own.
        digits = re.sub("[^0-9]", "", shown)
        return shown, shown if digits.endswith(plain) and not _SHORTENS.search(code) else plain


class SheetReader:
    """
    Reads a sheet once.

    Cells that only have a style are passed over before anything is made of them: programs style whole columns down to
    the last row.
    """

    def __init__(self, package: Package, part: str, texts: list[str], styles: Styles) -> None:
        """Take the *part* that is the sheet, the workbook's shared *texts*, and its *styles*."""
        self._texts = texts
        self._styles = styles
        self._ready: deque[RawRow] = deque()
        self._rows_said: int | None = None
        self._row_no = self._column = 0
        self._is_hidden = False
        self._cell: Attributes = {}
        self._cells: dict[int, str] = {}
        self._numbers: dict[int, str] = {}
        self._formulas: dict[int, str] = {}
        # By column, down to which row a formula above fills the cells.
        self._filled: dict[int, int] = {}
        self._content: dict[str, list[str]] = {"v": [], "t": []}
        self._within = ""
        self._spoken = 0
        self._parser = PartParser(self._start, self._end, self._text)
        self._pieces = package.pieces(part)
        self._is_closed = False
        self.share = 0.0

    def peek_row_count(self) -> int | None:
        """Return how many rows the sheet says it has, None when it does not."""
        self._go_on()
        return self._rows_said

    def rows(self) -> Iterator[RawRow]:
        """Yield rows that have any content."""
        while True:
            yield from self._take()
            if not self._go_on():
                return

    def feed(self, piece: bytes) -> list[RawRow]:
        """Return the rows with any content that end in the next *piece* of the sheet: for who reads the part itself."""
        self._parser.feed(piece)
        return list(self._take())

    def close(self) -> list[RawRow]:
        """Return the rows that only the end of the part ends. Raises: expat.ExpatError: it ends too early."""
        self._parser.close()
        return list(self._take())

    def pass_over(self, row_no: int) -> None:
        """Go on behind this row, which somebody else has read."""
        self._row_no = row_no

    @property
    def fills_rows(self) -> bool:
        """Whether a formula of rows above fills cells of others below, which do not say so themselves."""
        return bool(self._filled)

    def _take(self) -> Iterator[RawRow]:
        while self._ready:
            yield self._ready.popleft()

    def _go_on(self) -> bool:
        if self._is_closed:
            return False
        piece, self.share = next(self._pieces, (b"", self.share))
        if piece:
            self._parser.feed(piece)
        else:
            self._parser.close()
            self._is_closed = True
        return True

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name in {"v", "t", "f"}:
            self._within = name
            if name == "f":
                self._start_formula(attributes)
        elif name == "rPh":
            self._spoken += 1
        elif name == "row":
            self._start_row(attributes)
        elif name == "dimension":
            last = _REFERENCE.fullmatch(attributes.get("ref", "").rpartition(":")[2])
            self._rows_said = int(last[2]) if last else None

    def _start_row(self, attributes: Attributes) -> None:
        self._row_no = int(attributes.get("r", self._row_no + 1))
        if self._row_no > MAX_ROWS:
            raise InvalidFile(f"The sheet has more than {grouped(MAX_ROWS)} rows.", hint="Split it into several lists.")
        self._column = 0
        self._is_hidden = attributes.get("hidden", "0") in {"1", "true"}
        self._cells, self._numbers, self._formulas = {}, {}, {}

    def _start_cell(self, attributes: Attributes) -> None:
        found = _REFERENCE.match(attributes["r"]) if "r" in attributes else None
        self._column = column_no(found[1]) if found else self._column + 1
        if self._column > _MAX_COLUMNS:
            raise InvalidFile(f"Row {self._row_no} has more than {grouped(_MAX_COLUMNS)} columns.")
        self._cell = attributes
        self._content["v"].clear()
        self._content["t"].clear()

    def _start_formula(self, attributes: Attributes) -> None:
        """Note the cell's formula, and which cells it fills: those have none of their own."""
        is_filled = self._is_filled()
        self._formulas.setdefault(self._column, self._address())
        if attributes.get("t") in {"array", "dataTable"} and not is_filled:
            last = _REFERENCE.fullmatch(attributes.get("ref", "").rpartition(":")[2])
            if last:
                columns = range(self._column, min(column_no(last[1]), MAX_ROW_CELLS) + 1)
                self._filled.update(dict.fromkeys(columns, int(last[2])))
                self._parser.keeps_empty_cells = True

    def _is_filled(self) -> bool:
        return self._filled.get(self._column, 0) >= self._row_no

    def _text(self, data: str) -> None:
        if self._within in {"v", "t"} and not self._spoken:
            self._content[self._within].append(data)

    def _end(self, name: str) -> None:
        if name == "c":
            if self._filled and self._is_filled():
                self._formulas.setdefault(self._column, self._address())
            # Some programs write a text both ways; the cell's type says which one counts.
            value, text = self._content["v"], self._content["t"]
            if content := (text or value) if self._cell.get("t") == "inlineStr" else (value or text):
                self._end_cell("".join(content))
        elif name in {"v", "t", "f"}:
            self._within = ""
        elif name == "rPh":
            self._spoken -= 1
        elif name == "row" and (self._cells or self._formulas):
            self._ready.append(self._make_row())

    def _end_cell(self, content: str) -> None:
        kind = self._cell.get("t", "n")
        if kind in {"n", "s", "b"} and not content.strip():
            return
        if kind == "n":
            text = self._number(content)
        elif kind == "s":
            text = self._texts[int(content)]
        elif kind == "b":
            text = "TRUE" if content.strip() in {"1", "true"} else "FALSE"
        elif kind == "d":
            text = _ISO_TIME.sub(r"\1 \2", content).removesuffix(" 00:00:00")
        else:
            text = decode_escapes(content)
        if len(text) > MAX_CELL_CHARACTERS:
            raise InvalidFile(
                f"Cell {self._address()} has more than {grouped(MAX_CELL_CHARACTERS)} characters.", hint="Shorten it."
            )
        if text:
            self._cells[self._column] = text

    def _number(self, content: str) -> str:
        shown, number = self._styles.show(content, self._cell.get("s", "0"))
        if number is not None:
            self._numbers[self._column] = number
        return shown

    def _address(self) -> str:
        letters, number = "", self._column
        while number:
            number, digit = divmod(number - 1, 26)
            letters = chr(ord("A") + digit) + letters
        return f"{letters}{self._row_no}"

    def _make_row(self) -> RawRow:
        return make_row(self._row_no, self._cells, self._numbers, self._formulas, is_hidden=self._is_hidden)


def make_row(
    row_no: int,
    cells: Mapping[int, str],
    numbers: Mapping[int, str],
    formulas: Mapping[int, str] = MappingProxyType({}),
    *,
    is_hidden: bool = False,
) -> RawRow:
    """
    Return the row of these *cells*, by their columns from 1.

    A cell far to the right makes it only as wide as is needed to see that it is too wide.
    """
    width = min(max(cells, default=0), MAX_ROW_CELLS)
    texts = [""] * width
    for column, text in cells.items():
        texts[min(column, width) - 1] = text
    return RawRow(row_no, texts, _from_zero(formulas), _from_zero(numbers), is_hidden)


def _from_zero(columns: Mapping[int, str]) -> dict[int, str]:
    return {column - 1: text for column, text in columns.items()}


def decode_escapes(text: str) -> str:
    """
    Return *text* with what a workbook writes as "_x000D_" as the character it stands for; "_x005F_" keeps one literal.

    Line ends are one character each; what no message may hold stays as it is written.
    Source: ECMA-376 part 1, section 22.9.2.19 (ST_Xstring).
    """
    if "_x" in text:
        text = _ESCAPED.sub(_decode, text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    is_text = character.isprintable() or character in "\t\n\r" or character.isspace()
    return found[0] if "\ud800" <= character <= "\udfff" or character < "\t" or not is_text else character


@lru_cache(maxsize=1_024)
def column_no(letters: str) -> int:
    """Return which column, from 1, has these *letters*."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
