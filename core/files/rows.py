"""Rows of a table file as they stand there, before anything is made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

# More characters than any message has room for; a longer cell is a missing quote or no contact list at all.
MAX_CELL_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class RawRow:
    """
    One row: its number in the file (1-based, as a spreadsheet program counts) and its cells as text.

    *formula_at* is the address of the first cell that holds a formula ("C17"), else "".
    """

    row_no: int
    cells: list[str]
    formula_at: str = ""


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
