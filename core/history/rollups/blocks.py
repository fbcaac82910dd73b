"""
Blocks: months of the rollups in this process's memory, where adding them up takes milliseconds.

A block never changes. When days were patched in the lake, the next question takes a new block: the old one with
those days read anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.reports.delays import LAST_BUCKET
from core.history.engine.door import Cursor
from core.history.rollups.calendars import next_month
from core.history.rollups.reach import Ints, Version
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/blocks.sql")

BUCKETS = LAST_BUCKET + 1
_MEASURES = ("sent", "delivered", "undelivered", "cost")
# Beyond it a float64 cannot tell neighboring whole numbers apart.
_EXACT_BELOW = 1 << 53
_LOW_BITS = 26


@dataclass(frozen=True)
class Rows:
    """
    What was sent on days in series or on routes, sorted by day.

    *day* counts from the month's first (0), *id* is a series' or a route's number; *sums* has a row each for sent,
    delivered, undelivered and cost (ten thousandths of an EUR cent). All of them are integers.
    """

    day: Ints
    id: Ints
    sums: Ints

    @cached_property
    def is_small(self) -> bool:
        """Whether floating point adds them up exactly, whichever are added up."""
        return bool(np.abs(self.sums.astype(np.float64)).sum(axis=1).max(initial=0) < _EXACT_BELOW)

    @cached_property
    def starts(self) -> Ints:
        """Where each of 31 days begins among the rows, and behind the last where it ends."""
        return np.searchsorted(self.day, np.arange(32))

    @cached_property
    def ids(self) -> Ints:
        """The different ids, in order."""
        return np.unique(self.id)

    @cached_property
    def place(self) -> Ints:
        """For each row the place of its id among `ids`."""
        return np.searchsorted(self.ids, self.id).astype(np.int32)

    @cached_property
    def month(self) -> tuple[Ints, Ints]:
        """The same of the whole month: the ids, and their sums."""
        return self.ids, bin_sums(self.place, self.sums, len(self.ids), is_small=self.is_small)

    @cached_property
    def day_sums(self) -> Ints:
        """The sums of each of 31 days."""
        return bin_sums(self.day, self.sums, 31, is_small=self.is_small)


@dataclass(frozen=True)
class Delays:
    """
    How long the delivered messages of the rows took: of row r, the entries from starts[r] to before starts[r + 1].

    Each entry is a bucket of `core.domain.reports.delays` and how many messages lie in it.
    """

    starts: Ints
    bucket: Ints
    messages: Ints

    def entries_of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return the places of these rows' entries, and for each the position of its row in *rows*."""
        counts = self.starts[rows + 1] - self.starts[rows]
        position = np.repeat(np.arange(len(rows)), counts)
        before = np.cumsum(counts) - counts
        return np.arange(len(position)) - before[position] + self.starts[rows][position], position


