"""Rows of a table file as they stand there, before anything is made of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

# More characters than any message has room for; a longer cell is a missing quote or no contact list at all.
MAX_CELL_CHARACTERS = 10_000
# More cells than any list may have columns; a wider row is no row of a list.
MAX_ROW_CELLS = 1_000
# Rows without content that are passed over, one after the other or not: a sheet's own number of rows.
MAX_BLANK_ROWS = 1_048_576

# How programs tell a spreadsheet that a cell of a CSV file is a text, whatever it looks like.
SAID_TO_BE_TEXT = re.compile('="([^"]*)"')


def unwrap(cell: str) -> str:
    """Return what stands in ="…", and any other *cell* as it is."""
    found = SAID_TO_BE_TEXT.fullmatch(cell) if cell.startswith('="') else None
    return cell if found is None else found[1]


@dataclass(frozen=True, slots=True)
class RawRow:
    """
    One row: its number in the file (1-based, as a spreadsheet program counts) and its cells as text.

    *formulas* are the addresses ("C17") of cells that hold a formula, by their index. *numbers* are what to take
    where a number itself is meant, by index, of cells that the sheet shows otherwise. *is_hidden* tells a row that a
    filter, or a person, has hidden.
    """

    row_no: int
    cells: list[str]
    formulas: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)
    is_hidden: bool = False


@dataclass(frozen=True)
class RawSheet:
    """
    A table being read.

    *rows* raises `InvalidFile` where the file turns out to be broken. *progress* says how much of it was read, 0..1.
    *estimated_rows* counts the header, None when the file does not tell.
    """

    rows: Iterator[RawRow]
    progress: Callable[[], float]
    estimated_rows: int | None
