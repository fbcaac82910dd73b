"""Adding messages up in groups, in one snapshot: rollups as far as they reach, what they do not know on top."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.domain.reports.delays import HIGH, MEDIAN
from core.domain.reports.statistics import TIMES, GroupBy, NameFilter
from core.domain.times.periods import Period, list_offsets
from core.history.engine.door import Cursor
from core.history.lake.connection import Lake
from core.history.lake.snapshots import LatestSnapshot, Shared
from core.history.rollups.blocks import BUCKETS, Blocks, bin_exactly
from core.history.rollups.calendars import DaySpan, cover, find_calendar, next_month
from core.history.rollups.delays import Part, add_part, find_places, find_quantile
from core.history.rollups.reach import REACH_TABLES, Ints, Reach, read_reach
from core.history.rollups.recent import Log, Recent, read_log, read_recent
from core.history.rollups.sums import Labels, Sums, binned, combined, sum_by_day, without_nothing
from core.history.sql.filters import in_accounts

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class StatisticsQuery:
    """Messages of *account_ids* in *period*, by *group_by*; days, months and years are those of *time_zone*."""

    account_ids: frozenset[str]
    period: Period
    time_zone: str
    group_by: tuple[GroupBy, ...]
    filters: tuple[NameFilter, ...] = ()


class RollupReader:
    """What all questions to the rollups share: how far they reach, what of them is in memory, and what is logged."""

    def __init__(self, lake: Lake, most_bytes: int) -> None:
        """Take the lake and how much of the rollups may be held in memory."""
        self.lake = lake
        self.latest = LatestSnapshot()
        self.blocks = Blocks(most_bytes)
        self._reach: Reach | None = None

    def reach(self, cursor: Cursor, shared: Shared) -> Reach:
        """Return how far the rollups reach in the cursor's snapshot, of which *shared* is."""
        found = shared("reach", REACH_TABLES, lambda: read_reach(cursor, self._reach))
        self._reach = found
        return found

    def log(self, cursor: Cursor, shared: Shared) -> Log:
        """Return what is logged in the cursor's snapshot, of which *shared* is."""
        numbers = self.reach(cursor, shared).numbers
        return shared("log", {*REACH_TABLES, "traffic_log"}, lambda: read_log(cursor, numbers))

    def ask(self, cursor: Cursor, query: StatisticsQuery, shared: Shared | None = None) -> "AddingUp":
        """
        Return what adds up *query* in the cursor's snapshot.

        Args:
            cursor: Reads.
            query: What is asked.
            shared: Of the cursor's snapshot, when it is there already.

        Raises: InvalidInput: no such time zone.
        """
        shared = shared or self.latest.of(cursor)
        reach = self.reach(cursor, shared)
        calendar = _choose_calendar(query, reach)
        covered = cover(query.period, calendar, reach.built.get(calendar, {}))
        parts = list(self._read_parts(cursor, reach, calendar, covered.days))
        offsets = list_offsets(query.period, query.time_zone)
        log = self.log(cursor, shared)
        recent = read_recent(cursor, log, in_accounts(query.account_ids), covered, offsets)
        return AddingUp(query, parts, recent, is_covered=not covered.edges)

    def _read_parts(self, cursor: Cursor, reach: Reach, calendar: str, spans: Iterable[DaySpan]) -> Iterator[Part]:
        """Yield the days of *spans* month by month, each with the month's block."""
        months, routes = reach.built.get(calendar, {}), reach.numbers.series.route
        for span in spans:
            day = span.first
            while day < span.end:
                month = day.replace(day=1)
                end = min(span.end, next_month(month))
                block = self.blocks.get(cursor, (calendar, month), months[month], routes)
                yield Part(month, (day - month).days, (end - month).days, block)
                day = end

    def warm_up(self) -> None:
        """Read the months of all calendars into memory, the newest first, until it is full."""
        with self.lake.read() as cursor:
            reach = self.reach(cursor, self.latest.of(cursor))
            months = ((month, calendar) for calendar, found in reach.built.items() for month in found)
            for month, calendar in sorted(months, reverse=True):
                if self.blocks.is_full:
                    return
                version = reach.built[calendar][month]
                self.blocks.get(cursor, (calendar, month), version, reach.numbers.series.route)


