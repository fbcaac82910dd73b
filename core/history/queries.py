"""Reading the message history message by message."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, timedelta

import pyarrow as pa
from duckdb import DuckDBPyConnection

from core.domain.periods import Period
from core.history.arrow import fetch, fetch_batches, fetch_one
from core.history.filters import Condition, MessageQuery, condition, receiver_part
from core.history.lake import Lake
from core.history.number_search import NEAR, find_stretches, join_near, messages_in
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

__all__ = ["MessageQueries", "MessageQuery"]

_SQL = load_statements("queries.sql")
STREAM_ROWS, STREAM_SPAN = 50_000, timedelta(days=7)
# How many stretches of messages are read at once: a page is mostly full after that many.
AT_ONCE = 16
# More stretches than this are joined to be counted, over ever longer gaps.
MOST_COUNTED = 128
_MOMENT = timedelta(microseconds=1)
_COLUMNS = ", ".join(MESSAGE_SCHEMA.names)


class MessageQueries:
    """Answers questions about messages, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def page(self, query: MessageQuery, limit: int, offset: int) -> pa.Table:
        """Return up to *limit* messages after the first *offset*, newest first, as `MESSAGE_SCHEMA`."""
        with self._lake.read() as cursor:
            pages: list[pa.Table] = []
            missing = offset + limit
            for messages in _in_turns(_stretches(cursor, query)):
                pages.append(_page(cursor, query, messages, missing))
                missing -= pages[-1].num_rows
                if not missing:
                    break
        return pa.concat_tables(pages).slice(offset)

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
        with self._lake.read() as cursor:
            stretches, gap = _stretches(cursor, query), NEAR
            while len(stretches) > MOST_COUNTED:
                gap *= 2
                stretches = join_near(stretches, gap)
            return sum(_count(cursor, query, messages) for messages in _in_turns(stretches))


def _stretches(cursor: DuckDBPyConnection, query: MessageQuery) -> list[Period]:
    """Return where the messages are, newest first, as far as it can be told without looking at them; never nothing."""
    found = find_stretches(cursor, receiver_part(query), query.period)
    if found is None:
        return [query.period]
    return join_near(found) or [Period(query.period.end, query.period.end)]


def _in_turns(stretches: Sequence[Period]) -> Iterator[Condition]:
    for first in range(0, len(stretches), AT_ONCE):
        yield messages_in(stretches[first : first + AT_ONCE])


def _page(cursor: DuckDBPyConnection, query: MessageQuery, messages: Condition, limit: int) -> pa.Table:
    wanted = condition(query)
    sql = _SQL["page"].format(columns=_COLUMNS, messages=messages.sql, where=wanted.sql)
    return fetch(cursor, sql, {**messages.values, **wanted.values, "limit": limit})


def _count(cursor: DuckDBPyConnection, query: MessageQuery, messages: Condition) -> int:
    wanted = condition(query)
    sql = _SQL["count"].format(messages=messages.sql, where=wanted.sql)
    return int(fetch_one(cursor, sql, {**messages.values, **wanted.values})[0])