@dataclass(frozen=True)
class Block:
    """A month of a calendar: the rows of its series, and their delays."""

    rows: Rows
    delays: Delays
    # By series' number; numbers once given keep their route.
    route_of_series: Ints

    @cached_property
    def routes(self) -> Rows:
        """The rows added up by route, whatever the price."""
        ids, of_series = np.unique(self.route_of_series[self.rows.ids], return_inverse=True)
        width = max(len(ids), 1)
        cells = self.rows.day.astype(np.int64) * width + of_series[self.rows.place]
        sums = bin_sums(cells, self.rows.sums, 31 * width, is_small=self.rows.is_small)
        kept = np.flatnonzero(sums[0])
        return Rows((kept // width).astype(np.int8), ids[kept % width], sums[:, kept])

    def rows_of(self, *, priced: bool) -> Rows:
        """Return the rows of series, or of routes where prices do not matter."""
        return self.rows if priced else self.routes

    def month_delays(self, *, priced: bool) -> Ints:
        """Return a row for each of `rows_of(...).ids` with its messages of the month by bucket."""
        return self._series_delays if priced else self._route_delays

    @cached_property
    def _series_delays(self) -> Ints:
        return self._month_delays(self.rows.place, len(self.rows.ids))

    @cached_property
    def _route_delays(self) -> Ints:
        of_series = np.searchsorted(self.routes.ids, self.route_of_series[self.rows.ids])
        return self._month_delays(of_series[self.rows.place], len(self.routes.ids))

    def _month_delays(self, place: Ints, count: int) -> Ints:
        # Small, and soon added up, without the buckets nothing lies in.
        width = int(self.delays.bucket.max(initial=0)) + 1
        cells = np.repeat(place.astype(np.int64), np.diff(self.delays.starts)) * width + self.delays.bucket
        return bin_exactly(cells, self.delays.messages, count * width).reshape(count, width)

    @cached_property
    def day_delays(self) -> Ints:
        """A row for each of 31 days with all its messages by bucket."""
        cells = np.repeat(self.rows.day.astype(np.int64), np.diff(self.delays.starts)) * BUCKETS + self.delays.bucket
        return bin_exactly(cells, self.delays.messages, 31 * BUCKETS).reshape(31, BUCKETS)

    @property
    def byte_count(self) -> int:
        """What the block itself takes; what is derived from it takes about half of that again."""
        arrays = (self.rows.day, self.rows.id, self.rows.sums, *vars(self.delays).values())
        return sum(array.nbytes for array in arrays)


class Blocks:
    """The blocks of this process, those asked for last; safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        """Take how much memory they may fill; a question may need more for a moment."""
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, date], tuple[Version, Block]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, cursor: Cursor, key: tuple[str, date], version: Version, route_of_series: Ints) -> Block:
        """Return the month *key* (calendar and first day) at *version*, which is the cursor's snapshot's."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(key)
                return kept[1]
        block = _load(cursor, key, version, kept, route_of_series)
        with self._lock:
            if kept is None or _is_later(version, kept[0]):
                self._kept[key] = (version, block)
                self._kept.move_to_end(key)
                self._make_room()
        return block

    @property
    def is_full(self) -> bool:
        """Whether one more would push out another."""
        with self._lock:
            filled, count = self._filled(), len(self._kept)
        return filled + filled // max(count, 1) > self._most_bytes

    def _filled(self) -> int:
        return sum(block.byte_count for _, block in self._kept.values())

    def _make_room(self) -> None:
        filled = self._filled()
        while filled > self._most_bytes and len(self._kept) > 1:
            _, (_, block) = self._kept.popitem(last=False)
            filled -= block.byte_count


def _is_later(version: Version, other: Version) -> bool:
    if version.instance_no != other.instance_no:
        return version.instance_no > other.instance_no
    return max((version.built, *version.patches.values())) >= max((other.built, *other.patches.values()))


def _load(
    cursor: Cursor,
    key: tuple[str, date],
    version: Version,
    kept: tuple[Version, Block] | None,
    route_of_series: Ints,
) -> Block:
    if kept is None or (kept[0].instance_no, kept[0].built) != (version.instance_no, version.built):
        return _assemble(_read(cursor, key, None), route_of_series)
    known, block = kept
    stale = [
        day
        for day in known.patches.keys() | version.patches.keys()
        if known.patches.get(day) != version.patches.get(day)
    ]
    return _assemble(_replaced(block, key[1], stale, _read(cursor, key, stale)), route_of_series)


@dataclass(frozen=True)
class _Columns:
    """What a block is made of, as it is read: sorted by day and id, the delays by bucket too."""

    traffic: dict[str, npt.NDArray[Any]]
    delays: dict[str, npt.NDArray[Any]]


def _read(cursor: Cursor, key: tuple[str, date], days: Iterable[date] | None) -> _Columns:
    calendar, month = key
    values = {
        "calendar": calendar,
        "month": month,
        "first": month,
        "last": next_month(month) - timedelta(days=1),
        "days": None if days is None else sorted(days),
    }
    return _Columns(
        cursor.execute(_SQL["traffic"], values).fetchnumpy(), cursor.execute(_SQL["delays"], values).fetchnumpy()
    )


def _replaced(block: Block, month: date, stale: Iterable[date], read: _Columns) -> _Columns:
    """Return the columns of *block* with the *stale* days as they were just *read*."""
    is_stale = np.zeros(31, bool)
    is_stale[[(day - month).days for day in stale]] = True
    kept = ~is_stale[block.rows.day]
    rows = np.flatnonzero(kept)
    entries, position = block.delays.entries_of(rows)
    old_traffic = {
        "day": block.rows.day[kept],
        "id": block.rows.id[kept],
        **{name: block.rows.sums[number][kept] for number, name in enumerate(_MEASURES)},
    }
    old_delays = {
        "day": block.rows.day[rows][position],
        "id": block.rows.id[rows][position],
        "bucket": block.delays.bucket[entries],
        "messages": block.delays.messages[entries],
    }
    return _Columns(_merged(old_traffic, read.traffic), _merged(old_delays, read.delays))


def _merged(old: dict[str, npt.NDArray[Any]], new: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    joined = {name: np.concatenate([old[name], new[name]]) for name in old}
    # Both are in order already and have no day in common.
    order = np.argsort(joined["day"], kind="stable")
    return {name: column[order] for name, column in joined.items()}


def _assemble(columns: _Columns, route_of_series: Ints) -> Block:
    traffic, delays = columns.traffic, columns.delays
    rows = Rows(
        traffic["day"].astype(np.int8),
        traffic["id"].astype(np.int32),
        np.stack([traffic[name].astype(np.int64) for name in _MEASURES]),
    )
    starts = np.searchsorted(_day_and_id(delays), _day_and_id(traffic))
    counts = np.asarray(delays["messages"])
    is_small = counts.size == 0 or (counts.min() >= 0 and counts.max() < np.iinfo(np.int32).max)
    return Block(
        rows,
        Delays(
            np.append(starts, len(counts)),
            delays["bucket"].astype(np.uint8),
            counts.astype(np.int32 if is_small else np.int64),
        ),
        route_of_series,
    )


def _day_and_id(columns: dict[str, npt.NDArray[Any]]) -> Ints:
    return np.asarray(columns["day"].astype(np.int64) << 32 | columns["id"].astype(np.int64))


def bin_sums(cells: Ints, sums: Ints, count: int, *, is_small: bool = False) -> Ints:
    """
    Return for each row of *sums* its values added up by cell, 0 to before *count*.

    *is_small*: none of the values and their sums is beyond what floating point tells apart.
    """
    if is_small:
        return np.stack([np.bincount(cells, row, count) for row in sums]).astype(np.int64)
    return np.stack([bin_exactly(cells, row, count) for row in sums])


def bin_exactly(cells: Ints, values: Ints, count: int) -> Ints:
    """Return integers added up by cell, 0 to before *count*, exactly: numpy itself adds up in floating point."""
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    if largest * max(len(values), 1) < _EXACT_BELOW:
        return np.bincount(cells, values, count).astype(np.int64)
    low = np.bincount(cells, values & ((1 << _LOW_BITS) - 1), count).astype(np.int64)
    return (np.bincount(cells, values >> _LOW_BITS, count).astype(np.int64) << _LOW_BITS) + low
