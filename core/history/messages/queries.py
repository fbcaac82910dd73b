"""Reading the message history message by message."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import cast

import pyarrow as pa

from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch_batches, fetch_one
from core.history.lake.connection import Lake
from core.history.messages.paging import (
    COLUMNS,
    FEW,
    FoundMessages,
    count_by_looking,
    count_slots,
    is_indexed,
    look,
    page_of_days,
)
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.day_counts import count_days
from core.history.sql.filters import condition
from core.history.sql.statements import load_statements

__all__ = ["FoundMessages", "MessageQueries", "MessageQuery"]

_SQL = load_statements("messages/queries.sql")
STREAM_ROWS, STREAM_SPAN = 50_000, timedelta(days=7)
_MOMENT = timedelta(microseconds=1)
# Up to so many messages are looked at for a total that nobody asked for.
COUNTED_FREELY = 1_000_000


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
                return page_of_days(cursor, query, days, limit, offset)
            if offset < FEW or is_indexed(query):
                found = look(cursor, query, days, limit, offset)
                if found.total is None and days.total <= COUNTED_FREELY:
                    return replace(found, total=count_by_looking(cursor, query))
                return found
            # So far back, counting them all costs less than reading all that come before.
            return page_of_days(cursor, query, count_slots(cursor, query), limit, offset)

    def stream(self, query: MessageQuery) -> tuple[int, Iterator[pa.Table]]:
        """Return how many messages match, and all of them: newest first, a few thousand at a time, of one snapshot."""
        found = self._stream(query)
        return cast("int", next(found)), cast("Iterator[pa.Table]", found)

    def _stream(self, query: MessageQuery) -> Iterator[int | pa.Table]:
        wanted = condition(query)
        with self._lake.read() as cursor:
            yield self._count(cursor, query)
            first, last = fetch_one(cursor, _SQL["range"].format(where=wanted.sql), wanted.values)
            if first is None:
                return
            # Sorted week by week: to sort them all at once, they would all have to be held.
            end = last.replace(tzinfo=UTC) + _MOMENT
            while end > first.replace(tzinfo=UTC):
                part = condition(replace(query, period=Period(max(end - STREAM_SPAN, query.period.start), end)))
                yield from fetch_batches(
                    cursor, _SQL["all"].format(columns=COLUMNS, where=part.sql), part.values, STREAM_ROWS
                )
                end -= STREAM_SPAN

    def count(self, query: MessageQuery) -> int:
        """Return how many messages match; where rollups cannot tell, it takes a look at each."""
        with self._lake.read() as cursor:
            return self._count(cursor, query)

    def _count(self, cursor: Cursor, query: MessageQuery) -> int:
        days = count_days(cursor, self._rollups, query)
        return days.total if days.is_exact else count_by_looking(cursor, query)

    def count_statuses(self, query: MessageQuery) -> dict[str, int]:
        """Return how many messages match by delivery status; a status that none has is not in it."""
        wanted = condition(query)
        with self._lake.read() as cursor:
            return dict(cursor.execute(_SQL["statuses"].format(where=wanted.sql), dict(wanted.values)).fetchall())
