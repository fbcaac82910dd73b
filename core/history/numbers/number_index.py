"""
Building the index by which numbers are searched; `number_search` says what it is.

Everything here is a commit that may be done at any time, twice, or not at all: what is not indexed is looked at by
whoever searches. A day is indexed once it is over. Messages that come into it later leave their slots marked
(`mark_unindexed`, in the commit that brings them) until those are indexed too. A month's days are in as many files, so
it is sorted into few when it is over.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.lake.connection import Lake
from core.history.numbers.number_search import (
    BEFORE_DIGITS,
    KEPT,
    PER_HEAD,
    SHORTEST,
    SQL,
    STEP,
    list_covered,
    midnight,
)
from core.history.rollups.calendars import month_period, next_month

_log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
# Messages of a day are still on their way when it ends.
SETTLING = timedelta(hours=1)
# Fewer late slots than this wait for more: each is one more stretch to look at, but indexing them is one more file.
FEWEST_LATE = 8
# How many unsorted files a month may have until it is over, and from then on: a search opens each of them four times.
# Sorting leaves alone what was sorted before, so that it costs as much as what it sorts.
MOST_FILES_OPEN, MOST_FILES = 8, 2
# How many endings are sorted in one commit. It holds up other writers.
SORTED_AT_ONCE = 2_000_000
# BIGINT has room for all numbers of so many digits.
_MOST_DIGITS = 17
_PAST_ALL = 10**KEPT

_IN_PERIOD = "sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP"
_IN_LATE_SLOTS = (
    f"{_IN_PERIOD} AND time_bucket(INTERVAL '15 minutes', sent_at) IN (SELECT slot FROM lake.unindexed_slots)"
)


@dataclass(frozen=True)
class MonthOfIndex:
    """A month of UTC, by its first day, and how many endings of its messages the index lacks."""

    month: date
    missing_count: int


class NumberIndex:
    """Keeps the index up to date. Everything here is safe to run at any time, and twice."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def list_unindexed(self, now: datetime) -> list[date]:
        """Return the days of UTC that are over and whose messages are not all in the index, newest first."""
        with self._lake.read() as cursor:
            months = [month for (month,) in cursor.execute(SQL["list_months"]).fetchall()]
            covered = list_covered(cursor)
            late = cursor.execute(SQL["list_late_days"]).fetchall()
        over = (now - SETTLING).date()
        days = {day for month in months for day in _days(month, min(next_month(month), over))}
        days -= {day for span in covered for day in _days(*span)}
        if sum(count for _, count in late) >= FEWEST_LATE:
            days |= {day for day, _ in late}
        return sorted(days, reverse=True)

    def index_day(self, day: date) -> None:
        """Index a day's messages, or those of its late slots when it was indexed before. Raises: as `Lake.write`."""

        def index(cursor: Cursor) -> None:
            is_covered = any(first <= day < end for first, end in list_covered(cursor))
            _insert(cursor, day, _IN_LATE_SLOTS if is_covered else _IN_PERIOD)
            cursor.execute(SQL["clear_late"], _bounds(_day_period(day)))

        self._lake.write(index)
        _log.info("numbers_indexed", extra={"day": day.isoformat()})

    def list_unsorted(self, now: datetime) -> list[date]:
        """Return the months that lie in too many files, newest first."""
        with self._lake.read() as cursor:
            spans = cursor.execute(SQL["list_spans"]).fetchall()
        over = (now - SETTLING).date()
        counts = Counter(first.replace(day=1) for first, _ in spans)

        def is_unsorted(month: date) -> bool:
            return counts[month] > (MOST_FILES if next_month(month) <= over else MOST_FILES_OPEN)

        return sorted(filter(is_unsorted, counts), reverse=True)

    def sort_month(self, month: date) -> Iterator[None]:
        """
        Sort what was added to a month into few files, in a commit for every step that is taken of the iterator.

        First the endings are there twice, then the unsorted ones go day by day, unless others came meanwhile; so the
        index is complete in between, and steps that are left out do no harm. Raises: as `Lake.write`.
        """
        bounds = _bounds(month_period(month, "UTC"))
        with self._lake.read() as cursor:
            known = _list_span_ids(cursor, month)
            cuts = _cut(cursor, bounds)
        for first, last in pairwise(cuts):
            self._lake.write(partial(_sort, values=bounds | {"first": first, "last": last}))
            yield
        for day in _days(month, next_month(month)):
            if not self._lake.write(partial(_delete_sorted, day=day, known=known)):
                return
            yield
        self._lake.write(partial(_join_spans, month=month, known=known))
        _log.info("numbers_sorted", extra={"month": month.isoformat()})

    def verify(self) -> Iterator[MonthOfIndex]:
        """Look up the endings of all messages of indexed days, a month at a time, each in a snapshot of its own."""
        with self._lake.read() as cursor:
            months = sorted({first.replace(day=1) for first, _ in list_covered_by_month(cursor)})
        for month in months:
            with self._lake.read() as cursor:
                days = _covered_days(cursor, month)
                yield MonthOfIndex(month, sum(_count_missing(cursor, day) for day in days))

    def rebuild(self, month: date) -> None:
        """Index the days of a month anew that were indexed; also rids it of what deleted messages left behind."""
        days = self._lake.write(partial(_forget, month=month))
        for day in days:
            self.index_day(day)


