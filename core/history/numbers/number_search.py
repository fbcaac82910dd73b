"""
Finding messages by a part of their receiver's number, without looking at all of them.

An index knows when numbers were sent to, to the microsecond. It keeps the ends of every number: its last 6, 10 and 14
digits, each with the three digits before. Wherever a part of six digits or more stands in a number, one of
these ends begins with it, or at most three digits further on, and those three are known too. Sorted by its digits, an
end that begins so lies in one stretch of a file. Its first nine digits (head) are kept beside it: where a part is long,
a search names the heads of several stretches at once, because whatever reads a table asks the catalog for its files
first, which takes longer than to read them.

What is found is where to look: every message with the part is there, and perhaps others too. Digits are those of
ASCII, and runs of digits in receivers that are no numbers are treated as numbers. Messages that came into an indexed
day later are known by their quarter of an hour (slot) only, until they are indexed too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.sql.filters import Condition
from core.history.sql.statements import load_statements

SQL = load_statements("numbers/number_search.sql")
SLOT = timedelta(minutes=15)
# The shortest end that is kept, how many digits longer the next one is, and how many of its digits are kept.
SHORTEST, STEP, KEPT = 6, 4, 15
BEFORE_DIGITS = STEP - 1
# How many endings have the same head, and how many heads of a stretch are named; one of more is looked up by itself.
# Shorter heads do not tell the numbers of a market apart: they begin alike.
PER_HEAD = 10**6
_PAST_ALL = 10**KEPT
_MOST_HEADS = 10
# What a stretch that is one moment lasts: the lake's times have no finer parts.
MOMENT = timedelta(microseconds=1)
# A part that was sent to more often than this is known by its slots.
MOST_MOMENTS = 20_000
# Nearer stretches of messages are read as one.
NEAR = timedelta(hours=2)

_RUN = re.compile(f"[0-9]{{{SHORTEST},}}")


def mark_unindexed(cursor: Cursor, relation: str) -> None:
    """Note which indexed days the rows of *relation* belong to; they go into `lake.messages` in this transaction."""
    cursor.execute(SQL["mark_unindexed"].format(relation=relation))


def is_searchable(part: str) -> bool:
    """Whether the index can tell anything about a part of a receiver: it has six digits in a row."""
    return _RUN.search(part) is not None


def find_stretches(cursor: Cursor, part: str, period: Period) -> list[Period] | None:
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
    found = _look_up(cursor, part, period, MOST_MOMENTS)
    indexed: Iterable[Period] = found.moments
    if found.since > period.start:
        # Of so many, the slots are fewer.
        rows = cursor.execute(SQL["find_slots"].format(lookups=found.lookups), found.values).fetchall()
        indexed = _stretches((slot for (slot,) in rows), SLOT)
    return _joined([*_gaps(period, list_covered(cursor)), *_common(found.late, period), *_common(indexed, period)])


def find_newest(cursor: Cursor, part: str, period: Period, most: int) -> tuple[list[Period], datetime] | None:
    """
    Return what `find_stretches` does, but only back to the newest *most* moments, and from when on that is all.

    For a page, which may be full long before all of them have been found. None as there.
    """
    if not is_searchable(part):
        return None
    found = _look_up(cursor, part, period, most)
    newest = Period(found.since, period.end)
    stretches = [
        *_gaps(newest, list_covered(cursor)),
        *_common(found.late, newest),
        *_common(found.moments, newest),
    ]
    return _joined(stretches), found.since


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


def list_covered(cursor: Cursor) -> list[tuple[date, date]]:
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


@dataclass(frozen=True)
class _Found:
    """The newest *moments* and the *late* slots; before *since* there are more moments, unless the period begins."""

    lookups: str
    values: Mapping[str, object]
    moments: list[Period]
    late: list[Period]
    since: datetime


def _look_up(cursor: Cursor, part: str, period: Period, most: int) -> _Found:
    lookups, values = _lookups(max(_RUN.findall(part), key=len))
    values |= {"start": period.start, "end": period.end}
    rows = cursor.execute(SQL["find_moments"].format(lookups=lookups), {**values, "most": most + 1}).fetchall()
    moments = _stretches(sorted((start for start, is_slot in rows if not is_slot), reverse=True), MOMENT)
    late = _stretches((start for start, is_slot in rows if is_slot), SLOT)
    since = moments[most - 1].start if len(moments) > most else period.start
    return _Found(lookups, values, moments[:most], late, since)


def _lookups(digits: str) -> tuple[str, dict[str, object]]:
    """Return the query that looks for a part of a number, of the columns sent_at, and what it binds but the period."""
    values: dict[str, object] = {}
    heads: set[int] = set()
    lookups, stretches = [], []
    for skipped in range(STEP):
        begins, before = digits[skipped : skipped + KEPT], int(digits[:skipped] or "0")
        first = int(begins.ljust(KEPT, "0"))
        last = first + 10 ** (KEPT - len(begins)) - 1
        names = {"skipped": skipped, "modulus": 10**skipped, "in_period": SQL["in_period"]}
        of_stretch = range(first // PER_HEAD, last // PER_HEAD + 1)
        if len(of_stretch) > _MOST_HEADS:
            values |= {f"first_{skipped}": first, f"last_{skipped}": last, f"before_{skipped}": before}
            lookups.append(SQL["lookup"].format_map(names))
        else:
            heads |= set(of_stretch)
            values |= {f"from_{skipped}": before * _PAST_ALL + first, f"until_{skipped}": before * _PAST_ALL + last}
            stretches.append(SQL["stretch"].format_map(names | {"past_all": _PAST_ALL}))
    if stretches:
        named = {f"head_{number}": head for number, head in enumerate(sorted(heads))}
        values |= named
        listed = ", ".join(f"${name}::INTEGER" for name in named)
        sql = SQL["lookup_heads"]
        lookups.append(sql.format(heads=listed, stretches=" OR ".join(stretches), in_period=SQL["in_period"]))
    return "\nUNION ALL\n".join(lookups), values


def _stretches(starts: Iterable[datetime], length: timedelta) -> list[Period]:
    return [Period(start, start + length) for start in (start.replace(tzinfo=UTC) for start in starts)]


def _common(stretches: Iterable[Period], period: Period) -> list[Period]:
    """Return what each of *stretches* has in common with *period*, if anything."""
    cut = (Period(max(each.start, period.start), min(each.end, period.end)) for each in stretches)
    return [each for each in cut if each.start < each.end]


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
