"""Statistics: messages in groups, page by page, with totals and a chart that agree with them to the row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.answers import StatisticsPage
from core.domain.reports.delays import bucket_middle
from core.domain.reports.statistics import TIMES, GroupBy, Measure, NameFilter, Sorting
from core.domain.words.folding import fold
from core.history.engine.door import Cursor
from core.history.rollups.adding_up import AddingUp, RollupReader, StatisticsQuery
from core.history.rollups.blocks import BUCKETS
from core.history.rollups.ordering import first_of
from core.history.rollups.reach import Ints
from core.history.rollups.sums import Labels, Sums, combined, concatenated, in_order, taken

_PRICE, _COST = pa.decimal128(12, 4), pa.decimal128(38, 4)
# Groups whose delays are found at a time when there are many.
_STEP = 5_000
# Below it, values are told apart by a table of all of them, and otherwise by sorting.
_WORTH_A_TABLE = 1 << 22

# The route's column behind each group that has names.
_COLUMNS = {
    GroupBy.ACCOUNT: "account",
    GroupBy.COUNTRY: "country",
    GroupBy.NETWORK: "network",
    GroupBy.NETWORK_CODE: "mccmnc",
}


def _no_others(_: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Names:
    """
    How people call accounts and countries: what they read, filter and sort by.

    Asked about what the viewer may see, and never about anything else. *also* has the other names by which an account
    is found.
    """

    account: Callable[[str], str]
    country: Callable[[str], str]
    also: Callable[[str], tuple[str, ...]] = _no_others

    def of(self, group: GroupBy, stored: str) -> str:
        """Return the name behind a stored value; networks and their codes are their own names."""
        name = {GroupBy.ACCOUNT: self.account, GroupBy.COUNTRY: self.country}.get(group)
        return name(stored) if name else stored

    def fits(self, wanted: NameFilter, stored: str) -> bool:
        """Return whether a stored value fulfils the condition, by whatever it is called."""
        others = self.also(stored) if wanted.field is GroupBy.ACCOUNT else ()
        return wanted.matches(self.of(wanted.field, stored), *others)


class Statistics:
    """Answers what was sent in groups, within the accounts each question names."""

    def __init__(self, rollups: RollupReader) -> None:
        self._rollups = rollups

    def page(self, query: StatisticsQuery, names: Names, sorting: Sorting, limit: int, offset: int) -> StatisticsPage:
        """
        Return up to *limit* groups after the first *offset*, with everything's totals, from one snapshot.

        Raises: InvalidInput: no such time zone. StorageError: as `Lake.read`.
        """
        with self._rollups.lake.read() as cursor:
            answer = self._answer(cursor, query, names)
            found = answer.choose(sorting, offset, offset + limit)
            chart = answer.chart()
            return StatisticsPage(answer.table(found), answer.group_count, answer.totals(), chart)

    def everything(self, query: StatisticsQuery, names: Names, sorting: Sorting) -> tuple[pa.Table, pa.Table]:
        """
        Return all groups and their totals, as `page` does: for files.

        Raises: as `page`.
        """
        with self._rollups.lake.read() as cursor:
            answer = self._answer(cursor, query, names)
            return answer.table(answer.choose(sorting, 0, answer.group_count)), answer.totals()

    def _answer(self, cursor: Cursor, query: StatisticsQuery, names: Names) -> "_Answer":
        return _Answer(self._rollups.ask(cursor, query), query, names)


class _Answer:
    """One question while its snapshot is open."""

    def __init__(self, adding_up: AddingUp, query: StatisticsQuery, names: Names) -> None:
        self._adding_up = adding_up
        self._groups = tuple(group for group in GroupBy if group in query.group_by)
        self._times = [group for group in self._groups if group in TIMES]
        self._named = _Named.of(adding_up, query, names)
        self._labels = self._named.labels
        self._found = adding_up.add_up(self._labels)

    @property
    def group_count(self) -> int:
        """How many groups there are."""
        return sum(len(part.keys) for part in self._found)

    def choose(self, sorting: Sorting, start: int, end: int) -> Sums:
        """Return the groups from the place *start* to before *end* in that order."""
        pool = self._found
        if end * len(pool) < self.group_count:
            # Of each part, no more of the first than are asked for can be among the first of all.
            pool = [self._first_of(part, sorting, 0, end) for part in pool]
        return self._first_of(concatenated(pool), sorting, start, end)

    def _first_of(self, found: Sums, sorting: Sorting, start: int, end: int) -> Sums:
        values = self._values(sorting, found)
        return taken(found, first_of(values, found.keys, start, end, descending=sorting.descending))

    def _values(self, sorting: Sorting, found: Sums) -> Ints | None:
        """Return what to sort by; None: the groups themselves."""
        by = sorting.by
        if by is None:
            return None
        if isinstance(by, Measure):
            return _measure(by, found.sums)
        if by in TIMES:
            return self._adding_up.rank_times(by, found.keys // self._labels.count)
        return np.asarray(self._named.ranks[by][found.keys % self._labels.count])

    def chart(self) -> pa.Table:
        """Return the sums by the finest group of time, else by the first group."""
        by = self._times[-1] if self._times else next(iter(self._groups), None)
        if by is None:
            return _measured({}, self._everything())
        if by in TIMES:
            found = self._over_time
            days = _dates(self._adding_up.find_days(found.keys))
            return _measured({by.value: _as_group(by, days)}, found.sums)
        ranks = self._named.ranks[by]
        found = combined([Sums(ranks[part.keys % self._labels.count], part.sums) for part in self._found])
        return _measured({by.value: self._named.shown[by].take(pa.array(found.keys))}, found.sums)

    def totals(self) -> pa.Table:
        """Return the one row of everything."""
        return _delayed(_measured({}, self._everything()), self._adding_up.find_delays_of_all(self._labels.as_one()))

    @cached_property
    def _over_time(self) -> Sums:
        """What is asked for by time alone, in order."""
        return in_order(concatenated(self._adding_up.add_up(self._labels.as_one())))

    def _everything(self) -> Ints:
        return np.asarray(self._over_time.sums.sum(axis=1, keepdims=True))

    def table(self, found: Sums) -> pa.Table:
        """Return the groups with their names and their delays."""
        return _delayed(_measured(self._group_columns(found.keys), found.sums), self._find_delays(found.keys))

    def _find_delays(self, keys: Ints) -> tuple[Ints, Ints]:
        median, high = np.zeros((2, len(keys)), np.int64)
        # In the order of the keys: what is looked for together lies on few days.
        order = np.argsort(keys)
        for start in range(0, len(keys), _STEP):
            places = order[start : start + _STEP]
            median[places], high[places] = self._adding_up.find_delays(self._labels, keys[places])
        return median, high

    def _group_columns(self, keys: Ints) -> dict[str, pa.Array]:
        """Return the groups' columns in the guide's order."""
        columns = {}
        if self._times:
            days = _dates(self._adding_up.find_days(keys // self._labels.count))
            columns = {group.value: _as_group(group, days) for group in self._times}
        labels = keys % self._labels.count
        for group in self._groups:
            if group not in TIMES:
                columns[group.value] = self._named.shown[group].take(pa.array(self._named.ranks[group][labels]))
        return columns


@dataclass(frozen=True)
class _Named:
    """
    The groups of names and prices.

    *ranks* has for each of these groups the place of every label's name, or price, among *shown*, which is in order.
    """

    labels: Labels
    ranks: Mapping[GroupBy, Ints]
    shown: Mapping[GroupBy, pa.Array]

    @classmethod
    def of(cls, adding_up: AddingUp, query: StatisticsQuery, names: Names) -> "_Named":
        """Number the groups in the order in which they are shown."""
        routes, series = adding_up.routes, adding_up.series
        is_priced = GroupBy.PRICE in query.group_by
        mine = adding_up.find_routes(query.account_ids)
        asked = mine.copy()
        ranks: dict[GroupBy, Ints] = {}
        shown: dict[GroupBy, pa.Array] = {}
        for group, column in _COLUMNS.items():
            codes = routes.codes[column]
            # Routes are everybody's: of what is not the viewer's no name is asked, compared or put in order.
            values = _values_of(routes.values[column], codes[mine])
            filters = [each for each in query.filters if each.field is group]
            asked &= _fitting(values, len(routes.values[column]), partial(_fits_all, names, filters))[codes]
            if group in query.group_by:
                ordered = sorted({names.of(group, value) for value in values.values()}, key=_sort_key)
                places = {name: place for place, name in enumerate(ordered)}
                place = np.zeros(len(routes.values[column]) + 1, np.int64)
                place[list(values)] = [places[names.of(group, value)] for value in values.values()]
                ranks[group] = place[codes]
                shown[group] = pa.array(ordered, pa.string())
        if is_priced:
            ranks = {group: found[series.route] for group, found in ranks.items()}
            asked = asked[series.route]
            prices, ranks[GroupBy.PRICE] = np.unique(series.price, return_inverse=True)
            shown[GroupBy.PRICE] = _decimals(prices, _PRICE)
        labels, of_labels = _label(asked, ranks, is_priced=is_priced)
        return cls(labels, of_labels, shown)


def _label(asked: Ints, ranks: Mapping[GroupBy, Ints], *, is_priced: bool) -> tuple[Labels, Mapping[GroupBy, Ints]]:
    """Number what is different in *ranks* among the *asked*; return the labels, and the ranks by label."""
    mixed = np.zeros(len(asked), np.int64)
    for found in ranks.values():
        mixed = mixed * (int(found.max(initial=0)) + 1) + found
    chosen = np.flatnonzero(asked)
    different, label = _number(mixed[chosen])
    of = np.full(len(asked), -1, np.int64)
    of[chosen] = label
    # Whichever of a label's numbers comes last speaks for it: they agree in all ranks.
    spokesman = np.zeros(different, np.int64)
    spokesman[label] = chosen
    # Without a group of names all that is asked for is one; nobody asked for anything: still one, and empty.
    return Labels(of, max(different, 1), is_priced), {group: found[spokesman] for group, found in ranks.items()}


def _number(values: Ints) -> tuple[int, Ints]:
    """Return how many different values there are, and for each its place among them in order."""
    if values.max(initial=0) < _WORTH_A_TABLE:
        is_there = np.zeros(int(values.max(initial=0)) + 1, bool)
        is_there[values] = True
        return int(is_there.sum()), (np.cumsum(is_there) - 1)[values]
    different, place = np.unique(values, return_inverse=True)
    return len(different), place


def _measure(by: Measure, sums: Ints) -> Ints:
    sent, delivered, undelivered, cost = sums
    values: dict[Measure, Callable[[], Ints]] = {
        Measure.SENT: lambda: sent,
        Measure.DELIVERED: lambda: delivered,
        Measure.UNDELIVERED: lambda: undelivered,
        Measure.TRANSMITTED: lambda: sent - delivered - undelivered,
        Measure.DELIVERY_RATE: lambda: delivered / sent,
        Measure.COST: lambda: cost,
    }
    return values[by]()


def _values_of(values: Sequence[str], codes: Ints) -> dict[int, str]:
    """Return the values that *codes* are the places of, by place."""
    is_there = np.zeros(len(values), bool)
    is_there[codes] = True
    return {place: values[place] for place in np.flatnonzero(is_there).tolist()}


def _fitting(values: Mapping[int, str], count: int, fits: Callable[[str], bool]) -> Ints:
    """Return for each of *count* places whether its value fits, which none does that is not among *values*."""
    found = np.zeros(count + 1, bool)
    found[[place for place, value in values.items() if fits(value)]] = True
    return found


def _fits_all(names: Names, filters: Iterable[NameFilter], stored: str) -> bool:
    return all(names.fits(each, stored) for each in filters)


def _sort_key(name: str) -> tuple[str, str]:
    return fold(name), name


def _dates(days: Ints) -> pa.Array:
    return pa.array(days.astype(np.int32)).view(pa.date32())


def _as_group(group: GroupBy, days: pa.Array) -> pa.Array:
    """Return what a group of time shows of its first days."""
    if group is GroupBy.YEAR:
        return pc.year(days).cast(pa.int32())
    if group is GroupBy.MONTH:
        return pc.floor_temporal(days, unit="month").cast(pa.date32())
    return days


def _measured(columns: Mapping[str, pa.Array], sums: Ints) -> pa.Table:
    """Return *columns* with the measures of *sums* beside them."""
    sent, delivered, undelivered, cost = sums
    return pa.table(
        {
            **columns,
            "sent": pa.array(sent),
            "delivered": pa.array(delivered),
            "undelivered": pa.array(undelivered),
            "transmitted": pa.array(sent - delivered - undelivered),
            "cost_eur_cents": _decimals(cost, _COST),
            # Every group has messages; only the total of nothing has none.
            "delivery_rate": pa.array(delivered / np.maximum(sent, 1)),
        }
    )


def _delayed(table: pa.Table, buckets: tuple[Ints, Ints]) -> pa.Table:
    """Return *table* with the delays of each of its rows beside it, in seconds."""
    middles = [bucket_middle(bucket) for bucket in range(BUCKETS)]
    for column, found in zip(("median_dlr_s", "p95_dlr_s"), buckets, strict=True):
        seconds = pa.array(middles, pa.float64()).take(pa.array(np.where(found < 0, 0, found), mask=found < 0))
        table = table.append_column(column, seconds)
    return table


def _decimals(units: Ints, kind: pa.Decimal128Type) -> pa.Array:
    """Return ten thousandths as decimals with four digits behind the point: Arrow keeps them as 128 bit integers."""
    wide = np.stack([units, units >> 63], axis=1).astype("<i8")
    return pa.Array.from_buffers(kind, len(units), [None, pa.py_buffer(np.ascontiguousarray(wide))])