def list_covered_by_month(cursor: Cursor) -> list[tuple[date, date]]:
    """Return the indexed days as `list_covered` does, cut where months begin."""
    cut = []
    for first, end in list_covered(cursor):
        at = first
        while at < end:
            until = min(next_month(at), end)
            cut.append((at, until))
            at = until
    return cut


def _insert(cursor: Cursor, day: date, where: str) -> None:
    sql = SQL["insert_endings"].format(endings=_endings(where), per_head=PER_HEAD)
    cursor.execute(sql, _bounds(_day_period(day)))
    cursor.execute(SQL["insert_span"], {"first_day": day, "end_day": day + _DAY})


def _endings(where: str) -> str:
    return SQL["endings"].format(
        where=where,
        shortest=SHORTEST,
        step=STEP,
        kept=KEPT,
        most_digits=_MOST_DIGITS,
        before_digits=BEFORE_DIGITS,
        before_modulus=10**BEFORE_DIGITS,
    )


def _list_span_ids(cursor: Cursor, month: date) -> frozenset[object]:
    rows = cursor.execute(SQL["list_span_ids"], _span(month)).fetchall()
    return frozenset(span_id for (span_id,) in rows)


def _cut(cursor: Cursor, bounds: dict[str, object]) -> list[int]:
    """Return where to cut the unsorted endings, from 0 to past all of them."""
    count = int(fetch_one(cursor, SQL["count_unsorted"], bounds)[0])
    parts = -(-count // SORTED_AT_ONCE)
    shares = [part / parts for part in range(1, parts)]
    found = fetch_one(cursor, SQL["cut_unsorted"], bounds | {"shares": shares})[0] if shares else []
    return sorted({0, *(int(cut) for cut in found), _PAST_ALL})


def _sort(cursor: Cursor, values: dict[str, object]) -> None:
    cursor.execute(SQL["take_unsorted"], values)
    cursor.execute(SQL["insert_taken"])
    cursor.execute(SQL["drop_taken"])


def _delete_sorted(cursor: Cursor, day: date, known: frozenset[object]) -> bool:
    """Delete what was sorted of a day, unless its month has changed since its spans were those *known*."""
    if _list_span_ids(cursor, day.replace(day=1)) != known:
        return False
    cursor.execute(SQL["delete_unsorted"], _bounds(_day_period(day)))
    return True


def _join_spans(cursor: Cursor, month: date, known: frozenset[object]) -> None:
    if _list_span_ids(cursor, month) != known:
        return
    spans = [span for span in list_covered_by_month(cursor) if span[0].replace(day=1) == month]
    cursor.execute(SQL["delete_spans"], _span(month))
    for first, end in spans:
        cursor.execute(SQL["insert_span"], {"first_day": first, "end_day": end})


def _forget(cursor: Cursor, month: date) -> list[date]:
    """Take a month out of the index, and return which days of it were there, newest first."""
    days = _covered_days(cursor, month)
    bounds = _bounds(month_period(month, "UTC"))
    cursor.execute(SQL["delete_month"], bounds)
    cursor.execute(SQL["clear_late"], bounds)
    cursor.execute(SQL["delete_spans"], _span(month))
    return sorted(days, reverse=True)


def _covered_days(cursor: Cursor, month: date) -> list[date]:
    spans = [span for span in list_covered_by_month(cursor) if span[0].replace(day=1) == month]
    return [day for span in spans for day in _days(*span)]


def _count_missing(cursor: Cursor, day: date) -> int:
    sql = SQL["count_missing"].format(endings=_endings(_IN_PERIOD))
    return int(fetch_one(cursor, sql, _bounds(_day_period(day)))[0])


def _days(first: date, end: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((end - first).days))


def _day_period(day: date) -> Period:
    return Period(midnight(day), midnight(day + _DAY))


def _span(month: date) -> dict[str, object]:
    return {"first_day": month, "end_day": next_month(month)}


def _bounds(period: Period) -> dict[str, object]:
    return {"start": period.start, "end": period.end}
