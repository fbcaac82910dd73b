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
from core.history.rollups.reach import Ints, Numbers, Routes, Series
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
    cursor.execute(_SQL["logged"])
    return _read(cursor, numbers)


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
        cursor.execute(sql, {**within.values, **offset.values, **accounts.values})
        found = _read(cursor, numbers)
        numbers = found.numbers
        days = {"day": found.rows["moment"] // _DAY_S, **{name: found.rows[name] for name in _COUNTED}}
        rows = {name: np.concatenate([rows[name], days[name]]) for name in rows}
    return Recent(rows, numbers.routes, numbers.series)


def _read(cursor: Cursor, known: Numbers) -> Log:
    """Read what the temporary table holds, which goes; routes and series that have no number yet get one."""
    table = known.table
    cursor.register("known_routes", table)
    unknown = fetch(cursor, _SQL["unknown_routes"], {"last": len(known.routes.codes["account"]) - 1})
    if unknown.num_rows:
        table = pa.concat_tables([table, unknown.cast(table.schema)])
    cursor.register("all_routes", table)
    rows = cursor.execute(_SQL["read_recent"]).fetchnumpy()
    cursor.execute(_SQL["drop_recent"])
    routes = Routes.of(table) if unknown.num_rows else known.routes
    series, numbers = _number_series(rows, known.series)
    return Log({**rows, "series": numbers}, Numbers(table, routes, series))


def _number_series(rows: Mapping[str, Ints], known: Series) -> tuple[Series, Ints]:
    """Give every route and price of *rows* a series' number of its own, behind those that are known."""
    pairs = np.stack([rows["route_id"].astype(np.int64), rows["price"]])
    found, place = np.unique(pairs, axis=1, return_inverse=True)
    series = Series(np.append(known.route, found[0]), np.append(known.price, found[1]))
    return series, len(known.route) + place.ravel()


def _logged(rows: Mapping[str, Ints], whole: Sequence[Period], offsets: Sequence[OffsetSpan]) -> dict[str, Ints]:
    """Return the rows within *whole*, by local day."""
    moments = rows["moment"]
    kept = np.zeros(len(moments), bool)
    for period in whole:
        kept |= (moments >= period.start.timestamp()) & (moments < period.end.timestamp())
    since = np.array([span.since.timestamp() for span in offsets[1:]])
    offset_s = np.array([span.offset.total_seconds() for span in offsets], np.int64)
    local = moments[kept] + offset_s[np.searchsorted(since, moments[kept], side="right")]
    return {"day": local // _DAY_S, **{name: rows[name][kept] for name in _COUNTED}}


def _within_periods(periods: Iterable[Period]) -> Condition:
    terms = []
    values: dict[str, object] = {}
    for number, period in enumerate(periods):
        start, end = f"edge_{number}", f"edge_{number}_end"
        terms.append(f"sent_at >= ${start}::TIMESTAMP AND sent_at < ${end}::TIMESTAMP")
        values |= {start: period.start, end: period.end}
    return Condition(f"({' OR '.join(terms) or 'false'})", values)
