"""How fast statistics answer over a year: the whole answer of the service, against the page alone elsewhere."""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import traffic
from benchmarks.rivals import Rivals, add_options
from core.domain.reports.statistics import GroupBy, Measure, Sorting
from core.domain.times.periods import list_offsets
from core.history.sql.filters import offset_at
from core.services.reports.reporting import StatisticsRequest

__all__ = ["add_options", "run"]

_QUESTIONS = (
    (GroupBy.DAY,),
    (GroupBy.MONTH,),
    (GroupBy.COUNTRY,),
    (GroupBy.DAY, GroupBy.COUNTRY),
    (GroupBy.MONTH, GroupBy.ACCOUNT, GroupBy.NETWORK),
    (GroupBy.DAY, GroupBy.ACCOUNT, GroupBy.NETWORK),
    (GroupBy.DAY, GroupBy.NETWORK, GroupBy.PRICE),
    tuple(GroupBy),
)
# The groups in DuckDB's SQL; {local} is the time in the viewer's zone.
_COLUMNS = {
    GroupBy.YEAR: "year({local})",
    GroupBy.MONTH: "date_trunc('month', {local})",
    GroupBy.DAY: "({local})::DATE",
    GroupBy.ACCOUNT: "account",
    GroupBy.COUNTRY: "country",
    GroupBy.NETWORK: "network",
    GroupBy.NETWORK_CODE: "mccmnc",
    GroupBy.PRICE: "price_eur_cents",
}


def run(options: argparse.Namespace) -> int:
    """Ask every question; 1 when an answer's totals are not those of the messages."""
    rivals = Rivals.open(options)
    try:
        wrong = [groups for groups in _QUESTIONS if not _compare(rivals, groups)]
    finally:
        rivals.close()
    for groups in wrong:
        print(f"the totals by {', '.join(groups)} are not those of the messages", file=sys.stderr)
    return 1 if wrong else 0


def _compare(rivals: Rivals, groups: tuple[GroupBy, ...]) -> bool:
    """Print the cases of a question; return whether all messages were counted."""
    request = StatisticsRequest(rivals.made.period, groups, sorting=Sorting(Measure.SENT, descending=True), size=15)
    ask = partial(rivals.app.reports.reporting.statistics, rivals.viewer, request)
    rivals.compare(f"statistics: by {', '.join(groups).lower()}", ask, _others(rivals, groups))
    with rivals.app.lake.read() as cursor:
        counted = cursor.execute("SELECT count(*) FROM lake.messages").fetchone()
    return bool(ask().totals["sent"].to_pylist() == list(counted or ()))


def _others(rivals: Rivals, groups: tuple[GroupBy, ...]) -> Iterator[tuple[str, Callable[[], object]]]:
    if rivals.native is None:
        return
    sql, values = _page_of_groups(rivals.made, groups)
    yield "the messages in the lake", partial(rivals.made.ask_lake, rivals.app.lake, sql, values)
    yield "the messages in a DuckDB file", partial(rivals.native.ask, sql, values)
    if rivals.clickhouse is not None:
        yield "ClickHouse's raw table", partial(rivals.clickhouse.ask_raw, groups)
        yield "ClickHouse's rollup", partial(rivals.clickhouse.ask_rollup, groups)


def _page_of_groups(made: traffic.Traffic, groups: tuple[GroupBy, ...]) -> tuple[str, dict[str, object]]:
    """Return the SQL that counts the page of groups from the messages, without totals, chart and delays."""
    offset = offset_at(list_offsets(made.period, traffic.TIME_ZONE))
    columns = ", ".join(_COLUMNS[group].format(local=f"sent_at + {offset.sql}") for group in groups)
    sql = f"""
        SELECT {columns}, count(*) AS sent, count(*) FILTER (delivery_status = 'Delivered') AS delivered,
            count(*) FILTER (delivery_status = 'Undelivered') AS undelivered, sum(price_eur_cents) AS cost
        FROM {{messages}} GROUP BY ALL ORDER BY sent DESC LIMIT 15
    """
    return sql, dict(offset.values) if "$offset" in columns else {}
