"""Adding messages up in groups, in one snapshot: rollups as far as they reach, what they do not know on top."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from core.domain.delays import HIGH, MEDIAN
from core.domain.periods import OffsetSpan, Period, list_offsets
from core.domain.statistics import NAMED, TIMES, GroupBy, NameFilter
from core.history.arrow import fetch, fetch_one
from core.history.calendars import Cover, DaySpan, cover, find_calendar
from core.history.filters import Condition, in_accounts, offset_at
from core.history.rollups import BUCKET, Reach
from core.history.statements import load_statements

_SQL = load_statements("statistics.sql")
_SHARES = {"median": MEDIAN, "high": HIGH}


@dataclass(frozen=True)
class StatisticsQuery:
    """Messages of *account_ids* in *period*, by *group_by*; days, months and years are those of *time_zone*."""

    account_ids: frozenset[str]
    period: Period
    time_zone: str
    group_by: tuple[GroupBy, ...]
    filters: tuple[NameFilter, ...] = ()


@dataclass(frozen=True)
class Keys:
    """
    What rows are added up by: a span of time, a group number, a price, or some of them.

    *time* is the column's expression of a day or month, "" without; *span* is what rollups must tell apart.
    """

    time: str
    span: str
    is_named: bool
    is_priced: bool

    @classmethod
    def of(cls, groups: Iterable[GroupBy]) -> "Keys":
        """Return the keys of these groups. Of several spans of time the finest tells the others."""
        asked = set(groups)
        is_daily = GroupBy.DAY in asked
        time = "year(time)::INTEGER" if GroupBy.YEAR in asked else ""
        if is_daily or GroupBy.MONTH in asked:
            time = "time"
        return cls(time, "day" if is_daily else "month", bool(asked & set(NAMED)), GroupBy.PRICE in asked)

    @property
    def grain(self) -> str:
        """Which rollup tells enough: `series` knows prices, `route` does not."""
        return "series" if self.is_priced else "route"

    @property
    def names(self) -> tuple[str, ...]:
        """The key columns, in the order in which groups are sorted."""
        asked = ((self.time, "time"), (self.is_named, "group_no"), (self.is_priced, "price_eur_cents"))
        return tuple(name for is_asked, name in asked if is_asked)

    @property
    def columns(self) -> str:
        """The same as SQL, each with a comma behind."""
        time = f"{self.time} AS time, " if self.time else ""
        return time + "".join(f"{name}, " for name in self.names if name != "time")

    @property
    def group_no(self) -> str:
        """A route's group: its number, or one for all."""
        return "group_no" if self.is_named else "0"

    @property
    def keeps_rows(self) -> bool:
        """Whether a row of the rollup may be a group as it stands: its span of time is the group's."""
        return self.time == "time"


