"""What was sent in each hour: the messages counted once for everybody and each folding, what is logged since on top."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from core.domain.times.periods import Period, list_offsets
from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.lake.snapshots import Shared
from core.history.rollups.reach import Ints
from core.history.rollups.recent import Log, local_seconds, within
from core.history.sql.filters import Condition, during, offset_at
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/hours.sql")
_HOUR_S = 3_600
# Each folding counts there how often it has patched a month.
_FOLDING = frozenset({"rollup_months"})


@dataclass(frozen=True)
class Hours:
    """
    Counts by account and hour, each of them once or in several rows.

    *of* has the place of each row's account among *account_ids*, *hour* its beginning in seconds since 1970-01-01.
    """

    account_ids: Sequence[str]
    of: Ints
    hour: Ints
    sent: Ints

    def add_up(self, account_ids: Container[str]) -> dict[datetime, int]:
        """Return what these accounts sent by the hour's beginning (UTC)."""
        wanted = np.array([account_id in account_ids for account_id in self.account_ids], bool)
        kept = wanted[self.of]
        hours, place = np.unique(self.hour[kept], return_inverse=True)
        sums = np.zeros(len(hours), np.int64)
        np.add.at(sums, place.ravel(), self.sent[kept])
        return {
            datetime.fromtimestamp(hour, UTC): count for hour, count in zip(hours.tolist(), sums.tolist(), strict=True)
        }


def count_hours(cursor: Cursor, where: Condition, period: Period, time_zone: str) -> Hours:
    """Count the messages of a condition within *period* one by one; hours are those of *time_zone*."""
    offset = offset_at(list_offsets(period, time_zone))
    sql = _SQL["sent_by_hour"].format(offset=offset.sql, where=where.sql)
    found = fetch(cursor, sql, {**where.values, **offset.values})
    encoded = found["account"].combine_chunks().dictionary_encode()
    return Hours(
        encoded.dictionary.to_pylist(), encoded.indices.to_numpy(), found["hour"].to_numpy(), found["sent"].to_numpy()
    )


def find_hours(
    cursor: Cursor, shared: Shared, log: Log, period: Period, time_zone: str, *, is_covered: bool
) -> tuple[Hours, ...]:
    """
    Return everybody's hours of a period of few days, to be added up.

    Args:
        cursor: Of the snapshot of *shared* and *log*.
        shared: What was read before.
        log: What no rollup has yet.
        period: Of a few days.
        time_zone: Whose hours.
        is_covered: Whether rollups and log together have all messages of the period: then those that are no more in
            the log stay the same until it is folded again.
    """
    if not is_covered:
        count = partial(count_hours, cursor, during(period), period, time_zone)
        return (shared(("hours", period, time_zone), {"messages"}, count),)
    logged = _logged(log, period, time_zone)

    def count_folded() -> Hours:
        return _without(count_hours(cursor, during(period), period, time_zone), logged)

    return shared(("folded hours", period, time_zone), _FOLDING, count_folded), logged


def _logged(log: Log, period: Period, time_zone: str) -> Hours:
    kept = within(log.rows["moment"], [period])
    moments, routes = log.rows["moment"][kept], log.numbers.routes
    local = local_seconds(moments, list_offsets(period, time_zone))
    return Hours(
        routes.values["account"],
        routes.codes["account"][log.rows["route_id"][kept]],
        local // _HOUR_S * _HOUR_S - (local - moments),
        log.rows["sent"][kept],
    )


def _without(counted: Hours, logged: Hours) -> Hours:
    """Return *counted* with what is *logged* taken away."""
    of = np.concatenate([counted.of, len(counted.account_ids) + logged.of])
    hour, sent = np.concatenate([counted.hour, logged.hour]), np.concatenate([counted.sent, -logged.sent])
    return Hours([*counted.account_ids, *logged.account_ids], of, hour, sent)
