"""
What stands in the cells of a column, taken as it is meant: `rows.unwrap`, `rejected.original` and the like at once.

Each function says the same of a column as its twin says of each cell; Arrow does what it can do exactly, and Python the
cells for which it cannot.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.texts.no_values import MOST_CHARACTERS, NO_VALUES, is_no_value
from core.domain.texts.placeholders import BLANKS
from core.domain.words.characters import compose
from core.domain.words.control_characters import CONTROLS
from core.files.tables.rejected import BEGINS_FORMULA
from core.files.tables.rows import SAID_TO_BE_TEXT


@cache
def _no_values() -> pa.Array:
    # Arrow loads pandas with the first value that it takes from Python: not before there is a column.
    return pa.array(sorted(NO_VALUES), pa.string())


def originals(cells: pa.Array) -> pa.Array:
    """Return what `rejected.original` does, for the texts of a column."""
    is_made = pc.match_substring_regex(cells, f"^'{BEGINS_FORMULA.pattern}")
    return pc.if_else(is_made, pc.utf8_slice_codeunits(cells, 1), cells)


def unwrapped(cells: pa.Array) -> pa.Array:
    """Return what `rows.unwrap` does, for the texts of a column."""
    if not pc.any(pc.starts_with(cells, '="')).as_py():
        return cells
    return pc.replace_substring_regex(cells, f"^{SAID_TO_BE_TEXT.pattern}$", r"\1")


def without_no_values(cells: pa.Array, *, is_ascii: bool) -> pa.Array:
    """Return the texts of a column, but nothing where `no_values.is_no_value` says that there is nothing."""
    is_short = pc.less_equal(pc.utf8_length(cells), MOST_CHARACTERS)
    # Only ASCII has one idea of capitals; short cells with other letters are asked about one by one.
    words = pc.utf8_lower(pc.utf8_trim(cells, BLANKS))
    is_nothing = pc.and_(is_short, pc.is_in(words, value_set=_no_values()))
    if not is_ascii:
        others = pc.and_(is_short, pc.invert(pc.string_is_ascii(cells)))
        said = pa.array([is_no_value(cell) for cell in cells.filter(others).to_pylist()], pa.bool_())
        is_nothing = pc.replace_with_mask(is_nothing, others, said)
    return pc.if_else(is_nothing, "", cells)


def composed(cells: pa.Array) -> pa.Array:
    """Return what `characters.compose` does, for the texts of a column."""
    found = pc.utf8_normalize(cells, "NFC")
    # Arrow knows marks of newer alphabets than Python does: what it would change, which is little, Python changes.
    changed = pc.indices_nonzero(pc.not_equal(found, cells))
    if not len(changed):
        return cells
    better = pa.array([compose(text) for text in cells.take(changed).to_pylist()], pa.string())
    mask = np.zeros(len(cells), dtype=bool)
    mask[changed] = True
    return pc.replace_with_mask(cells, pa.array(mask), better)


def find_controls(cells: pa.Array) -> pa.Array:
    """Return whether each cell holds what `control_characters.find_control` finds in prose."""
    return pc.match_substring_regex(cells, f"[{CONTROLS}]")


def find_content(columns: Sequence[pa.Array]) -> pa.Array:
    """Return for each row whether there is any cell that is not blank."""
    # Nearly every row has something in its first cell: only where one has not, the others are looked at.
    found = pc.not_equal(pc.utf8_trim_whitespace(columns[0]), "")
    for column in columns[1:]:
        if pc.all(found).as_py():
            return found
        found = pc.or_(found, pc.not_equal(pc.utf8_trim_whitespace(column), ""))
    return found
