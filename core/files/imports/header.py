"""The header of a contact list."""

from collections import Counter

from core.domain.imports.lists import MAX_COLUMNS, PHONE_COLUMN, is_phone_column
from core.domain.texts.placeholders import BLANKS
from core.domain.words.characters import compose
from core.errors import InvalidFile
from core.files.tables.rows import RawRow, unwrap

MAX_NAME_CHARACTERS = 100

_SAMPLE_HINT = (
    f"The first row must name the columns, one of them {PHONE_COLUMN}. Download the sample to see an example."
)
# An error message lists this many columns and characters of each, not a whole file.
_SHOWN_COLUMNS = 8
_SHOWN_CHARACTERS = 30


def check_header(row: RawRow) -> tuple[tuple[str, ...], int]:
    """
    Return the columns' names and the index of the phone column.

    Surplus blanks in names, seen or not, and nameless columns at the end are dropped; letters and their accents are
    composed.

    Raises: InvalidFile: no or two phone columns, a nameless, repeated or overlong name, a formula, too many columns.
    """
    columns = [compose(" ".join(unwrap(cell).strip(BLANKS).split())) for cell in row.cells]
    while columns and not columns[-1]:
        columns.pop()
    for index, address in row.formulas.items():
        if index < len(columns):
            raise InvalidFile(f"Cell {address} of the header holds a formula.", hint="Type the column's name instead.")
    phone = [index for index, name in enumerate(columns) if is_phone_column(name)]
    if not phone:
        raise InvalidFile(f"There is no column {PHONE_COLUMN}. Found: {_show(columns)}.", hint=_SAMPLE_HINT)
    if len(columns) > MAX_COLUMNS:
        raise InvalidFile(
            f"The file has {len(columns)} columns; a list may have {MAX_COLUMNS}.", hint="Remove what you do not need."
        )
    if len(phone) > 1:
        raise InvalidFile(f"There are {len(phone)} columns {PHONE_COLUMN}.", hint="Keep one of them.")
    _check_names(columns)
    return tuple(columns), phone[0]


def _check_names(columns: list[str]) -> None:
    for number, name in enumerate(columns, start=1):
        if not name:
            raise InvalidFile(f"Column {number} has no name.", hint="Name it in the first row, or remove the column.")
        if len(name) > MAX_NAME_CHARACTERS:
            raise InvalidFile(
                f"The name of column {number} has {len(name)} characters.",
                hint=f"Use at most {MAX_NAME_CHARACTERS}. {_SAMPLE_HINT}",
            )
    name, count = Counter(name.casefold() for name in columns).most_common(1)[0]
    if count > 1:
        raise InvalidFile(f"{count} columns are called {name!r}.", hint="Give each column a different name.")


def _show(columns: list[str]) -> str:
    shown = [name[:_SHOWN_CHARACTERS] + "…" * (len(name) > _SHOWN_CHARACTERS) for name in columns[:_SHOWN_COLUMNS]]
    more = len(columns) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
