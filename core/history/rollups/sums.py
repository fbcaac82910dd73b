"""Sums of groups, and how rows are added up to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.history.rollups.blocks import Rows, bin_sums
from core.history.rollups.reach import Ints

# Up to so many cells are added up in an array of all of them; beyond, they are sorted.
_MOST_CELLS = 1 << 22


@dataclass(frozen=True)
class Labels:
    """
    Which groups of names and prices there are, by route's number, or by series' number where prices matter.

    *of* has the label of each number, -1 for what is not asked for; labels are 0 to before *count*, in the order in
    which groups are shown.
    """

    of: Ints
    count: int
    is_priced: bool

    @property
    def is_everything(self) -> bool:
        """Whether all that there is belongs to one group."""
        return self.count == 1 and bool((self.of[1:] == 0).all())

    def as_one(self) -> "Labels":
        """Return the same with one label for all that is asked for."""
        return Labels(np.minimum(self.of, 0), 1, self.is_priced)


@dataclass(frozen=True)
class Sums:
    """
    Groups: *keys* (time * number of labels + label), and *sums*, a row each for sent, delivered, undelivered, cost.

    Every key comes once, in any order; groups of nothing are left out. Cost is in ten thousandths of an EUR cent.
    """

    keys: Ints
    sums: Ints


def binned(label: Ints, sums: Ints, base: int) -> Sums:
    """Add up by label; what has none is left out."""
    kept = label >= 0
    if not kept.all():
        label, sums = label[kept], sums[:, kept]
    found, place = np.unique(label, return_inverse=True)
    return without_nothing(found + base, bin_sums(place, sums, len(found)))


def sum_by_day(rows: Rows, days: tuple[int, int], of_id: Ints, base: int, count: int) -> Sums:
    """
    Add rows up by day and label.

    Args:
        rows: A month's.
        days: The first one asked for, and the one before which to end.
        of_id: The label of each of `rows.ids`, -1 for none.
        base: The key of the first day's first label.
        count: How many labels there are.
    """
    first, end = days
    where = slice(rows.starts[first], rows.starts[end])
    place, day, sums = rows.place[where], rows.day[where].astype(np.int64) - first, rows.sums[:, where]
    present = np.unique(of_id)
    if len(present) and present[0] < 0:
        present = present[1:]
        kept = of_id[place] >= 0
        place, day, sums = place[kept], day[kept], sums[:, kept]
    if len(present) == np.count_nonzero(of_id >= 0):
        # No two ids have the same label: each row is a group as it stands.
        return Sums(day * count + of_id[place] + base, sums)
    # A month has only some of all labels: numbered closely, its cells fit into the processor's cache.
    cells = day * len(present) + np.searchsorted(present, of_id)[place]
    found = bin_sums(cells, sums, (end - first) * len(present), is_small=rows.is_small)
    keys = (np.arange(end - first)[:, None] * count + (present + base)).ravel()
    return without_nothing(keys, found)


def taken(found: Sums, places: Ints) -> Sums:
    """Return some of the groups."""
    return Sums(found.keys[places], found.sums[:, places])


def without_nothing(keys: Ints, sums: Ints) -> Sums:
    """Return the groups in which something was sent."""
    if sums[0].all():
        return Sums(keys, sums)
    kept = np.flatnonzero(sums[0])
    return Sums(keys[kept], sums[:, kept])


def combined(parts: Sequence[Sums]) -> Sums:
    """Return the parts as one; what has the same key is added up."""
    joined = concatenated(parts)
    if not len(joined.keys):
        return joined
    lowest, highest = int(joined.keys.min()), int(joined.keys.max())
    if highest - lowest < _MOST_CELLS:
        sums = bin_sums(joined.keys - lowest, joined.sums, highest - lowest + 1)
        return without_nothing(np.arange(lowest, highest + 1), sums)
    keys, place = np.unique(joined.keys, return_inverse=True)
    return without_nothing(keys, bin_sums(place, joined.sums, len(keys)))


def in_order(found: Sums) -> Sums:
    """Return the groups by their keys."""
    order = np.argsort(found.keys)
    return Sums(found.keys[order], found.sums[:, order])


def concatenated(parts: Sequence[Sums]) -> Sums:
    """Return the parts as one; they have no key in common."""
    if not parts:
        return nothing()
    return Sums(np.concatenate([part.keys for part in parts]), np.concatenate([part.sums for part in parts], axis=1))


def nothing() -> Sums:
    """Return no group at all."""
    return Sums(np.zeros(0, np.int64), np.zeros((4, 0), np.int64))
