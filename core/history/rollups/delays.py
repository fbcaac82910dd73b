"""Delays of groups: histograms from the rollups in memory, and their quantiles."""

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.history.rollups.blocks import BUCKETS, Block, bin_exactly
from core.history.rollups.calendars import month_length
from core.history.rollups.reach import Ints
from core.history.rollups.sums import Labels


@dataclass(frozen=True)
class Part:
    """Days of a month, from *first* to before *end* (0: the month's first), that a rollup has."""

    month: date
    first: int
    end: int
    block: Block

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the month."""
        return self.end - self.first == month_length(self.month)


def add_part(histogram: Ints, ordered: Ints, part: Part, labels: Labels, time: int, *, daily: bool) -> None:
    """
    Add what the part knows to the histogram of groups.

    Args:
        histogram: A row for each of *ordered*.
        ordered: The groups' keys, in order.
        part: Days of a month.
        labels: The groups of names and prices.
        time: Of the part's first day, as the keys have it.
        daily: Whether each of the part's days has a time of its own.
    """
    last = time + (part.end - part.first - 1 if daily else 0)
    # The groups of these times stand together.
    begin, end = np.searchsorted(ordered, [time * labels.count, (last + 1) * labels.count])
    if begin == end:
        return
    wanted, rows = ordered[begin:end] - time * labels.count, histogram[begin:end]
    block = part.block
    if labels.is_everything:
        days = block.day_delays[part.first : part.end]
        rows += days[wanted] if daily else days.sum(axis=0)
    elif not daily and part.is_whole:
        ids = block.rows_of(priced=labels.is_priced).ids
        _add_months(rows, find_places(wanted, labels.of[ids]), block.month_delays(priced=labels.is_priced))
    elif daily:
        _add_days(rows, wanted, (np.unique(wanted // labels.count) + part.first, part.first), block, labels)
    else:
        _add_days(rows, wanted, (np.arange(part.first, part.end), None), block, labels)


def _add_months(histogram: Ints, at: Ints, delays: Ints) -> None:
    """Add the rows of *delays* to those rows of *histogram* that *at* names; -1 names none."""
    picked = np.argsort(at, kind="stable")[np.count_nonzero(at < 0) :]
    if not len(picked):
        return
    targets, starts = np.unique(at[picked], return_index=True)
    histogram[targets, : delays.shape[1]] += np.add.reduceat(delays[picked], starts, axis=0)


def _add_days(histogram: Ints, wanted: Ints, days: tuple[Ints, int | None], block: Block, labels: Labels) -> None:
    """
    Add some days' delays.

    Args:
        histogram: A row for each of *wanted*.
        wanted: Keys, in order, counted from the day *days* begins with.
        days: The days of the month; and the day from which keys count, None when they do not tell days apart.
        block: The month.
        labels: The groups of names and prices.
    """
    rows, (numbers, base) = block.rows, days
    of_id = labels.of[rows.ids if labels.is_priced else block.route_of_series[rows.ids]]
    for day in numbers:
        where = slice(rows.starts[day], rows.starts[day + 1])
        label = of_id[rows.place[where]]
        keys = label if base is None else (day - base) * labels.count + label
        at = np.where(label >= 0, find_places(wanted, keys), -1)
        picked = np.flatnonzero(at >= 0)
        entries, position = block.delays.entries_of(picked + where.start)
        cells = at[picked][position] * BUCKETS + block.delays.bucket[entries]
        found = bin_exactly(cells, block.delays.messages[entries], histogram.size)
        histogram += found.reshape(histogram.shape)


def find_places(ordered: Ints, keys: Ints) -> Ints:
    """Return the place of each key in *ordered*, -1 where it is not among them."""
    if not len(ordered):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.where(ordered[at] == keys, at, -1)


def find_quantile(histogram: Ints, share: float) -> Ints:
    """Return for each row the first bucket up to which *share* of its messages lie, -1 for a row without any."""
    running = np.cumsum(histogram, axis=1)
    totals = running[:, -1]
    needed = np.array([math.ceil(total * share) for total in totals.tolist()], np.int64)
    return np.where(totals > 0, (running < needed[:, None]).sum(axis=1), -1)
