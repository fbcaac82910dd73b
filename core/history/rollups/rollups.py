"""
Rollups: messages counted by day, so that statistics need not count them one by one.

Whoever changes `lake.messages` logs the difference in the same commit (`record_inserted`,
`record_changed`), so that rollups and log together equal the messages in every snapshot. Folding moves the log
into the rollups; building counts a month anew from its messages. Both are single commits.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from core.domain.reports.delays import FIRST_END_S, GROWTH, LAST_BUCKET
from core.domain.times.periods import Period, list_offsets
from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.lake.connection import Lake
from core.history.rollups.calendars import SINCE, find_calendar, list_neighbors, month_offset, month_period, next_month
from core.history.sql.filters import Condition, offset_at
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/rollups.sql")
_log = logging.getLogger(__name__)


class _Kept(NamedTuple):
    """A rollup: its table, and which statements are about it."""

    table: str
    kind: str

    def block(self, verb: str) -> str:
        """Return the statement of that verb for this rollup."""
        return _SQL[f"{verb}_{self.kind}"].format(table=self.table)


_ROLLUPS = (_Kept("series_days", "traffic"), _Kept("series_delay_days", "delays"))
# A month is written anew after this many patches: until then its days are in as many files at most.
MOST_PATCHES = 16
_LOGGED = "sent_at, account, country, network, mccmnc, price_eur_cents, delivery_status, delivered_at"
# The delay's bucket, as core.domain.reports.delays describes it. Always this expression: what is taken away must be
# what was once added.
BUCKET = f"""CASE WHEN delivery_status = 'Delivered' AND delivered_at IS NOT NULL THEN
    least({LAST_BUCKET}, ceil(ln(greatest(
        date_diff('microsecond', sent_at::TIMESTAMP, delivered_at::TIMESTAMP) / 1e6, {FIRST_END_S}
    ) / {FIRST_END_S}) / ln({GROWTH})))::SMALLINT END"""


_LOG = {"bucket": BUCKET, "counted_months": _SQL["counted_months"]}


@dataclass(frozen=True)
class MonthOfCalendar:
    """A month of a calendar, by its first day."""

    calendar: str
    month: date


def record_inserted(cursor: Cursor, relation: str) -> None:
    """Log the rows of *relation*, which are inserted into `lake.messages` in the same transaction."""
    cursor.execute(_SQL["insert_months"].format(relation=relation))
    cursor.execute(_SQL["log"].format(relation=relation, **_LOG))


def record_changed(cursor: Cursor, before: str, after: str) -> None:
    """
    Log rows of `lake.messages` that are updated in the same transaction.

    Args:
        cursor: The writing transaction's.
        before: A relation with the rows as they were.
        after: The same rows as they are now; both have the columns of `lake.messages` that rollups are made of.
    """
    cursor.execute(_SQL["log_changes"].format(before=before, after=after, columns=_LOGGED, **_LOG))


class Rollups:
    """Keeps the rollups up to date. Everything here is safe to run at any time, and twice."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def count_logged(self) -> int:
        """Return how many rows of the log wait to be folded."""
        with self._lake.read() as cursor:
            return int(fetch_one(cursor, _SQL["count_log"])[0])

    def fold(self) -> None:
        """Move the log into the rollups. Raises: StorageError: as `Lake.write`."""
        self._lake.write(_fold)

    def list_unbuilt(self, time_zones: Iterable[str]) -> list[MonthOfCalendar]:
        """
        Return the months without rollups that may have messages, for UTC and *time_zones*, newest first.

        Zones whose days are alike share a calendar.
        """
        with self._lake.read() as cursor:
            built = list_built(cursor)
            months = list_neighbors(month for (month,) in cursor.execute(_SQL["list_months"]).fetchall())
        calendars: set[str] = {"UTC", *built}
        for zone in sorted(set(time_zones)):
            if find_calendar(zone, calendars) is None:
                calendars.add(zone)
        return [
            MonthOfCalendar(calendar, month)
            for month in reversed(months)
            for calendar in sorted(calendars)
            if month not in built.get(calendar, frozenset())
        ]

    def build(self, wanted: MonthOfCalendar, *, again: bool = False) -> None:
        """Count a month's messages into its rollups; what is there already stays, unless it shall be done *again*."""

        def build(cursor: Cursor) -> None:
            if not again and wanted.month in list_built(cursor).get(wanted.calendar, ()):
                return
            # What the log still holds of the month is in its messages already.
            _fold(cursor)
            _count_month(cursor, wanted)
            _delete_month(cursor, wanted)
            _insert_counted(cursor, wanted)
            cursor.execute(_SQL["mark_month"], {"calendar": wanted.calendar, "month": wanted.month})
            cursor.execute(_SQL["drop_folding"])

        self._lake.write(build)
        _log.info("rollup_built", extra={"calendar": wanted.calendar, "month": wanted.month.isoformat()})

    def verify(self) -> Iterable[tuple[MonthOfCalendar, int]]:
        """
        Compare every month's rollups with its messages, after folding; a month at a time.

        Returns: Each month that has rollups, with the number of rows in which the two differ.
        """
        self.fold()
        with self._lake.read() as cursor:
            built = list_built(cursor)
        for calendar, months in sorted(built.items()):
            for month in sorted(months):
                wanted = MonthOfCalendar(calendar, month)
                yield wanted, self._lake.write(partial(_compare, wanted=wanted))


