"""
Finding messages by a part of their receiver's number, without looking at all of them.

An index knows when numbers were sent to, to the microsecond. It keeps the ends of every number: its last 6, 10 and 14
digits, each with the three digits before. Wherever a part of six digits or more stands in a number, one of
these ends begins with it, or at most three digits further on, and those three are known too. Sorted by its digits, an
end that begins so lies in one stretch of a file.

What is found is where to look: every message with the part is there, and perhaps others too. Digits are those of
ASCII, and runs of digits in receivers that are no numbers are treated as numbers. Messages that came into an indexed
day later are known by their quarter of an hour (slot) only, until they are indexed too.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from duckdb import DuckDBPyConnection

from core.domain.periods import Period
from core.history.filters import Condition
from core.history.statements import load_statements

SQL = load_statements("number_search.sql")
SLOT = timedelta(minutes=15)
# The shortest end that is kept, how many digits longer the next one is, and how many of its digits are kept.
SHORTEST, STEP, KEPT = 6, 4, 15
BEFORE_DIGITS = STEP - 1
# What a stretch that is one moment lasts: the lake's times have no finer parts.
MOMENT = timedelta(microseconds=1)
# A part that was sent to more often than this is known by its slots.
MOST_MOMENTS = 20_000
# Nearer stretches of messages are read as one.
NEAR = timedelta(hours=2)

_RUN = re.compile(f"[0-9]{{{SHORTEST},}}")


def mark_unindexed(cursor: DuckDBPyConnection, relation: str) -> None:
    """Note which indexed days the rows of *relation* belong to; they go into `lake.messages` in this transaction."""
    cursor.execute(SQL["mark_unindexed"].format(relation=relation))


def is_searchable(part: str) -> bool:
    """Whether the index can tell anything about a part of a receiver: it has six digits in a row."""
    return _RUN.search(part) is not None


def find_stretches(cursor: DuckDBPyConnection, part: str, period: Period) -> list[Period] | None:
    """
    Return where in *period* messages can be whose receiver contains *part*.

    Args:
        cursor: Of the snapshot in which the messages are read then.
        part: As `contains` takes it: without separators.
        period: Any.

    Returns: Stretches that do not touch, newest first: moments the index names, slots it does not know yet, and days
        it has not reached. Outside of them there is no such message. None when the part has no six digits in a row,
        which the index cannot tell.
    """
    if not is_searchable(part):
        return None
    stretches = [
        *_gaps(period, list_covered(cursor)),
        *_common(_list_late(cursor, period), period),
        *_common(_find_indexed(cursor, max(_RUN.findall(part), key=len), period), period),
    ]
    return _joined(stretches)


def is_moment(stretch: Period) -> bool:
    """Whether the index names the moment itself, so that mostly one message is there and it is the right one."""
    return stretch.end - stretch.start == MOMENT


def messages_in(stretches: Sequence[Period]) -> Condition:
    """
    Return what to read instead of `lake.messages`, in parentheses, so that only *stretches* of it are opened.

    They must not overlap, and those that are no moments be some dozens at most: each of them costs as much as some
    twenty moments.
    """
    moments = [stretch.start for stretch in stretches if is_moment(stretch)]
    values: dict[str, object] = {f"at_{number}": moment for number, moment in enumerate(moments)}
    parts = [SQL["messages_at"].format(moments=", ".join(f"${name}::TIMESTAMP" for name in values))] if moments else []
    for number, stretch in enumerate(each for each in stretches if not is_moment(each)):
        values |= {f"from_{number}": stretch.start, f"until_{number}": stretch.end}
        parts.append(SQL["messages_in"].format(number=number))
    return Condition(f"({' UNION ALL '.join(parts)})", values)


def join_near(stretches: Iterable[Period], gap: timedelta = NEAR) -> list[Period]:
    """Join stretches, which come newest first, that are at most *gap* apart: they lie in the same row group mostly."""
    joined: list[Period] = []
    for stretch in stretches:
        if joined and joined[-1].start - stretch.end <= gap:
            joined[-1] = Period(stretch.start, max(stretch.end, joined[-1].end))
        else:
            joined.append(stretch)
    return joined


def list_covered(cursor: DuckDBPyConnection) -> list[tuple[date, date]]:
    """Return the indexed days as spans that do not touch, each from its first day to before its end, in order."""
    joined: list[tuple[date, date]] = []
    for first, end in cursor.execute(SQL["list_spans"]).fetchall():
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return joined


def midnight(day: date) -> datetime:
    """Return when the day begins in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def _find_indexed(cursor: DuckDBPyConnection, digits: str, period: Period) -> Iterable[Period]:
    values: dict[str, object] = {"start": period.start, "end": period.end}
    lookups = []
    for skipped in range(STEP):
        begins = digits[skipped : skipped + KEPT]
        first = int(begins.ljust(KEPT, "0"))
        values |= {
            f"first_{skipped}": first,
            f"last_{skipped}": first + 10 ** (KEPT - len(begins)) - 1,
            f"before_{skipped}": int(digits[:skipped] or "0"),
        }
        lookups.append(SQL["lookup"].format(skipped=skipped, modulus=10**skipped))
    found = "\nUNION ALL\n".join(lookups)
    rows = cursor.execute(SQL["find_moments"].format(lookups=found), values | {"most": MOST_MOMENTS + 1}).fetchall()
    if len(rows) <= MOST_MOMENTS:
        return _stretches(rows, MOMENT)
    return _stretches(cursor.execute(SQL["find_slots"].format(lookups=found), values).fetchall(), SLOT)


def _list_late(cursor: DuckDBPyConnection, period: Period) -> Iterable[Period]:
    bounds = {"start": period.start, "end": period.end}
    return _stretches(cursor.execute(SQL["list_late_slots"], bounds).fetchall(), SLOT)


def _stretches(rows: Iterable[tuple[datetime]], length: timedelta) -> Iterable[Period]:
    return (Period(start, start + length) for start in (row[0].replace(tzinfo=UTC) for row in rows))


def _common(stretches: Iterable[Period], period: Period) -> Iterable[Period]:
    return (Period(max(each.start, period.start), min(each.end, period.end)) for each in stretches)


def _gaps(period: Period, covered: Iterable[tuple[date, date]]) -> Iterable[Period]:
    at = period.start
    for first, end in covered:
        if at < midnight(first):
            yield Period(at, min(midnight(first), period.end))
        at = max(at, midnight(end))
        if at >= period.end:
            return
    if at < period.end:
        yield Period(at, period.end)


def _joined(stretches: Iterable[Period]) -> list[Period]:
    return join_near(sorted(stretches, key=lambda stretch: stretch.start, reverse=True), timedelta())
