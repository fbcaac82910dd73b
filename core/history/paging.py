"""Pages of messages without looking at all of them: where they lie is known from the rollups, or from an index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

import pyarrow as pa
from duckdb import DuckDBPyConnection

from core.domain.periods import Period
from core.history.arrow import fetch, fetch_one
from core.history.day_counts import DayCounts
from core.history.filters import Condition, MessageQuery, condition, find_uuid, receiver_part
from core.history.number_search import NEAR, find_stretches, is_searchable, join_near, messages_in
from core.history.schema import MESSAGE_SCHEMA
from core.history.statements import load_statements

_SQL = load_statements("queries.sql")
COLUMNS = ", ".join(MESSAGE_SCHEMA.names)
_SLOT = timedelta(minutes=15)
# A stretch of so many messages is sorted as a whole; of a longer one the quarters of an hour are counted first.
FEW = 5_000
# Where it is not known which messages match, so many are looked at first, and every time so many times more.
FIRST_LOOK, _GROWTH = 250_000, 4
# How many stretches of messages are read at once: a page is mostly full after that many.
AT_ONCE = 16
# More stretches than this are joined to be counted, over ever longer gaps.
MOST_COUNTED = 128
# How long before and after the time in its id a message is looked for first; then everywhere.
_BEFORE_ID, _AFTER_ID = timedelta(hours=1), timedelta(days=2)
_UUID_WITH_TIME = 7


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


def page_of_days(
    cursor: DuckDBPyConnection, query: MessageQuery, days: DayCounts, limit: int, offset: int
) -> FoundMessages:
    """Return the page by going straight to the days it lies in, whose exact numbers are known."""
    table = MESSAGE_SCHEMA.empty_table()
    found = _locate(days.periods, days.counts, limit, offset)
    if found is not None:
        stretch, skipped, count = found
        if count > FEW:
            slots = count_slots(cursor, replace(query, period=stretch))
            stretch, skipped, _ = _locate(slots.periods, slots.counts, limit, skipped) or found
        table = _fetch_page(cursor, replace(query, period=stretch), _ALL, limit, skipped)
    return FoundMessages(table, days.total, offset + table.num_rows < days.total)


def look(cursor: DuckDBPyConnection, query: MessageQuery, days: DayCounts, limit: int, offset: int) -> FoundMessages:
    """Return the page by looking at messages, the newest first, until it is full; *days* says where there are any."""
    tables = [MESSAGE_SCHEMA.empty_table()]
    # One more than the page, to know whether it is the last; but there is only one of each id.
    missing = 1 if query.message_id else offset + limit + 1
    for messages in _where_to_look(cursor, query, days):
        tables.append(_fetch_page(cursor, query, messages, missing, 0))
        missing -= tables[-1].num_rows
        if not missing:
            break
    found = pa.concat_tables(tables)
    is_all = missing > 0 or bool(query.message_id)
    return FoundMessages(found.slice(offset, limit), found.num_rows if is_all else None, not is_all)


def count_by_looking(cursor: DuckDBPyConnection, query: MessageQuery) -> int:
    """Return how many messages match, by looking at each that may."""
    stretches, gap = find_stretches(cursor, receiver_part(query), query.period), NEAR
    if stretches is None:
        return _count(cursor, query, _ALL)
    stretches = join_near(stretches)
    while len(stretches) > MOST_COUNTED:
        gap *= 2
        stretches = join_near(stretches, gap)
    return sum(_count(cursor, query, messages) for messages in _in_turns(stretches))


def is_indexed(query: MessageQuery) -> bool:
    """Whether an index leads to the few messages that may match."""
    return bool(query.message_id) or is_searchable(receiver_part(query))


def count_slots(cursor: DuckDBPyConnection, query: MessageQuery) -> DayCounts:
    """Count the messages by quarter of an hour, newest first, by looking at each."""
    wanted = condition(query)
    rows = cursor.execute(_SQL["slots"].format(where=wanted.sql), dict(wanted.values)).fetchall()
    starts = [slot.replace(tzinfo=UTC) for slot, _ in rows]
    edges = query.period
    periods = tuple(Period(max(start, edges.start), min(start + _SLOT, edges.end)) for start in starts)
    return DayCounts(periods, tuple(int(count) for _, count in rows), is_exact=True)


_ALL = Condition("lake.messages", {})


def _where_to_look(cursor: DuckDBPyConnection, query: MessageQuery, days: DayCounts) -> Iterator[Condition]:
    """Yield what to read instead of `lake.messages`, newest first; what matches lies in none but these."""
    sent_about = _time_in_id(query.message_id)
    if sent_about is not None:
        yield messages_in([Period(sent_about - _BEFORE_ID, sent_about + _AFTER_ID)])
        yield messages_in([query.period])
        return
    indexed = find_stretches(cursor, receiver_part(query), query.period)
    for window in _growing(days):
        if indexed is None:
            yield messages_in([window])
        else:
            yield from _in_turns(join_near(_common(indexed, window)))


def _time_in_id(text: str) -> datetime | None:
    """Return the moment a UUIDv7 was made at, None for what is none."""
    found = find_uuid(text)
    if found is None or UUID(found).version != _UUID_WITH_TIME:
        return None
    # Source: RFC 9562, 5.7: the first 48 bits are milliseconds since 1970.
    return datetime.fromtimestamp((UUID(found).int >> 80) / 1000, UTC)


def _common(stretches: Sequence[Period], window: Period) -> list[Period]:
    """Return what *stretches* and *window* have in common."""
    cut = (Period(max(each.start, window.start), min(each.end, window.end)) for each in stretches)
    return [each for each in cut if each.start < each.end]


def _in_turns(stretches: Sequence[Period]) -> Iterator[Condition]:
    for first in range(0, len(stretches), AT_ONCE):
        yield messages_in(stretches[first : first + AT_ONCE])


def _growing(days: DayCounts) -> Iterator[Period]:
    """Yield stretches of time, newest first, that hold all days; each may hold several times more than the last."""
    size, begin = FIRST_LOOK, 0
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


def _fetch_page(
    cursor: DuckDBPyConnection, query: MessageQuery, messages: Condition, limit: int, offset: int
) -> pa.Table:
    wanted = condition(query)
    sql = _SQL["page"].format(columns=COLUMNS, messages=messages.sql, where=wanted.sql)
    values = {**messages.values, **wanted.values, "limit": limit, "offset": offset}
    return fetch(cursor, sql, values).cast(MESSAGE_SCHEMA)


def _count(cursor: DuckDBPyConnection, query: MessageQuery, messages: Condition) -> int:
    wanted = condition(query)
    sql = _SQL["count"].format(messages=messages.sql, where=wanted.sql)
    return int(fetch_one(cursor, sql, {**messages.values, **wanted.values})[0])
