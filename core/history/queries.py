"""Reading the message history message by message."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta

import pyarrow as pa

from core.domain.periods import Period
from core.history.arrow import fetch, fetch_batches, fetch_one
from core.history.filters import MessageQuery, condition
from core.history.lake import Lake
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

__all__ = ["MessageQueries", "MessageQuery"]

_SQL = load_statements("queries.sql")
STREAM_ROWS, STREAM_SPAN = 50_000, timedelta(days=7)
_MOMENT = timedelta(microseconds=1)
_COLUMNS = ", ".join(MESSAGE_SCHEMA.names)


class MessageQueries:
    """Answers questions about messages, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def page(self, query: MessageQuery, limit: int, offset: int) -> pa.Table:
        """Return up to *limit* messages after the first *offset*, newest first, as `MESSAGE_SCHEMA`."""
        wanted = condition(query)
        sql = _SQL["page"].format(columns=_COLUMNS, where=wanted.sql)
        with self._lake.read() as cursor:
            return fetch(cursor, sql, {**wanted.values, "limit": limit, "offset": offset})

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
        """Return how many messages match."""
        wanted = condition(query)
        with self._lake.read() as cursor:
            return int(fetch_one(cursor, _SQL["count"].format(where=wanted.sql), wanted.values)[0])
