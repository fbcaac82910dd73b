"""What the rollups do not know of a question's time: logged changes over the days they cover, messages of the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from core.domain.times.periods import OffsetSpan, Period
from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.rollups.calendars import Cover
from core.history.rollups.delays import find_places
from core.history.rollups.reach import ROUTE_COLUMNS, Ints, Numbers, Routes, Series
from core.history.rollups.rollups import BUCKET
from core.history.sql.filters import Condition, offset_at
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/recent.sql")

_COUNTED = ("route_id", "price", "bucket", "sent", "delivered", "undelivered", "series")
_DAY_S = timedelta(days=1) // timedelta(seconds=1)


@dataclass(frozen=True)
class Log:
    """
    The changes that no rollup has yet, everybody's.

    *rows* has a value each for moment (of the slot, in seconds since 1970-01-01), route_id, price, bucket, sent,
    delivered, undelivered, series. *numbers* are those of the rollups, and behind them those that only the rows have.
    """

    rows: Mapping[str, Ints]
    numbers: Numbers


@dataclass(frozen=True)
class Recent:
    """The same for one question, with the local *day* (since 1970-01-01) in place of the moment."""

    rows: Mapping[str, Ints]
    routes: Routes
    series: Series


def read_log(cursor: Cursor, numbers: Numbers) -> Log:
    """Read the log of the cursor's snapshot, in which *numbers* are those of the rollups."""
    return _numbered(fetch(cursor, _SQL["logged"]), numbers)


def read_recent(cursor: Cursor, log: Log, accounts: Condition, covered: Cover, offsets: Sequence[OffsetSpan]) -> Recent:
    """
    Put together what the rollups do not know, in the cursor's snapshot.

    Args:
        cursor: Of the snapshot of *log*.
        log: Of which only the times in *covered* count. Its rows stay everybody's, as the rollups' are.
        accounts: Whose messages are asked for where there are no rollups.
        covered: Which days the rollups have, and which times at the edges they do not.
        offsets: Of the question's time zone, over its period.
    """
    rows, numbers = _logged(log.rows, covered.whole, offsets), log.numbers
    if covered.edges:
        within, offset = _within_periods(covered.edges), offset_at(offsets)
        sql = _SQL["messages"].format(within=within.sql, offset=offset.sql, accounts=accounts.sql, bucket=BUCKET)
        found = _numbered(fetch(cursor, sql, {**within.values, **offset.values, **accounts.values}), numbers)
        numbers = found.numbers
        days = {"day": found.rows["moment"] // _DAY_S, **{name: found.rows[name] for name in _COUNTED}}
        rows = {name: np.concatenate([rows[name], days[name]]) for name in rows}
    return Recent(rows, numbers.routes, numbers.series)


def _numbered(found: pa.Table, known: Numbers) -> Log:
    """Put numbers for the routes and prices of what was *found*; those that have none yet get one."""
    rows = {name: found[name].to_numpy() for name in ("moment", "price", "bucket", "sent", "delivered", "undelivered")}
    table, route_ids = _number_routes(found.select(ROUTE_COLUMNS), known)
    routes = known.routes if table is known.table else Routes.of(table)
    series, series_ids = _number_series({**rows, "route_id": route_ids}, known.series)
    return Log({**rows, "route_id": route_ids, "series": series_ids}, Numbers(table, routes, series))


def _number_routes(wanted: pa.Table, known: Numbers) -> tuple[pa.Table, Ints]:
    """Return the known routes, behind them those that only *wanted* has, and the number of each of its rows."""
    numbers = known.table["route_id"].to_numpy()
    mixed, mixed_known = np.zeros(wanted.num_rows, np.int64), np.zeros(len(numbers), np.int64)
    for column in ROUTE_COLUMNS:
        places = {value: place for place, value in enumerate(known.routes.values[column])}
        encoded = wanted[column].combine_chunks().dictionary_encode()
        place_of = np.array([places.setdefault(value, len(places)) for value in encoded.dictionary.to_pylist()], int)
        mixed = mixed * len(places) + place_of[encoded.indices.to_numpy()]
        mixed_known = mixed_known * len(places) + known.routes.codes[column][numbers]
    order = np.argsort(mixed_known)
    at = find_places(mixed_known[order], mixed)
    route_ids = np.full(len(mixed), -1, np.int64)
    route_ids[at >= 0] = numbers[order][at[at >= 0]]
    new = np.flatnonzero(at < 0)
    if not len(new):
        return known.table, route_ids
    _, first, of_new = np.unique(mixed[new], return_index=True, return_inverse=True)
    last = len(known.routes.codes["account"])
    route_ids[new] = last + of_new.ravel()
    added = wanted.take(new[first]).add_column(0, "route_id", pa.array(range(last, last + len(first)), pa.int32()))
    return pa.concat_tables([known.table, added.cast(known.table.schema)]), route_ids


def _number_series(rows: Mapping[str, Ints], known: Series) -> tuple[Series, Ints]:
    """Give every route and price of *rows* a series' number of its own, behind those that are known."""
    pairs = np.stack([rows["route_id"].astype(np.int64), rows["price"]])
    found, place = np.unique(pairs, axis=1, return_inverse=True)
    series = Series(np.append(known.route, found[0]), np.append(known.price, found[1]))
    return series, len(known.route) + place.ravel()


def _logged(rows: Mapping[str, Ints], whole: Sequence[Period], offsets: Sequence[OffsetSpan]) -> dict[str, Ints]:
    """Return the rows within *whole*, by local day."""
    kept = within(rows["moment"], whole)
    days = local_seconds(rows["moment"][kept], offsets) // _DAY_S
    return {"day": days, **{name: rows[name][kept] for name in _COUNTED}}


def within(moments: Ints, periods: Iterable[Period]) -> Ints:
    """Return which moments (seconds since 1970-01-01) lie in one of the periods."""
    found = np.zeros(len(moments), bool)
    for period in periods:
        found |= (moments >= period.start.timestamp()) & (moments < period.end.timestamp())
    return found


def local_seconds(moments: Ints, offsets: Sequence[OffsetSpan]) -> Ints:
    """Return what clocks show at these moments, as seconds too."""
    since = np.array([span.since.timestamp() for span in offsets[1:]])
    offset_s = np.array([span.offset.total_seconds() for span in offsets], np.int64)
    return np.asarray(moments + offset_s[np.searchsorted(since, moments, side="right")])


def _within_periods(periods: Iterable[Period]) -> Condition:
    terms = []
    values: dict[str, object] = {}
    for number, period in enumerate(periods):
        start, end = f"edge_{number}", f"edge_{number}_end"
        terms.append(f"sent_at >= ${start}::TIMESTAMP AND sent_at < ${end}::TIMESTAMP")
        values |= {start: period.start, end: period.end}
    return Condition(f"({' OR '.join(terms) or 'false'})", values)
