"""Looking many numbers up at once: what holds from a number on, up to the next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.domain.numbering.prefixes import cuts_at_home

# The most digits of a number dialled at home that are looked up: with its calling code it has room in a BIGINT.
HOME_DIGITS = 15
# How far the numbers of one home lie from those of the next: behind a 1, which keeps their zeros, there are digits.
HOME_WIDTH = 2 * 10**HOME_DIGITS


@dataclass(frozen=True)
class Steps:
    """From each of *starts* (int64, in order, from 0 on), *values* hold: columns of as many values, by name."""

    starts: npt.NDArray[np.int64]
    values: Mapping[str, npt.NDArray[Any]]

    def beside(self, table: pa.Table) -> pa.Table:
        """
        Return *table* with what holds at its column `number` (int64, never NULL), a column each.

        In DuckDB this is an ASOF JOIN, which takes three times as long; and in a transaction, which does not know how
        many rows it has itself put into a table, a nested loop, which takes a thousand times as long.
        """
        at = np.searchsorted(self.starts, table["number"].to_numpy(), side="right") - 1
        for name, values in self.values.items():
            table = table.append_column(name, pa.array(values[at]))
        return table


def steps_at_home(homes: Sequence[str]) -> Steps:
    """Return how many digits (`cut`) are left out of what is dialled in *homes*, each from `HOME_WIDTH` further on."""
    found = [_steps_of(home) for home in homes]
    starts = [of_home.starts + number * HOME_WIDTH for number, of_home in enumerate(found)]
    return Steps(np.concatenate(starts), {"cut": np.concatenate([of_home.values["cut"] for of_home in found])})


@cache
def _steps_of(home: str) -> Steps:
    starts, cuts = [0], [0]
    for length in range(1, HOME_DIGITS + 1):
        base = 10**length
        found = sorted(
            (base + first, base + before, cut)
            for cut, strings in cuts_at_home(home, length).items()
            for first, before in strings
        )
        for start, before, cut in found:
            if starts[-1] == start:
                starts.pop()
                cuts.pop()
            starts += [start, before]
            cuts += [cut, 0]
    return Steps(np.array(starts, np.int64), {"cut": np.array(cuts, np.int8)})
