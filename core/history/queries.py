"""Reading the message history message by message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from itertools import accumulate

import pyarrow as pa
from duckdb import DuckDBPyConnection

from core.domain.periods import Period
from core.history.adding_up import RollupReader
from core.history.arrow import fetch, fetch_batches, fetch_one
from core.history.day_counts import DayCounts, count_days
from core.history.filters import MessageQuery, condition
from core.history.lake import Lake
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

__all__ = ["FoundMessages", "MessageQueries", "MessageQuery"]

_SQL = load_statements("queries.sql")
STREAM_ROWS, STREAM_SPAN = 50_000, timedelta(days=7)
_MOMENT = timedelta(microseconds=1)
_SLOT = timedelta(minutes=15)
_COLUMNS = ", ".join(MESSAGE_SCHEMA.names)
# A stretch of so many messages is sorted as a whole; of a longer one the quarters of an hour are counted first.
_FEW = 5_000
# Where it is not known which messages match, so many are looked at first, and every time so many times more.
_FIRST_LOOK, _GROWTH = 250_000, 4


@dataclass(frozen=True)
class FoundMessages:
    """
    A page of messages, newest first, as `MESSAGE_SCHEMA`.

    *total* is how many match in all, None while only looking at all of them could tell; *has_more* says whether the
    page is followed by another.
    """

    table: pa.Table
    total: int | None
    has_more: bool


class MessageQueries:
    """Answers questions about messages, within the accounts each question names."""

    def __init__(self, rollups: RollupReader) -> None:
        """Take the rollups, which know where messages are, and the lake behind them."""
        self._rollups = rollups
        self._lake: Lake = rollups.lake

    def page(self, query: MessageQuery, limit: int, offset: int) -> FoundMessages:
        """
        Return up to *limit* messages after the first *offset*, as fast at the end as at the beginning.

        Raises: InvalidInput: no such time zone.
        """
        with self._lake.read() as cursor:
            days = count_days(cursor, self._rollups, query)
            if days.is_exact:
                table = _page_of_days(cursor, query, days, limit, offset)
                return FoundMessages(table, days.total, offset + table.num_rows < days.total)
            if offset < _FEW:
                return _look(cursor, query, days, limit, offset)
            # So far back, counting them all costs less than reading all that come before.
            counted = DayCounts(*_count_slots(cursor, query), is_exact=True)
            table = _page_of_days(cursor, query, counted, limit, offset)
            return FoundMessages(table, counted.total, offset + table.num_rows < counted.total)

    def stream(self, query: MessageQuery) -> Iterator[pa.Table]:
        """Yield all messages, newest first, as `page` does, from one snapshot and a few thousand at a time."""
        wanted = condition(query)
        with self._lake.read() as cursor:
            first, last = fetch_one(cursor, _SQL["range"].format(where=wanted.sql), wanted.values)
            if first is None:
                return
            # Sorted week by week: to sort them all at once, they would all have to be held.
            end = last.replace(tzinfo=UTC) + _MOMENT
            while end > first.replace(tzinfo=UTC):
                part = condition(replace(query, period=Period(max(end - STREAM_SPAN, query.period.start), end)))
                yield from fetch_batches(
                    cursor, _SQL["all"].format(columns=_COLUMNS, where=part.sql), part.values, STREAM_ROWS
                )
                end -= STREAM_SPAN

    def count(self, query: MessageQuery) -> int:
        """Return how many messages match; where rollups cannot tell, it takes a look at each."""
        with self._lake.read() as cursor:
            days = count_days(cursor, self._rollups, query)
            return days.total if days.is_exact else _count(cursor, query)


def _page_of_days(
    cursor: DuckDBPyConnection, query: MessageQuery, days: DayCounts, limit: int, offset: int
) -> pa.Table:
    """Return the page by going straight to the days it lies in."""
    found = _locate(days.periods, days.counts, limit, offset)
    if found is None:
        return MESSAGE_SCHEMA.empty_table()
    stretch, skipped, count = found
    if count > _FEW:
        slots = _count_slots(cursor, replace(query, period=stretch))
        stretch, skipped, _ = _locate(*slots, limit, skipped) or found
    return _fetch_page(cursor, replace(query, period=stretch), limit, skipped)


def _look(cursor: DuckDBPyConnection, query: MessageQuery, days: DayCounts, limit: int, offset: int) -> FoundMessages:
    """Return the page by looking at ever longer stretches of time, the newest first, until it is full."""
    tables: list[pa.Table] = []
    missing = offset + limit + 1
    for stretch in _growing(days):
        table = _fetch_page(cursor, replace(query, period=stretch), missing, 0)
        tables.append(table)
        missing -= table.num_rows
        if not missing:
            break
    found = pa.concat_tables([MESSAGE_SCHEMA.empty_table(), *tables])
    return FoundMessages(found.slice(offset, limit), found.num_rows if missing else None, not missing)


def _growing(days: DayCounts) -> Iterator[Period]:
    """Yield stretches of time, newest first, that hold all days; each may hold several times more than the last."""
    size, begin = _FIRST_LOOK, 0
    while begin < len(days.periods):
        end = begin + 1
        reached = days.counts[begin]
        while end < len(days.periods) and reached < size:
            reached += days.counts[end]
            end += 1
        yield Period(days.periods[end - 1].start, days.periods[begin].end)
        begin, size = end, size * _GROWTH


def _locate(
    periods: Sequence[Period], counts: Sequence[int], limit: int, offset: int
) -> tuple[Period, int, int] | None:
    """
    Find the page in stretches of time, newest first, with the number of messages in each.

    Returns: The time that holds it, how many newer messages of that time come before the page, and how many the time
        holds; None when there are no messages so far back.
    """
    reached = list(accumulate(counts))
    first = next((number for number, upto in enumerate(reached) if upto > offset), None)
    if first is None:
        return None
    last = next((number for number, upto in enumerate(reached) if upto >= offset + limit), len(reached) - 1)
    before = reached[first] - counts[first]
    return Period(periods[last].start, periods[first].end), offset - before, reached[last] - before


def _count_slots(cursor: DuckDBPyConnection, query: MessageQuery) -> tuple[tuple[Period, ...], tuple[int, ...]]:
    """Count the messages by quarter of an hour, newest first."""
    wanted = condition(query)
    rows = cursor.execute(_SQL["slots"].format(where=wanted.sql), dict(wanted.values)).fetchall()
    starts = [slot.replace(tzinfo=UTC) for slot, _ in rows]
    edges = query.period
    periods = tuple(Period(max(start, edges.start), min(start + _SLOT, edges.end)) for start in starts)
    return periods, tuple(int(count) for _, count in rows)


def _fetch_page(cursor: DuckDBPyConnection, query: MessageQuery, limit: int, offset: int) -> pa.Table:
    wanted = condition(query)
    sql = _SQL["page"].format(columns=_COLUMNS, where=wanted.sql)
    return fetch(cursor, sql, {**wanted.values, "limit": limit, "offset": offset}).cast(MESSAGE_SCHEMA)


def _count(cursor: DuckDBPyConnection, query: MessageQuery) -> int:
    wanted = condition(query)
    return int(fetch_one(cursor, _SQL["count"].format(where=wanted.sql), wanted.values)[0])
