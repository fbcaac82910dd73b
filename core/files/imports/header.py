"""The header of a contact list."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.imports.lists import MAX_COLUMNS, PHONE_COLUMN, is_phone_column
from core.domain.texts.placeholders import BLANKS
from core.domain.words.characters import compose
from core.domain.words.counting import count_of
from core.errors import InvalidFile
from core.files.tables.rejected import OWN_COLUMNS, is_own_file, original
from core.files.tables.rows import RawRow, unwrap

MAX_NAME_CHARACTERS = 100

_SAMPLE_HINT = (
    f"The first row must name the columns, one of them {PHONE_COLUMN}. Download the sample to see an example."
)
# An error message lists this many columns and characters of each, not a whole file.
_SHOWN_COLUMNS = 8
_SHOWN_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Header:
    """
    The columns of a file, each called differently.

    *row_no* is the row above the first contact. Rows have *width* cells: *own_width* of our own where the file is one
    of rejected rows, then those of *columns*, then maybe some without a name, which are empty.
    """

    columns: tuple[str, ...]
    row_no: int
    width: int
    own_width: int = 0


def read_header(row: RawRow, *, has_header: bool = True) -> Header:
    """
    Return the header that *row*, the first with any content, is, or what stands for it where it is a contact already.

    Surplus blanks in names, seen or not, and nameless columns at the end are dropped; letters and their accents are
    composed. A nameless column in between is called after its place, a name's second column after the first.

    Raises: InvalidFile: an overlong name, a formula, too many columns.
    """
    if not has_header:
        return Header(name_columns([""] * len(row.cells)), row.row_no - 1, len(row.cells))
    own_width = len(OWN_COLUMNS) if is_own_file(row.cells) else 0
    cells = list(map(original, row.cells[own_width:])) if own_width else row.cells
    names = [compose(" ".join(unwrap(cell).strip(BLANKS).split())) for cell in cells]
    while names and not names[-1]:
        names.pop()
    for index, address in row.formulas.items():
        if 0 <= index - own_width < len(names):
            raise InvalidFile(f"Cell {address} of the header holds a formula.", hint="Type the column's name instead.")
    return Header(name_columns(names), row.row_no, len(row.cells), own_width)


def name_columns(names: Sequence[str], most: int = MAX_COLUMNS) -> tuple[str, ...]:
    """Return what to call the columns of a file, all differently. Raises: InvalidFile: too many, or names too long."""
    if len(names) > most:
        raise InvalidFile(
            f"The file has {count_of(len(names), 'column', 'columns')}; it may have {most}.",
            hint="Remove what you do not need.",
        )
    seen: dict[str, int] = {}
    called = []
    for number, name in enumerate(names, start=1):
        if len(name) > MAX_NAME_CHARACTERS:
            raise InvalidFile(
                f"The name of column {number} has {len(name)} characters.",
                hint=f"Use at most {MAX_NAME_CHARACTERS}. {_SAMPLE_HINT}",
            )
        first = new = name or f"Column {number}"
        while new.casefold() in seen:
            seen[first.casefold()] += 1
            new = f"{first} ({seen[first.casefold()]})"
        seen[new.casefold()] = 1
        called.append(new)
    return tuple(called)


def find_phone_column(columns: Sequence[str]) -> int:
    """Return the index of the column PhoneNumber. Raises: InvalidFile: there is none."""
    found = next((index for index, name in enumerate(columns) if is_phone_column(name)), None)
    if found is None:
        raise InvalidFile(f"There is no column {PHONE_COLUMN}. Found: {_show(columns)}.", hint=_SAMPLE_HINT)
    return found


def _show(columns: Sequence[str]) -> str:
    shown = [name[:_SHOWN_CHARACTERS] + "…" * (len(name) > _SHOWN_CHARACTERS) for name in columns[:_SHOWN_COLUMNS]]
    more = len(columns) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
