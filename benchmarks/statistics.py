"""How fast statistics answer over a year, against the same question to the messages and to ClickHouse."""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import clickhouse, traffic
from benchmarks.report import Case, repeated
from core.bootstrap import App
from core.domain.periods import list_offsets
from core.domain.permissions import Viewer
from core.domain.statistics import GroupBy, Measure, Sorting
from core.history.filters import offset_at
from core.services.reporting import StatisticsRequest

_RUNS, _SLOW_RUNS = 10, 3
_HIGH_PCT = 95
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "heliograph-benchmarks")
    parser.add_argument("--clickhouse", action="store_true", help="compare with ClickHouse; needs pip install chdb")


def run(options: argparse.Namespace) -> int:
    """Ask every question; 1 when an answer's totals are not those of the messages."""
    made = traffic.prepare(options.folder, options.rows)
    app, viewer = made.open()
    others: dict[str, Callable[[tuple[GroupBy, ...]], object]] = {
        "the messages in the lake": lambda groups: _ask_messages(app, made, groups)
    }
    if options.clickhouse:
        store = clickhouse.prepare(options.folder / f"clickhouse-{options.rows}", made)
        others["ClickHouse's raw table"] = store.ask_raw
        others["ClickHouse's rollup"] = store.ask_rollup
    try:
        wrong = [groups for groups in _QUESTIONS if not _compare(app, viewer, made, groups, others)]
    finally:
        app.close()
    for groups in wrong:
        print(f"the totals by {', '.join(groups)} are not those of the messages", file=sys.stderr)
    return 1 if wrong else 0


def _compare(
    app: App,
    viewer: Viewer,
    made: traffic.Traffic,
    groups: tuple[GroupBy, ...],
    others: dict[str, Callable[[tuple[GroupBy, ...]], object]],
) -> bool:
    """Print a case for the median of each comparison and one for our slow end; return whether all was counted."""
    request = StatisticsRequest(made.period, groups, sorting=Sorting(Measure.SENT, descending=True), size=15)
    name = f"by {', '.join(groups).lower()}"
    taken, peak_mib = repeated(lambda: app.reporting.statistics(viewer, request), _RUNS)
    for other, ask in others.items():
        theirs, _ = repeated(partial(ask, groups), _SLOW_RUNS)
        case = Case("statistics", f"{name}: median, against {other}", made.rows, statistics.median(taken), peak_mib)
        case.baseline = statistics.median(theirs)
        case.emit()
    slow = statistics.quantiles(taken, n=100, method="inclusive")[_HIGH_PCT - 1]
    Case("statistics", f"{name}: 95th percentile", made.rows, slow, peak_mib).emit()
    with app.lake.read() as cursor:
        counted = cursor.execute("SELECT count(*) FROM lake.messages").fetchone()
    return app.reporting.statistics(viewer, request).totals["sent"].to_pylist() == list(counted or ())


def _ask_messages(app: App, made: traffic.Traffic, groups: tuple[GroupBy, ...]) -> object:
    """Count the page of groups from the messages, without totals, chart and delays."""
    offset = offset_at(list_offsets(made.period, traffic.TIME_ZONE))
    columns = ", ".join(_COLUMNS[group].format(local=f"sent_at + {offset.sql}") for group in groups)
    values = offset.values if "$offset" in columns else {}
    with app.lake.read() as cursor:
        return cursor.execute(
            f"""
            SELECT {columns}, count(*) AS sent, count(*) FILTER (delivery_status = 'Delivered') AS delivered,
                count(*) FILTER (delivery_status = 'Undelivered') AS undelivered, sum(price_eur_cents) AS cost
            FROM lake.messages GROUP BY ALL ORDER BY sent DESC LIMIT 15
            """,
            dict(values),
        ).fetchall()
