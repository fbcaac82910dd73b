"""Reading the message history message by message."""

from collections.abc import Iterator

import pyarrow as pa

from core.history.arrow import fetch, fetch_batches, fetch_one
from core.history.filters import MessageQuery, condition
from core.history.lake import Lake
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

__all__ = ["MessageQueries", "MessageQuery"]

_SQL = load_statements("queries.sql")
STREAM_ROWS = 50_000
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
        sql = _SQL["all"].format(columns=_COLUMNS, where=wanted.sql)
        with self._lake.read() as cursor:
            yield from fetch_batches(cursor, sql, wanted.values, STREAM_ROWS)

    def count(self, query: MessageQuery) -> int:
        """Return how many messages match."""
        wanted = condition(query)
        with self._lake.read() as cursor:
            return int(fetch_one(cursor, _SQL["count"].format(where=wanted.sql), wanted.values)[0])
