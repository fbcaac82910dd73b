"""What the rollups do not know of a question's time: logged changes over the days they cover, messages of the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.domain.times.periods import OffsetSpan, Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.rollups.calendars import Cover
from core.history.rollups.reach import Ints, Reach, Routes, Series
from core.history.rollups.rollups import BUCKET
from core.history.sql.filters import Condition, offset_at
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/recent.sql")


@dataclass(frozen=True)
class Recent:
    """
    *rows* has a value each for day (since 1970-01-01), route_id, price, bucket, sent, delivered, undelivered, series.

    *routes* and *series* are those of the rollups and behind them those that only the rows have.
    """

    rows: Mapping[str, Ints]
    routes: Routes
    series: Series


def read_recent(
    cursor: Cursor, reach: Reach, accounts: Condition, covered: Cover, offsets: Sequence[OffsetSpan]
) -> Recent:
    """
    Read it, in the cursor's snapshot; the temporary tables it takes are the cursor's own.

    Args:
        cursor: Of the snapshot of *reach*.
        reach: How far the rollups go.
        accounts: Whose messages are asked for.
        covered: Which days the rollups have, and which times at the edges they do not.
        offsets: Of the question's time zone, over its period.
    """
    sources = []
    if covered.whole and reach.is_logged:
        sources.append(_source("logged", "slot", covered.whole, offsets, accounts))
    if covered.edges:
        sources.append(_source("messages", "sent_at", covered.edges, offsets, accounts))
    if not sources:
        return Recent(_nothing(), reach.routes, reach.series)
    values: dict[str, object] = {}
    for source in sources:
        values |= source.values
    cursor.execute(_SQL["recent"].format(sources=" UNION ALL ".join(f"({source.sql})" for source in sources)), values)
    routes = _number_routes(cursor, reach)
    rows = cursor.execute(_SQL["read_recent"]).fetchnumpy()
    return _number_series(rows, routes, reach.series)


def _source(
    block: str, column: str, periods: Sequence[Period], offsets: Sequence[OffsetSpan], accounts: Condition
) -> Condition:
    within, offset = _within_periods(column, periods, block), offset_at(offsets, column)
    sql = _SQL[block].format(within=within.sql, offset=offset.sql, accounts=accounts.sql, bucket=BUCKET)
    return Condition(sql, {**within.values, **offset.values, **accounts.values})


def _number_routes(cursor: Cursor, reach: Reach) -> Routes:
    """Give numbers to the routes that have none yet, for `read_recent` to read them by."""
    known = reach.route_table
    cursor.register("known_routes", known)
    unknown = fetch(cursor, _SQL["unknown_routes"], {"last": len(reach.routes.codes["account"]) - 1})
    if unknown.num_rows:
        known = pa.concat_tables([known, unknown.cast(known.schema)])
    cursor.register("all_routes", known)
    return Routes.of(known) if unknown.num_rows else reach.routes


def _number_series(rows: dict[str, Ints], routes: Routes, known: Series) -> Recent:
    """Give every route and price of *rows* a series' number of its own, behind those that are known."""
    pairs = np.stack([rows["route_id"].astype(np.int64), rows["price"]])
    found, place = np.unique(pairs, axis=1, return_inverse=True)
    series = Series(np.append(known.route, found[0]), np.append(known.price, found[1]))
    return Recent({**rows, "series": len(known.route) + place.ravel()}, routes, series)


def _nothing() -> dict[str, Ints]:
    names = ("day", "route_id", "price", "bucket", "sent", "delivered", "undelivered", "series")
    return {name: np.zeros(0, np.int64) for name in names}


def _within_periods(column: str, periods: Iterable[Period], prefix: str) -> Condition:
    terms = []
    values: dict[str, object] = {}
    for number, period in enumerate(periods):
        start, end = f"{prefix}_{number}", f"{prefix}_{number}_end"
        terms.append(f"{column} >= ${start}::TIMESTAMP AND {column} < ${end}::TIMESTAMP")
        values |= {start: period.start, end: period.end}
    return Condition(f"({' OR '.join(terms) or 'false'})", values)