def list_built(cursor: Cursor) -> Mapping[str, frozenset[date]]:
    """Return the months whose rollups are there, by calendar."""
    months: dict[str, set[date]] = {}
    for calendar, month in cursor.execute(_SQL["list_built"]).fetchall():
        months.setdefault(calendar, set()).add(month)
    return {calendar: frozenset(found) for calendar, found in months.items()}


def _fold(cursor: Cursor) -> None:
    if not fetch_one(cursor, _SQL["count_log"])[0]:
        return
    _add_series(cursor, "lake.traffic_log")
    for calendar, months in sorted(list_built(cursor).items()):
        offset = _offset_of(calendar, months)
        values = {"calendar": calendar, "since": SINCE.replace(tzinfo=None), **offset.values}
        cursor.execute(_SQL["fold"].format(offset=offset.sql), values)
        _add_folding(cursor, calendar)
        cursor.execute(_SQL["drop_folding"])
    cursor.execute(_SQL["clear_log"])


def _add_series(cursor: Cursor, relation: str) -> None:
    cursor.execute(_SQL["insert_routes"].format(relation=relation))
    cursor.execute(_SQL["insert_series"].format(relation=relation))


def _offset_of(calendar: str, months: Iterable[date]) -> Condition:
    whole = Period(month_period(min(months), calendar).start, month_period(max(months), calendar).end)
    # A margin, because a slot just outside must not be taken for one inside.
    wide = Period(whole.start - timedelta(days=2), whole.end + timedelta(days=2))
    return offset_at(list_offsets(wide, calendar), "slot")


def _add_folding(cursor: Cursor, calendar: str) -> None:
    """Add what `folding` holds to what is kept of the same days."""
    patches = {"calendar": calendar, "most": MOST_PATCHES}
    cursor.execute(_SQL["touch"], patches)
    first, last = fetch_one(cursor, _SQL["list_touched"])
    if first is not None:
        values = {"calendar": calendar, "first": first, "last": last}
        for kept in _ROLLUPS:
            cursor.execute(kept.block("add_up"), values)
            cursor.execute(_SQL["replace_delete"].format(table=kept.table), values)
            _insert_added_up(cursor, kept, calendar)
        cursor.execute(_SQL["drop_old_patches"], patches)
        cursor.execute(_SQL["insert_patches"], {"calendar": calendar})
        cursor.execute(_SQL["count_patches"], patches)
    cursor.execute(_SQL["drop_touched"])


def _insert_counted(cursor: Cursor, wanted: MonthOfCalendar) -> None:
    """Insert what `folding` counted of a month of which nothing is kept any more."""
    # Nothing is touched: what folding has is all there is.
    cursor.execute(_SQL["touch_nothing"])
    values = {"calendar": wanted.calendar, "first": wanted.month, "last": wanted.month}
    for kept in _ROLLUPS:
        cursor.execute(kept.block("add_up"), values)
        _insert_added_up(cursor, kept, wanted.calendar)
    cursor.execute(_SQL["drop_touched"])


def _insert_added_up(cursor: Cursor, kept: _Kept, calendar: str) -> None:
    cursor.execute(_SQL["replace_insert"].format(table=kept.table), {"calendar": calendar})
    cursor.execute(_SQL["drop_added_up"])


def _count_month(cursor: Cursor, wanted: MonthOfCalendar) -> None:
    period = month_period(wanted.month, wanted.calendar)
    bounds = {"start": period.start, "end": period.end}
    cursor.execute(_SQL["list_unknown"], bounds)
    _add_series(cursor, "unknown")
    cursor.execute(_SQL["drop_unknown"])
    offset = month_offset(wanted.month, wanted.calendar)
    cursor.execute(_SQL["count_month"].format(offset=offset.sql, bucket=BUCKET), {**bounds, **offset.values})


def _delete_month(cursor: Cursor, wanted: MonthOfCalendar) -> None:
    for kept in _ROLLUPS:
        cursor.execute(_SQL["delete_month"].format(table=kept.table), _bounds_of(wanted))
    cursor.execute(_SQL["forget_patches"], _bounds_of(wanted))
    cursor.execute(_SQL["forget_month"], {"calendar": wanted.calendar, "month": wanted.month})


def _compare(cursor: Cursor, wanted: MonthOfCalendar) -> int:
    _fold(cursor)
    _count_month(cursor, wanted)
    differing = sum(int(fetch_one(cursor, kept.block("compare"), _bounds_of(wanted))[0]) for kept in _ROLLUPS)
    cursor.execute(_SQL["drop_folding"])
    return differing


def _bounds_of(wanted: MonthOfCalendar) -> dict[str, object]:
    last = next_month(wanted.month) - timedelta(days=1)
    return {"calendar": wanted.calendar, "first": wanted.month, "last": last}