def _choose_calendar(query: StatisticsQuery, reach: Reach) -> str:
    """Return the calendar whose days are those of the query's zone, built or not."""
    calendar = find_calendar(query.time_zone, reach.built)
    if calendar is not None:
        return calendar
    # Until the zone has rollups its days are counted from the messages; without days, any calendar will do.
    return query.time_zone if set(TIMES) & set(query.group_by) else "UTC"


class AddingUp:
    """One question: whole days from blocks in memory, and on top what the rollups do not know, read already."""

    def __init__(self, query: StatisticsQuery, parts: Sequence[Part], recent: Recent, *, is_covered: bool) -> None:
        """Take the question, the days that blocks cover, all else of its time, and whether that is only logged."""
        self.is_covered = is_covered
        self._parts = parts
        self._recent = recent.rows
        self.routes, self.series = recent.routes, recent.series
        self._unit = next((group for group in reversed(TIMES) if group in query.group_by), None)
        self._first_time = min((self._number(day) for day in self._first_days()), default=0)

    def _first_days(self) -> list[date]:
        days = [part.month + timedelta(days=part.first) for part in self._parts[:1]]
        if len(self._recent["day"]):
            days.append(date.fromordinal(int(self._recent["day"].min()) + _EPOCH))
        return days

    def _number(self, day: date) -> int:
        """Return the number of the day, month or year in which *day* lies, 0 when time does not matter."""
        match self._unit:
            case GroupBy.DAY:
                return day.toordinal()
            case GroupBy.MONTH:
                return day.year * 12 + day.month - 1
            case GroupBy.YEAR:
                return day.year
        return 0

    def find_days(self, times: Ints) -> Ints:
        """Return the first days of the groups' days, months or years, as days since 1970-01-01."""
        return self._translated(times, lambda day: day.toordinal() - _EPOCH)

    def rank_times(self, by: GroupBy, times: Ints) -> Ints:
        """Return the years, months or days of the groups' times as numbers to sort by."""
        if by is GroupBy.YEAR:
            return self._translated(times, lambda day: day.year)
        return self._translated(times, lambda day: day.year * 12 + day.month) if by is GroupBy.MONTH else times

    def _translated(self, times: Ints, value: Callable[[date], int]) -> Ints:
        """Return *value* of the first days of *times*; there are few different ones."""
        if not len(times):
            return times
        lowest, highest = int(times.min()), int(times.max())
        days = (self._first_day(time + self._first_time) for time in range(lowest, highest + 1))
        return np.asarray(np.array([value(day) for day in days])[times - lowest])

    def _first_day(self, number: int) -> date:
        if self._unit is GroupBy.DAY:
            return date.fromordinal(number)
        return date(number, 1, 1) if self._unit is GroupBy.YEAR else date(number // 12, number % 12 + 1, 1)

    def find_routes(self, account_ids: Iterable[str]) -> Ints:
        """Return by route's number whether it is one of these accounts'."""
        wanted = np.array([account in account_ids for account in self.routes.values["account"]] + [False])
        return np.asarray(wanted[self.routes.codes["account"]])

    def add_up(self, labels: Labels) -> list[Sums]:
        """Return the groups of the query's time and of *labels*, in parts that have none in common."""
        daily = self._unit is GroupBy.DAY
        parts = [self._sums_of(part, labels, daily=daily) for part in self._parts]
        recent = self._recent_sums(labels)
        if not daily:
            return [combined([*parts, recent])]
        # Only the days on which something is recent have groups in common with it.
        times = set((recent.keys // labels.count).tolist())
        touched = [self._has_any(part, times) for part in self._parts]
        others = [found for found, is_touched in zip(parts, touched, strict=True) if not is_touched]
        mixed = [found for found, is_touched in zip(parts, touched, strict=True) if is_touched]
        return [*others, combined([*mixed, recent])]

    def _has_any(self, part: Part, times: set[int]) -> bool:
        first = self._time(part)
        return any(time in times for time in range(first, first + part.end - part.first))

    def _time(self, part: Part) -> int:
        """Return the number of the part's first day, month or year, counted from the question's first."""
        return self._number(part.month + timedelta(days=part.first)) - self._first_time

    def _sums_of(self, part: Part, labels: Labels, *, daily: bool) -> Sums:
        rows = part.block.rows_of(priced=labels.is_priced)
        base = self._time(part) * labels.count
        if labels.is_everything:
            days = part.block.rows.day_sums[:, part.first : part.end]
            sums = days if daily else days.sum(axis=1, keepdims=True)
            return without_nothing(np.arange(sums.shape[1]) * labels.count + base, sums)
        of_id = labels.of[rows.ids]
        if not daily and part.is_whole:
            return binned(of_id, rows.month[1], base)
        if daily:
            return sum_by_day(rows, (part.first, part.end), of_id, base, labels.count)
        where = slice(rows.starts[part.first], rows.starts[part.end])
        return binned(of_id[rows.place[where]], rows.sums[:, where], base)

    def _recent_sums(self, labels: Labels) -> Sums:
        """Return what is recent row by row: differences, to be added up before any of them is nothing."""
        keys, kept = self._recent_keys(labels)
        recent = self._recent
        cost = recent["sent"] * recent["price"]
        sums = np.stack([recent["sent"], recent["delivered"], recent["undelivered"], cost])[:, kept]
        return Sums(keys, sums)

    def _recent_keys(self, labels: Labels) -> tuple[Ints, Ints]:
        """Return the keys of what is recent and asked for, and the places of its rows."""
        recent = self._recent
        label = (
            labels.of[recent["series"] if labels.is_priced else recent["route_id"]]
            if len(recent["day"])
            else recent["day"]
        )
        kept = np.flatnonzero(label >= 0)
        days, place = np.unique(recent["day"][kept], return_inverse=True)
        times = (
            np.array([self._number(date.fromordinal(int(day) + _EPOCH)) for day in days], np.int64) - self._first_time
        )
        return times[place] * labels.count + label[kept], kept

    def find_delays(self, labels: Labels, keys: Ints) -> tuple[Ints, Ints]:
        """
        Return the buckets in which median and 95th percentile of the delays lie, for the groups *keys*.

        -1 where no message was delivered.
        """
        ordered, place = np.unique(keys, return_inverse=True)
        histogram = np.zeros((len(ordered), BUCKETS), np.int64)
        for part in self._parts:
            add_part(histogram, ordered, part, labels, self._time(part), daily=self._unit is GroupBy.DAY)
        self._add_recent_delays(histogram, labels, lambda found: find_places(ordered, found))
        return find_quantile(histogram, MEDIAN)[place], find_quantile(histogram, HIGH)[place]

    def find_delays_of_all(self, labels: Labels) -> tuple[Ints, Ints]:
        """Return the same for everything that has a label, as one row."""
        histogram = np.zeros((1, BUCKETS), np.int64)
        for part in self._parts:
            add_part(histogram, np.zeros(1, np.int64), part, labels, 0, daily=False)
        self._add_recent_delays(histogram, labels, np.zeros_like)
        return find_quantile(histogram, MEDIAN), find_quantile(histogram, HIGH)

    def _add_recent_delays(self, histogram: Ints, labels: Labels, place: Callable[[Ints], Ints]) -> None:
        keys, kept = self._recent_keys(labels)
        at, bucket = place(keys), self._recent["bucket"][kept]
        counted = (at >= 0) & (bucket >= 0)
        cells = at[counted] * BUCKETS + bucket[counted]
        found = bin_exactly(cells, self._recent["delivered"][kept][counted], histogram.size)
        histogram += found.reshape(histogram.shape)