class AddingUp:
    """One question's temporary tables on a cursor of its own. Nothing of it outlives the cursor."""

    def __init__(self, cursor: DuckDBPyConnection, query: StatisticsQuery, reach: Reach) -> None:
        """Find out what the rollups cover, and count what they do not know."""
        self._cursor = cursor
        self._reach = reach
        self._period = query.period
        self._accounts = in_accounts(query.account_ids)
        calendar = find_calendar(query.time_zone, reach.built)
        if calendar is None:
            # Until the zone has rollups its days are counted from the messages; without days, any calendar will do.
            calendar = query.time_zone if set(TIMES) & set(query.group_by) else "UTC"
        self._calendar = calendar
        self._months = reach.built.get(calendar, frozenset())
        self._daily = self._cover(by_day=True)
        self._has_recent = self._count_recent(list_offsets(query.period, query.time_zone))
        self._has_series = False

    def _cover(self, *, by_day: bool) -> Cover:
        return cover(self._period, self._calendar, self._months, by_day=by_day)

    def _count_recent(self, offsets: Sequence[OffsetSpan]) -> bool:
        """Fill the table `recent`; return whether there is anything in it."""
        sources = []
        if self._daily.whole and self._reach.is_logged:
            sources.append(self._recent("logged", "slot", self._daily.whole, offsets))
        if self._daily.edges:
            sources.append(self._recent("messages", "sent_at", self._daily.edges, offsets))
        if not sources:
            return False
        self._run("recent", sources=_union(sources))
        return bool(fetch_one(self._cursor, _SQL["count_recent"])[0])

    def _recent(self, block: str, column: str, periods: Sequence[Period], offsets: Sequence[OffsetSpan]) -> Condition:
        within, offset = _within_periods(column, periods, block), offset_at(offsets, column)
        sql = _SQL[block].format(within=within.sql, offset=offset.sql, accounts=self._accounts.sql, bucket=BUCKET)
        return Condition(sql, {**within.values, **offset.values, **self._accounts.values})

    def routes(self) -> pa.Table:
        """Return the routes messages may be found on: route_id (int32), account, country, network, mccmnc (text)."""
        accounts = pa.array(list(self._accounts.values.values()), pa.string())
        known = self._reach.routes.filter(pc.is_in(self._reach.routes["account"], accounts))
        if not self._has_recent:
            return known
        self._cursor.register("known_routes", known)
        return pa.concat_tables([known, fetch(self._cursor, _SQL["unknown_routes"])])

    def ask_for(self, routes: pa.Table) -> None:
        """Say which of the routes count, each with its group_no (int32). Called once, before anything is added up."""
        self._cursor.register("asked_routes", routes)

    def add_up(self, keys: Keys) -> Condition:
        """Return a query over groups: the keys' columns, then sent, delivered, undelivered, cost_eur_cents."""
        self._number_ids(keys)
        parts, extra = self._parts(keys)
        rolled_up = self._rolled_up(keys, parts.days if keys.span == "day" else parts.months)
        everything = [*rolled_up, *extra]
        if not keys.keeps_rows:
            return self._merge(keys, everything, Condition("true", {}))
        times = []
        if extra:
            found = _union(extra)
            sql = _SQL["list_extra_times"].format(sources=found.sql)
            times = [time for (time,) in self._cursor.execute(sql, dict(found.values)).fetchall()]
        among = _among("time", times)
        alone, ids = fetch_one(self._cursor, _SQL["count_alone"])
        if not alone:
            return self._merge(keys, everything, Condition("true", {}))
        shared = Condition(f"(NOT is_alone OR {among.sql})", among.values)
        kept = [
            Condition(
                _SQL["alone"].format(keys=keys.columns, rolled_up=query.sql, alone=f"NOT {shared.sql}"),
                {**query.values, **shared.values},
            )
            for query in rolled_up
        ]
        return _union([*kept, self._merge(keys, everything, shared)] if times or alone < ids or not kept else kept)

    def _number_ids(self, keys: Keys) -> None:
        if keys.is_priced and not self._has_series:
            self._run("all_series")
            if self._has_recent:
                self._run("unknown_series")
            self._has_series = True
        self._run(f"{keys.grain}_groups", group_no=keys.group_no)

    def _parts(self, keys: Keys) -> tuple[Cover, list[Condition]]:
        """Return how the period is put together, and the queries of what is not in the main rollup."""
        extra = []
        if self._has_recent:
            sql = _SQL[f"recent_of_{keys.grain}"].format(span=_span_of_day(keys.span))
            extra.append(Condition(sql, {}))
        if keys.span == "day":
            return self._daily, extra
        parts = self._cover(by_day=False)
        return parts, [*extra, *self._rolled_up(keys, parts.days, "day")]

    def _rolled_up(self, keys: Keys, spans: Sequence[DaySpan], span: str = "") -> list[Condition]:
        """Return the query of a rollup, none when it has nothing to tell."""
        if not spans:
            return []
        span = span or keys.span
        within = self._within(span, spans)
        time = span if span == keys.span else _span_of_day(keys.span)
        sql = _SQL["rolled_up"].format(table=f"{keys.grain}_{span}s", span=time, within=within.sql)
        return [Condition(sql, within.values)]

    def _merge(self, keys: Keys, sources: Sequence[Condition], where: Condition) -> Condition:
        """Add rows up that make groups together; return the query of these groups."""
        self._run("merged", keys=keys.columns, sources=_union(sources or [Condition(_SQL["nothing"], {})]), where=where)
        return Condition("FROM merged", {})

    def add_up_delays(self, keys: Keys, page: Sequence[date] | None = None) -> pa.Table:
        """
        Find the median and the 95th percentile of the delays of groups.

        Args:
            keys: What the groups are made by.
            page: Only those of the table `page`; the days or months in it when the groups keep them, else empty.

        Returns: The keys' columns, median and high (smallint: the buckets of the two). Groups without a delivered
            message are left out.
        """
        self._number_ids(keys)
        parts = self._daily if keys.span == "day" else self._cover(by_day=False)
        queries = self._delays(keys, keys.span, parts.days if keys.span == "day" else parts.months, page or ())
        if keys.span == "month":
            queries += self._delays(keys, "day", parts.days)
        if self._has_recent:
            sql = _SQL[f"recent_delays_of_{keys.grain}"].format(span=_span_of_day(keys.span))
            queries.append(Condition(sql, {}))
        if not queries:
            return pa.table({name: pa.nulls(0) for name in (*keys.names, "median", "high")})
        sources = _union(queries)
        names = {
            "keys": keys.columns,
            "names": "".join(f"{name}, " for name in keys.names),
            "sources": sources.sql,
            "only": "" if page is None else f"SEMI JOIN page ON {_is_on_page(keys)}",
            "by": f"PARTITION BY {', '.join(keys.names)}" if keys.names else "",
        }
        return fetch(self._cursor, _SQL["quantiles"].format(**names), {**sources.values, **_SHARES})

    def _delays(self, keys: Keys, span: str, spans: Sequence[DaySpan], times: Sequence[date] = ()) -> list[Condition]:
        if not spans:
            return []
        within = self._within(span, spans)
        among = _among(span, times) if times else Condition("true", {})
        time = span if span == keys.span else _span_of_day(keys.span)
        names = {"table": f"{keys.grain}_delay_{span}s", "span": time, "within": f"{within.sql} AND {among.sql}"}
        return [Condition(_SQL["delays"].format(**names), {**within.values, **among.values})]

    def _within(self, span: str, spans: Sequence[DaySpan]) -> Condition:
        """Return the condition of a rollup's rows: of the calendar, in one of *spans*."""
        terms = []
        values: dict[str, object] = {"calendar": self._calendar}
        for number, part in enumerate(spans):
            first, end = f"{span}_{number}", f"{span}_{number}_end"
            terms.append(f"{span} >= ${first}::DATE AND {span} < ${end}::DATE")
            values |= {first: part.first, end: part.end}
        return Condition(f"calendar = $calendar AND ({' OR '.join(terms) or 'false'})", values)

    def _run(self, block: str, **parts: str | Condition) -> None:
        """Run a statement with its parts filled in."""
        values: dict[str, object] = {}
        for part in parts.values():
            values |= part.values if isinstance(part, Condition) else {}
        filled = {name: part.sql if isinstance(part, Condition) else part for name, part in parts.items()}
        self._cursor.execute(_SQL[block].format(**filled), values)


