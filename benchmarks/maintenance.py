"""
What many small appends do to the questions, and what maintenance does about it.

The history is that of `benchmarks.traffic` over sixty days, copied so that it can be spoilt. Then come some days of
small appends. What is done in full: each of them is an insert of its own into the month it belongs to, which leaves a
Parquet file of its own. What is not: a hundred inserts share a commit and its entry in the rollups' log, so that there
are fewer snapshots; they carry no tags and get no receipts; and by default there are a hundred a day instead
of ten thousand (which takes hours; `--append-days 1 --appends-a-day 10000` is what a night finds). Some real ones go
through `MessageStore.append_batch`, before and during maintenance, for their latency.

Maintenance runs over all of it in one go, as it would on the first night, instead of thirty times: the files end up
alike, and its steps are at least as long. Nothing is old enough to be deleted.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import uuid_utils

from benchmarks import traffic
from benchmarks.report import Case, percentile, repeated
from core.bootstrap import App
from core.domain.people.permissions import Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period
from core.history.engine.door import Cursor
from core.history.lake.schema import MESSAGE_SCHEMA, UNSENT_SCHEMA
from core.history.messages.message_store import MessageStore
from core.history.rollups.rollups import Rollups, record_inserted
from core.history.sql.statements import parse_statements
from core.services.reports.reporting import StatisticsRequest
from core.services.upkeep.maintaining import Maintained

NAME = "maintenance"
HISTORY_DAYS, APPEND_DAYS = 60, 30
# Messages of one append: more than DuckLake keeps in its catalog, so that there is a file.
ROWS = 12
_RUNS = 5
_COMMIT = 100
_HIGH_PCT = 95
_PAUSE_S = 0.1
_SQL = parse_statements(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=2_000_000, help="messages of the history")
    parser.add_argument("--appends-a-day", type=int, default=100)
    parser.add_argument("--append-days", type=int, default=APPEND_DAYS)
    parser.add_argument("--latency-samples", type=int, default=40, help="real appends before maintenance")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "heliograph-benchmarks")


def run(options: argparse.Namespace) -> int:
    """Ask on the clean, the spoilt and the maintained lake; 1 when an answer differs from what was appended."""
    made = traffic.prepare(options.folder, options.rows, HISTORY_DAYS)
    with tempfile.TemporaryDirectory(prefix="heliograph-maintenance-") as folder:
        place = Path(folder) / "data"
        shutil.copytree(made.settings.data_dir, place)
        made = replace(made, settings=replace(made.settings, data_dir=place))
        app, viewer = made.open()
        try:
            return _Comparison(app, viewer, made, options).run()
        finally:
            app.close()


@dataclass
class _Comparison:
    app: App
    viewer: Viewer
    made: traffic.Traffic
    options: argparse.Namespace
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = self.made.rows

    def run(self) -> int:
        clean = self._ask("clean lake", {})
        count = self.options.appends_a_day * self.options.append_days
        self._spoil(count)
        alone = [self._append() for _ in range(self.options.latency_samples)]
        spoilt = self._ask(f"after {count} appends, against the clean lake", clean)
        before = self._sums()
        with self._appending() as beside:
            did = self.app.upkeep.maintaining.maintain(self.viewer, datetime.now(UTC), everything=True)
        self._report(did, alone, beside)
        # What came meanwhile is small again, as after every night.
        Rollups(self.app.lake).fold()
        maintained = self._ask("after maintenance, against without", spoilt)
        for name, seconds in maintained.items():
            case = Case(NAME, f"{name}: after maintenance, against the clean lake", self.rows, seconds)
            case.baseline = clean[name]
            case.emit()
        return self._check(before, len(beside) * ROWS)

    def _questions(self) -> dict[str, Callable[[], object]]:
        reporting, viewer, everything = self.app.reports.reporting, self.viewer, self.made.period
        month = Period(everything.end - timedelta(days=APPEND_DAYS), everything.end)
        groups = (GroupBy.DAY, GroupBy.COUNTRY)
        query = MessageQuery(frozenset(), everything)
        newest = reporting.messages(viewer, query, 1, 15).table["message_id"].to_pylist()[-1]
        return {
            "statistics by day, country over 30 days": lambda: reporting.statistics(
                viewer, StatisticsRequest(month, groups, size=15)
            ),
            "statistics by day, country over all": lambda: reporting.statistics(
                viewer, StatisticsRequest(everything, groups, size=15)
            ),
            "first page of history": lambda: reporting.messages(viewer, query, 1, 15),
            "a message by id": lambda: reporting.messages(viewer, replace(query, message_id=newest), 1, 15),
            "dashboard": lambda: reporting.traffic(viewer, month),
        }

    def _ask(self, when: str, baseline: dict[str, float]) -> dict[str, float]:
        """Print a case per question with the median of its runs; return these."""
        found = {}
        for name, ask in self._questions().items():
            taken, peak_mib = repeated(ask, _RUNS)
            found[name] = statistics.median(taken)
            Case(NAME, f"{name}: {when}", self.rows, found[name], peak_mib, baseline.get(name)).emit()
        return found

    def _spoil(self, count: int) -> None:
        """Insert *count* times a few messages, copied from the history with ids of their own."""
        days = timedelta(days=self.options.append_days)
        start = self.made.period.end - days - timedelta(days=1)
        step = days / max(1, count)
        began = time.perf_counter()
        for first in range(0, count, _COMMIT):
            numbers = range(first, min(first + _COMMIT, count))

            def insert(cursor: Cursor, numbers: range = numbers) -> None:
                values = {"start": start, "step": step, "rows": ROWS, "first": numbers[0], "appends": len(numbers)}
                cursor.execute(_SQL["pick"], values)
                for number in numbers:
                    cursor.execute(_SQL["insert"], {"number": number})
                record_inserted(cursor, "appended")
                cursor.execute(_SQL["drop"])

            self.app.lake.write(insert)
        Rollups(self.app.lake).fold()
        self.rows += count * ROWS
        Case(NAME, f"{count} small appends, a hundred a commit", count * ROWS, time.perf_counter() - began).emit()

    def _append(self) -> float:
        """Append a few messages as a worker does; return the seconds it took."""
        now = datetime.now(UTC)
        columns = {
            "message_id": [str(uuid_utils.uuid7()) for _ in range(ROWS)],
            "sent_at": [self.made.period.end - timedelta(hours=1)] * ROWS,
            "account": [min(self.made.account_ids)] * ROWS,
            "delivered_at": [None] * ROWS,
            "price_eur_cents": [Decimal("7.5000")] * ROWS,
            "segment_count": [1] * ROWS,
            "unicode": [False] * ROWS,
            "delivery_status": ["Submitted"] * ROWS,
            "country": ["DE"] * ROWS,
        }
        columns |= {name: [""] * ROWS for name in MESSAGE_SCHEMA.names if name not in columns}
        table = pa.table({name: columns[name] for name in MESSAGE_SCHEMA.names}, schema=MESSAGE_SCHEMA)
        start = time.perf_counter()
        batch_id = str(uuid_utils.uuid7())
        MessageStore(self.app.lake).append_batch(batch_id, "", table, UNSENT_SCHEMA.empty_table(), now)
        self.rows += ROWS
        return time.perf_counter() - start

    @contextmanager
    def _appending(self) -> Iterator[list[float]]:
        """Append now and then while the block runs; the list has the seconds each took."""
        done, taken = threading.Event(), list[float]()

        def append() -> None:
            while not done.wait(_PAUSE_S):
                taken.append(self._append())

        thread = threading.Thread(target=append)
        thread.start()
        try:
            yield taken
        finally:
            done.set()
            thread.join()

    def _report(self, did: Maintained, alone: list[float], beside: list[float]) -> None:
        files = did.before["messages"].files, did.after["messages"].files
        Case(NAME, f"messages: {files[0]} files became {files[1]} in {did.steps} steps; the longest", self.rows).emit()
        Case(NAME, "the longest step, waiting for the lock included", files[0], did.longest_s).emit()
        for name, share in (("median", 50), (f"{_HIGH_PCT}th percentile", _HIGH_PCT)):
            case = Case(
                NAME, f"a real append beside maintenance: {name}, against alone", ROWS, percentile(beside, share)
            )
            case.baseline = percentile(alone, share)
            case.emit()

    def _sums(self) -> tuple[int, int, int]:
        """Return what statistics count, what the history counts, and how many ids there are."""
        sent = (
            self.app.reports.reporting.statistics(
                self.viewer, StatisticsRequest(self.made.period, (GroupBy.COUNTRY,), size=1)
            )
            .totals["sent"]
            .to_pylist()[0]
        )
        with self.app.lake.read() as cursor:
            rows, ids = cursor.execute(_SQL["count"]).fetchall()[0]
        return sent, rows, ids

    def _check(self, before: tuple[int, int, int], added: int) -> int:
        after = self._sums()
        wrong = [month for month, difference in Rollups(self.app.lake).verify() if difference]
        expected = tuple(count + added for count in before)
        if after != expected or after[1] != self.rows or len(set(after)) > 1 or wrong:
            print(f"counted {after} instead of {expected}, of {self.rows}; rollups differ in {wrong}", file=sys.stderr)
            return 1
        return 0
