"""Reading Excel workbooks (.xlsx): a visible sheet, cells as the sheet shows them."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.errors import InvalidFile
from core.files.tables.blocks import Block
from core.files.tables.rows import RawSheet
from core.files.workbooks.number_formats import BUILT_IN, GENERAL
from core.files.workbooks.package import Attributes, Package
from core.files.workbooks.sheet import SheetReader, Styles, decode_escapes
from core.files.workbooks.sheet_blocks import SheetBlocks

# Shared texts are all held in memory, hence their own limit.
MAX_SHARED_TEXT_BYTES = 128 * 2**20
_SAVE_AGAIN = "Open it in Excel, save it again as an Excel workbook (.xlsx) or CSV UTF-8, then upload that."
_T = TypeVar("_T")
_TRUE = {"1", "true"}


@dataclass(frozen=True)
class _Book:
    """What the workbook says about itself: its visible sheets' parts by name, and where its calendar begins."""

    part: str
    sheets: dict[str, str]
    since_1904: bool

    def part_of(self, sheet: str) -> str:
        """Return the part of the *sheet* with this name, of the first one for ""."""
        if not self.sheets:
            raise InvalidFile("The workbook has no visible sheet.", hint="Put the list on the first sheet.")
        if sheet and sheet not in self.sheets:
            raise InvalidFile(
                f"The workbook has no visible sheet {sheet!r}.", hint="Choose one of its sheets.", field="sheet"
            )
        return self.sheets[sheet] if sheet else next(iter(self.sheets.values()))


def list_sheets(path: Path) -> tuple[str, ...]:
    """Return the names of the workbook's visible sheets, in their order. Raises: InvalidFile: damaged."""
    with path.open("rb") as file, _broken_means_invalid():
        return tuple(_read_book(Package(file)).sheets)


@dataclass(frozen=True)
class Workbook:
    """
    A workbook's sheet: its *rows* one by one, or in columns, each once.

    *blocks* takes what `SheetBlocks.blocks` does. *progress* is that of the blocks, 0..1.
    """

    rows: RawSheet
    blocks: Callable[[int, int, int], Iterator[Block]]
    progress: Callable[[], float]


@contextmanager
def open_workbook(path: Path, sheet: str = "") -> Generator[Workbook]:
    """
    Open the *sheet* of the workbook at *path*, the first visible one if none is named.

    Numbers come as the sheet shows them (01067, 15%, 26:30), where that can be told; else with the 15 digits Excel
    keeps. Truth values come as TRUE and FALSE, error values as Excel shows them ("#N/A").

    Raises: InvalidFile: damaged, oversized, no such visible sheet; from rows and blocks where it is only met there.
    """
    with path.open("rb") as file:
        with _broken_means_invalid():
            package = Package(file)
            book = _read_book(package)
            part = book.part_of(sheet)
            texts = _read_shared_texts(package, package.find_related(book.part, "sharedStrings"))
            styles = _read_styles(package, package.find_related(book.part, "styles"), since_1904=book.since_1904)
        reader = SheetReader(package, part, texts, styles)
        with _broken_means_invalid():
            row_count = reader.peek_row_count()
        blocks = SheetBlocks(package, part, texts, styles)
        yield Workbook(
            RawSheet(_guarded(reader.rows()), lambda: reader.share, row_count),
            lambda *wanted: _guarded(blocks.blocks(*wanted)),
            lambda: blocks.share,
        )


@contextmanager
def open_rows(path: Path) -> Generator[RawSheet]:
    """Open the rows of the first visible sheet of the workbook at *path*. Raises: as `open_workbook`."""
    with open_workbook(path) as workbook:
        yield workbook.rows


@contextmanager
def _broken_means_invalid() -> Generator[None]:
    try:
        yield
    except InvalidFile:
        raise
    except Exception as error:
        # Damage shows itself as anything from a KeyError to a parser's own error.
        raise InvalidFile("The workbook is damaged.", hint=_SAVE_AGAIN) from error


def _guarded(rows: Iterator[_T]) -> Iterator[_T]:
    while True:
        with _broken_means_invalid():
            row = next(rows, None)
        if row is None:
            return
        yield row


def _read_book(package: Package) -> _Book:
    part = package.find_related("", "officeDocument")
    named: dict[str, str] = {}
    since_1904 = [False]

    def start(name: str, attributes: Attributes) -> None:
        if name == "sheet":
            # Its prefix is whatever the workbook calls the namespace of relations.
            relation = next(value for key, value in attributes.items() if key.endswith(":id"))
            if attributes.get("state", "visible") == "visible":
                named[attributes.get("name", relation)] = relation
        elif name == "workbookPr":
            since_1904[0] = attributes.get("date1904", "0").lower() in _TRUE

    _consume(package, part, start)
    sheets = {each.relation_id: each.part for each in package.related(part) if each.kind == "worksheet"}
    visible = {name: sheets[relation] for name, relation in named.items() if relation in sheets}
    return _Book(part, visible, since_1904[0])


def _read_shared_texts(package: Package, part: str) -> list[str]:
    if not part:
        return []
    if package.size_of(part) > MAX_SHARED_TEXT_BYTES:
        raise InvalidFile(
            f"The workbook has more than {MAX_SHARED_TEXT_BYTES >> 20} MiB of different texts.",
            hint="Save it as CSV UTF-8, or split it.",
        )
    found = _SharedTexts()
    package.parse(part, found.start, found.end, found.text)
    return found.texts


class _SharedTexts:
    """Gathers texts; one counts within <t>, but not where it only says how another one is pronounced."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._open = {"t": 0, "rPh": 0}

    def start(self, name: str, _: Attributes) -> None:
        if name in self._open:
            self._open[name] += 1

    def end(self, name: str) -> None:
        if name in self._open:
            self._open[name] -= 1
        elif name == "si":
            self.texts.append(decode_escapes("".join(self._pieces)))
            self._pieces.clear()

    def text(self, data: str) -> None:
        if self._open["t"] and not self._open["rPh"]:
            self._pieces.append(data)


def _read_styles(package: Package, part: str, *, since_1904: bool) -> Styles:
    codes = dict(BUILT_IN)
    formats: list[str] = []
    within = [""]

    def start(name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            codes[int(attributes["numFmtId"])] = decode_escapes(attributes["formatCode"])
        elif name in {"cellXfs", "cellStyleXfs"}:
            within[0] = name
        elif name == "xf" and within[0] == "cellXfs":
            formats.append(codes.get(int(attributes.get("numFmtId", "0")), GENERAL))

    if part:
        _consume(package, part, start)
    return Styles(tuple(formats), since_1904)


def _consume(package: Package, part: str, start: Callable[[str, Attributes], None]) -> None:
    package.parse(part, start, lambda _: None, lambda _: None)
