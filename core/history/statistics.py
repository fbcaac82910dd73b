"""Statistics: messages in groups, page by page, with totals and a chart that agree with them to the row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from core.domain.delays import bucket_middle
from core.domain.statistics import NAMED, TIMES, GroupBy, Measure, NameFilter, Sorting
from core.history.adding_up import AddingUp, Keys, StatisticsQuery
from core.history.arrow import fetch
from core.history.filters import Condition
from core.history.lake import Lake
from core.history.rollups import Reach, ReachReader
from core.history.statements import load_statements

_SQL = load_statements("statistics.sql")
_PRICE, _COST = pa.decimal128(12, 4), pa.decimal128(38, 4)

# The route's column behind each group that has names.
_COLUMNS = {
    GroupBy.ACCOUNT: "account",
    GroupBy.COUNTRY: "country",
    GroupBy.NETWORK: "network",
    GroupBy.NETWORK_CODE: "mccmnc",
}
_MEASURES = {
    Measure.TRANSMITTED: "sent - delivered - undelivered",
    Measure.DELIVERY_RATE: "delivered / sent",
}


@dataclass(frozen=True)
class Names:
    """How people call accounts and countries: what they read, filter and sort by."""

    account: Callable[[str], str]
    country: Callable[[str], str]

    def of(self, group: GroupBy, stored: str) -> str:
        """Return the name behind a stored value; networks and their codes are their own names."""
        name = {GroupBy.ACCOUNT: self.account, GroupBy.COUNTRY: self.country}.get(group)
        return name(stored) if name else stored


@dataclass(frozen=True)
class StatisticsPage:
    """
    A page of groups of *group_count*, and all of them in sum.

    *table* and *totals* (always one row) have: a column per group, named and ordered as `GroupBy` (Year int32;
    Month date32, its first day; Day date32; Price decimal128(12, 4), EUR cents of a message; else text, "" when
    unknown; totals have none of these), then sent, delivered, undelivered, transmitted (int64), cost_eur_cents
    (decimal128(38, 4)), delivery_rate (double, 0..1), median_dlr_s and p95_dlr_s (double, seconds within
    `core.domain.delays.MOST_ERROR`, null without a delivered message). *chart* has the first group of time that is
    finest, or else the first group, and the same measures without the delays.
    """

    table: pa.Table
    group_count: int
    totals: pa.Table
    chart: pa.Table


class Statistics:
    """Answers what was sent in groups, within the accounts each question names."""

    def __init__(self, lake: Lake) -> None:
        """Take the lake."""
        self._lake = lake
        self._reaches = ReachReader()

    def page(self, query: StatisticsQuery, names: Names, sorting: Sorting, limit: int, offset: int) -> StatisticsPage:
        """
        Return up to *limit* groups after the first *offset*, with everything's totals, from one snapshot.

        Raises: InvalidInput: no such time zone. StorageError: as `Lake.read`.
        """
        with self._lake.read() as cursor:
            answer = _Answer(cursor, query, names, self._reaches.read(cursor))
            grouped = answer.add_up()
            answer.take_page(grouped, sorting, "LIMIT $limit OFFSET $offset", {"limit": limit, "offset": offset})
            chart, count = answer.chart(grouped)
            return StatisticsPage(answer.read_page(), count, answer.totals(chart), chart)

    def everything(self, query: StatisticsQuery, names: Names, sorting: Sorting) -> tuple[pa.Table, pa.Table]:
        """
        Return all groups and their totals, as `page` does: for files.

        Raises: as `page`.
        """
        with self._lake.read() as cursor:
            answer = _Answer(cursor, query, names, self._reaches.read(cursor))
            grouped = answer.add_up()
            answer.take_page(grouped, sorting)
            chart, _ = answer.chart(grouped)
            return answer.read_page(), answer.totals(chart)


class _Answer:
    """One question while its snapshot is open."""

    def __init__(self, cursor: DuckDBPyConnection, query: StatisticsQuery, names: Names, reach: Reach) -> None:
        self._cursor = cursor
        self._groups = tuple(group for group in GroupBy if group in query.group_by)
        self._times = [group for group in self._groups if group in TIMES]
        self._named = [group for group in self._groups if group in NAMED]
        self._keys = Keys.of(self._groups)
        self._adding_up = AddingUp(cursor, query, reach)
        self._tuples = self._number_routes(query.filters, names)

    def _number_routes(self, filters: Sequence[NameFilter], names: Names) -> list[tuple[str, ...]]:
        """Number the groups of names in the order in which they are shown; return their names by number."""
        routes = self._adding_up.routes()
        shown = {
            group: _translate(routes[column].to_pylist(), partial(names.of, group))
            for group, column in _COLUMNS.items()
        }
        kept = [row for row in range(routes.num_rows) if all(f.matches(shown[f.field][row]) for f in filters)]
        tuples = [tuple(shown[group][row] for group in self._named) for row in kept]
        ordered = sorted(set(tuples), key=lambda found: [_sort_key(name) for name in found])
        numbers = {found: number for number, found in enumerate(ordered)}
        group_no = pa.array([numbers[found] for found in tuples], pa.int32())
        self._adding_up.ask_for(routes.take(pa.array(kept, pa.int64())).append_column("group_no", group_no))
        return ordered

    def add_up(self) -> Condition:
        """Return the query of all groups."""
        return self._adding_up.add_up(self._keys)

    def take_page(
        self, grouped: Condition, sorting: Sorting, limit: str = "", bounds: Mapping[str, object] | None = None
    ) -> None:
        """Sort the groups and keep those wanted in the table `page`."""
        joined = ""
        if isinstance(sorting.by, GroupBy) and sorting.by in self._named:
            self._rank(sorting.by)
            joined = "JOIN ranks USING (group_no)"
        sql = _SQL["page"].format(grouped=grouped.sql, joined=joined, order=self._order(sorting), limit=limit)
        self._cursor.execute(sql, {**grouped.values, **(bounds or {})})

    def _order(self, sorting: Sorting) -> str:
        """Return the sorting in SQL; the groups' own order decides between equals."""
        way = " DESC" if sorting.descending else ""
        keys = list(self._keys.names)
        by = sorting.by
        if by is None:
            return ", ".join(f"{name}{way}" for name in keys) or "sent"
        if isinstance(by, Measure):
            first = _MEASURES.get(by, by.value)
        elif by in TIMES:
            first = {GroupBy.YEAR: "year(time)", GroupBy.MONTH: "date_trunc('month', time)"}.get(by, "time")
            first = "time" if self._keys.time and not self._keys.keeps_rows else first
        else:
            first = "price_eur_cents" if by is GroupBy.PRICE else "rank"
        return ", ".join([f"{first}{way}", *keys])

    def _rank(self, group: GroupBy) -> list[str]:
        """Put the order of a group's names into the table `ranks`, by group_no; return the names in this order."""
        index = self._named.index(group)
        names = [found[index] for found in self._tuples]
        ordered = sorted(set(names), key=_sort_key)
        ranks = {name: rank for rank, name in enumerate(ordered)}
        columns = {
            "group_no": pa.array(range(len(names)), pa.int32()),
            "rank": pa.array([ranks[name] for name in names], pa.int32()),
        }
        self._cursor.register("ranks", pa.table(columns))
        return ordered

    def chart(self, grouped: Condition) -> tuple[pa.Table, int]:
        """Return the sums by the finest group of time, else by the first group, and how many groups there are."""
        by = self._times[-1] if self._times else next(iter(self._groups), None)
        joined, key = "", "true"
        if by in TIMES:
            key = "time"
        elif by is GroupBy.PRICE:
            key = "price_eur_cents"
        elif by is not None:
            ordered = self._rank(by)
            joined, key = "JOIN ranks USING (group_no)", "rank"
        found = fetch(self._cursor, _SQL["sums"].format(key=key, grouped=grouped.sql, joined=joined), grouped.values)
        count = int(pc.sum(found["groups"]).as_py() or 0)
        if by is None:
            return _measured({}, found), count
        if key == "rank":
            column = pa.array([ordered[rank] for rank in found["key"].to_pylist()], pa.string())
        else:
            column = _as_group(by, found["key"]) if by in TIMES else found["key"].cast(_PRICE)
        return _measured({by.value: column}, found), count

    def totals(self, chart: pa.Table) -> pa.Table:
        """Return the one row of everything; *chart* holds all of it."""
        delays = self._adding_up.add_up_delays(Keys.of(()))
        sums = {name: [pc.sum(chart[name]).as_py() or 0] for name in ("sent", "delivered", "undelivered")}
        cost = pc.sum(chart["cost_eur_cents"]).as_py() or Decimal(0)
        found = pa.table({**sums, "cost_eur_cents": pa.array([cost], _COST)})
        return _delayed(_measured({}, found), delays.to_pylist() or [{}])

    def read_page(self) -> pa.Table:
        """Return the rows of `page` with their groups' names and their delays."""
        page = fetch(self._cursor, _SQL["fetch_page"])
        times = page["time"].to_pylist() if self._keys.keeps_rows else []
        delays = self._adding_up.add_up_delays(self._keys, times)
        names = list(self._keys.names)
        by_group = {tuple(row[name] for name in names): row for row in delays.to_pylist()}
        keys = page.select(names).to_pylist() if names else [{}] * page.num_rows
        rows = [by_group.get(tuple(key.values()), {}) for key in keys]
        return _delayed(_measured(self._group_columns(page), page), rows)

    def _group_columns(self, page: pa.Table) -> dict[str, pa.Array]:
        """Return the groups' columns in the guide's order."""
        columns = {group.value: _as_group(group, page["time"]) for group in self._times}
        if self._named:
            found = [self._tuples[number] for number in page["group_no"].to_pylist()]
            for index, group in enumerate(self._named):
                columns[group.value] = pa.array([names[index] for names in found], pa.string())
        if self._keys.is_priced:
            columns[GroupBy.PRICE.value] = page["price_eur_cents"].cast(_PRICE)
        return columns