def _union(queries: Sequence[Condition]) -> Condition:
    values: dict[str, object] = {}
    for query in queries:
        values |= query.values
    return Condition(" UNION ALL ".join(f"({query.sql})" for query in queries), values)


def _span_of_day(span: str) -> str:
    return "date_trunc('month', day)::DATE" if span == "month" else "day"


def _is_on_page(keys: Keys) -> str:
    time = "delays.time" if keys.keeps_rows else "year(delays.time)"
    ours = {"time": time, "group_no": "groups.group_no", "price_eur_cents": "groups.price_eur_cents"}
    return " AND ".join(f"page.{name} = {ours[name]}" for name in keys.names) or "true"


def _among(span: str, times: Sequence[date]) -> Condition:
    """Return the condition of a few days or months, in a form that leaves out what is stored of others."""
    values: dict[str, object] = {f"{span}_among_{number}": time for number, time in enumerate(sorted(set(times)))}
    return Condition(f"{span} IN ({', '.join(f'${name}::DATE' for name in values)})" if values else "false", values)


def _within_periods(column: str, periods: Iterable[Period], prefix: str) -> Condition:
    terms = []
    values: dict[str, object] = {}
    for number, period in enumerate(periods):
        start, end = f"{prefix}_{number}", f"{prefix}_{number}_end"
        terms.append(f"{column} >= ${start}::TIMESTAMP AND {column} < ${end}::TIMESTAMP")
        values |= {start: period.start, end: period.end}
    return Condition(f"({' OR '.join(terms) or 'false'})", values)
