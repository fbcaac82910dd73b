"""Pages of messages without looking at all of them: where they lie is known from the rollups, or from an index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

import pyarrow as pa

from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch, fetch_one
from core.history.lake.schema import MESSAGE_SCHEMA
from core.history.numbers.number_search import (
    MOMENT,
    NEAR,
    find_newest,
    find_stretches,
    is_moment,
    is_searchable,
    join_near,
    messages_in,
)
from core.history.rollups.day_counts import DayCounts
from core.history.sql.filters import SENDER, Condition, condition, find_uuid, receiver_part, sender_part
from core.history.sql.statements import load_statements

_SQL = load_statements("messages/queries.sql")
COLUMNS = ", ".join(MESSAGE_SCHEMA.names)
_SLOT = timedelta(minutes=15)
# A stretch of so many messages is sorted as a whole; of a longer one the quarters of an hour are counted first.
FEW = 5_000
# Where it is not known which messages match, so many are looked at first, and every time so many times more.
FIRST_LOOK, _GROWTH = 250_000, 4
# How many stretches of messages are read at once: a page is mostly full after that many.
AT_ONCE = 16
# So many of the newest moments are looked up at once.
MOMENTS_FOUND = 1_000
# How many moments are read at once at most; where few of them match, the next time so many times more.
MOMENTS_AT_ONCE = 800
# Up to so many messages are found by when they were sent first, and then read.
_MOST_MOMENTS = 200
# More stretches than this are joined to be counted, over ever longer gaps; and all are, with more moments than this.
MOST_COUNTED, MOST_MOMENTS_COUNTED = 128, 4 * MOMENTS_AT_ONCE
# To look at all of so few messages takes no longer than to look up in the index where some are.
SMALL_HISTORY = 1_000_000
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


def page_of_days(cursor: Cursor, query: MessageQuery, days: DayCounts, limit: int, offset: int) -> FoundMessages:
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


def look(cursor: Cursor, query: MessageQuery, days: DayCounts, limit: int, offset: int) -> FoundMessages:
    """Return the page by looking at messages, the newest first, until it is full; *days* says where there are any."""
    # One more than the page, to know whether it is the last; but there is only one of each id.
    search = _Search(cursor, query, 1 if query.message_id else offset + limit + 1)
    for window, messages in _where_to_look(cursor, query, days, lambda: search.missing):
        search.go_on(window, messages)
        if search.missing <= 0:
            break
    total = search.count()
    page = pa.concat_tables(search.tables).slice(offset, limit)
    return FoundMessages(page, total, total is None or total > offset + limit)


class _Search:
    """Looks at one stretch of time after the other for the newest messages of a query, until it has enough."""

    def __init__(self, cursor: Cursor, query: MessageQuery, needed: int) -> None:
        self._cursor = cursor
        self._query = query
        self._needed = needed
        self._total: int | None = None
        self.tables = [MESSAGE_SCHEMA.empty_table()]

    @property
    def missing(self) -> int:
        """How many more messages are needed."""
        return self._needed - self._found

    @property
    def _found(self) -> int:
        return sum(table.num_rows for table in self.tables)

    def go_on(self, window: Period, messages: Condition) -> None:
        """Look at *messages* of *window*, which are older than all that were looked at before."""
        # What is not among the newest is rare: counting it takes no longer than looking for it.
        is_rare = messages is _ALL and len(self.tables) > 1
        if is_rare and self._total is None and not (self._query.message_id or self._query.receiver):
            self._total = (
                _count(self._cursor, self._query, _ALL) if _is_there_a_sender(self._cursor, self._query) else 0
            )
            self._needed = min(self._needed, self._total)
        if self.missing > 0:
            fetch_newest = _find_first if is_rare else _fetch_newest
            within = replace(self._query, period=window)
            self.tables.append(fetch_newest(self._cursor, within, messages, self.missing))

    def count(self) -> int | None:
        """Return how many match in all, None while only looking at all of them could tell."""
        has_seen_all = self.missing > 0 or bool(self._query.message_id)
        return self._found if self._total is None and has_seen_all else self._total


def count_by_looking(cursor: Cursor, query: MessageQuery) -> int:
    """Return how many messages match, by looking at each that may."""
    part = receiver_part(query)
    # A question to the catalog, which only the index could make worth its while.
    is_worth_it = is_searchable(part) and not _is_small(cursor)
    stretches = find_stretches(cursor, part, query.period) if is_worth_it else None
    if stretches is None:
        return _count(cursor, query, _ALL)
    return sum(_count(cursor, query, messages) for messages in _in_turns(_few(stretches)))


def is_indexed(query: MessageQuery) -> bool:
    """Whether an index leads to the few messages that may match."""
    return bool(query.message_id) or is_searchable(receiver_part(query))


def count_slots(cursor: Cursor, query: MessageQuery) -> DayCounts:
    """Count the messages by quarter of an hour, newest first, by looking at each."""
    wanted = condition(query)
    rows = cursor.execute(_SQL["slots"].format(where=wanted.sql), dict(wanted.values)).fetchall()
    starts = [slot.replace(tzinfo=UTC) for slot, _ in rows]
    edges = query.period
    periods = tuple(Period(max(start, edges.start), min(start + _SLOT, edges.end)) for start in starts)
    return DayCounts(periods, tuple(int(count) for _, count in rows), is_exact=True)


_ALL = Condition("lake.messages", {})


def _where_to_look(
    cursor: Cursor, query: MessageQuery, days: DayCounts, missing: Callable[[], int]
) -> Iterator[tuple[Period, Condition]]:
    """Yield stretches of time, newest first, and what to read of them; *missing* tells how many are to be found yet."""
    sent_about = _time_in_id(query.message_id)
    if sent_about is not None:
        for likely in _common([query.period], Period(sent_about - _BEFORE_ID, sent_about + _AFTER_ID)):
            yield likely, _ALL
        yield query.period, _ALL
        return
    windows, end = list(_growing(days)), query.period.end
    if not is_searchable(receiver_part(query)):
        yield from ((window, _ALL) for window in windows)
        return
    while found := find_newest(cursor, receiver_part(query), Period(query.period.start, end), MOMENTS_FOUND):
        newest, since = found
        there = [stretch for window in windows for stretch in _common(newest, window)]
        yield from ((query.period, messages) for messages in _in_turns(_joined(there), missing))
        if since <= query.period.start:
            return
        end = since


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


def _joined(stretches: Sequence[Period]) -> list[Period]:
    """Join stretches that are near each other, which come newest first, but no moments unless they lie within."""
    long = join_near(stretch for stretch in stretches if not is_moment(stretch))
    both = sorted([*long, *filter(is_moment, stretches)], key=lambda stretch: stretch.start, reverse=True)
    return join_near(both, timedelta())


def _few(stretches: Sequence[Period]) -> list[Period]:
    """Join stretches until looking at each of them costs less than looking at what lies between."""
    joined, gap = _joined(stretches), NEAR
    long = [stretch for stretch in joined if not is_moment(stretch)]
    if len(long) <= MOST_COUNTED and len(joined) - len(long) <= MOST_MOMENTS_COUNTED:
        return joined
    while len(joined) > MOST_COUNTED:
        joined = join_near(joined, gap)
        gap *= 2
    return joined


def _in_turns(stretches: Sequence[Period], missing: Callable[[], int] = lambda: MOMENTS_AT_ONCE) -> Iterator[Condition]:
    first, growth = 0, 1
    while first < len(stretches):
        # Mostly each of them holds one that matches: more than are missing would be read for nothing.
        most = max(1, missing())
        end, arms, moments = first, min(AT_ONCE, most), min(MOMENTS_AT_ONCE, most * growth)
        while end < len(stretches) and arms and moments:
            moments, arms = (moments - 1, arms) if is_moment(stretches[end]) else (moments, arms - 1)
            end += 1
        yield messages_in(stretches[first:end])
        first, growth = end, growth * _GROWTH


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


def _find_first(cursor: Cursor, query: MessageQuery, messages: Condition, limit: int) -> pa.Table:
    """
    Return the newest messages of *messages*, which may hold millions of others.

    First whether there are any, then only when they were sent: to read all columns costs twenty times as much, even
    where nothing matches.
    """
    if limit > _MOST_MOMENTS:
        return _fetch_newest(cursor, query, messages, limit)
    if not _count(cursor, query, messages):
        return MESSAGE_SCHEMA.empty_table()
    wanted = condition(query)
    sql = _SQL["moments"].format(messages=messages.sql, where=wanted.sql)
    rows = cursor.execute(sql, {**messages.values, **wanted.values, "limit": limit}).fetchall()
    found = [Period(moment, moment + MOMENT) for moment in sorted({moment.replace(tzinfo=UTC) for (moment,) in rows})]
    return _fetch_newest(cursor, query, messages_in(found), limit)


def _fetch_newest(cursor: Cursor, query: MessageQuery, messages: Condition, limit: int) -> pa.Table:
    return _fetch_page(cursor, query, messages, limit, 0)


def _fetch_page(cursor: Cursor, query: MessageQuery, messages: Condition, limit: int, offset: int) -> pa.Table:
    wanted = condition(query)
    sql = _SQL["page"].format(columns=COLUMNS, messages=messages.sql, where=wanted.sql)
    values = {**messages.values, **wanted.values, "limit": limit, "offset": offset}
    return fetch(cursor, sql, values).cast(MESSAGE_SCHEMA)


def _is_there_a_sender(cursor: Cursor, query: MessageQuery) -> bool:
    """
    Whether anybody's messages of that time have such a sender, true when none is asked for.

    Few senders are in a file, and it lists them: as long as no other column is looked at, that takes a fifth of the
    time. So the accounts do not count here; what is found is asked for anew, within them.
    """
    part = sender_part(query)
    if not part:
        return True
    values = {"sender": part, "start": query.period.start, "end": query.period.end}
    return bool(fetch_one(cursor, _SQL["is_there_a_sender"].format(sender=SENDER), values)[0])


def _is_small(cursor: Cursor) -> bool:
    return int(fetch_one(cursor, _SQL["count_everything"])[0]) <= SMALL_HISTORY


def _count(cursor: Cursor, query: MessageQuery, messages: Condition) -> int:
    wanted = condition(query)
    sql = _SQL["count"].format(messages=messages.sql, where=wanted.sql)
    return int(fetch_one(cursor, sql, {**messages.values, **wanted.values})[0])