def _translate(stored: Sequence[str], name: Callable[[str], str]) -> list[str]:
    known = {value: name(value) for value in set(stored)}
    return [known[value] for value in stored]


def _sort_key(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _as_group(group: GroupBy, times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return what a group of time shows of *times*, which are dates, or years already."""
    if group is GroupBy.YEAR:
        return (times if pa.types.is_integer(times.type) else pc.year(times)).cast(pa.int32())
    if group is GroupBy.MONTH:
        return pc.floor_temporal(times, unit="month").cast(pa.date32())
    return times


def _measured(columns: Mapping[str, pa.Array], sums: pa.Table) -> pa.Table:
    """Return *columns* with the measures of *sums* beside them."""
    sent, delivered, undelivered = (sums[name] for name in ("sent", "delivered", "undelivered"))
    # Every group has messages; only the total of nothing has none.
    rate = pc.if_else(pc.equal(sent, 0), 0.0, pc.divide(delivered.cast("double"), pc.max_element_wise(sent, 1)))
    return pa.table(
        {
            **columns,
            "sent": sent,
            "delivered": delivered,
            "undelivered": undelivered,
            "transmitted": pc.subtract(pc.subtract(sent, delivered), undelivered),
            "cost_eur_cents": sums["cost_eur_cents"].cast(_COST),
            "delivery_rate": rate,
        }
    )


def _delayed(table: pa.Table, rows: Iterable[Mapping[str, int | None]]) -> pa.Table:
    """Return *table* with the delays of each of its rows beside it, in seconds."""
    found = list(rows)
    for column, quantile in (("median_dlr_s", "median"), ("p95_dlr_s", "high")):
        buckets = [row.get(quantile) for row in found]
        seconds = [None if bucket is None else bucket_middle(bucket) for bucket in buckets]
        table = table.append_column(column, pa.array(seconds, pa.float64()))
    return table
