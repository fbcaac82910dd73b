"""What the same questions are asked of, besides Heliograph: the messages in the lake, a DuckDB file, ClickHouse."""

import argparse
import importlib.util
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks import clickhouse, native, traffic
from benchmarks.report import Case, percentile, repeated
from core.bootstrap import App
from core.domain.people.permissions import Viewer

RUNS, _SLOW_RUNS = 10, 3
_HIGH_PCT = 95


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=traffic.DAYS, help="over how many days they were sent")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "heliograph-benchmarks")
    parser.add_argument("--alone", action="store_true", help="compare with nothing; only Heliograph answers")


@dataclass
class Rivals:
    """The generated traffic, opened by each of them; ClickHouse only where chdb is installed."""

    made: traffic.Traffic
    app: App
    viewer: Viewer
    native: native.NativeFile | None
    clickhouse: clickhouse.ClickHouse | None

    @classmethod
    def open(cls, options: argparse.Namespace, *, is_searched: bool = False) -> Self:
        """Generate what is missing, the index of numbers too where they are *searched*, and open everything."""
        made = traffic.prepare(options.folder, options.rows, options.days, is_searched=is_searched)
        app, viewer = made.open()
        if options.alone:
            return cls(made, app, viewer, None, None)
        file = native.prepare(options.folder / f"native-{made.name}.duckdb", made)
        store = None
        if importlib.util.find_spec("chdb"):
            store = clickhouse.prepare(options.folder / f"clickhouse-{made.name}", made)
        else:
            print("ClickHouse is compared through chdb: pip install chdb", file=sys.stderr)
        return cls(made, app, viewer, file, store)

    def close(self) -> None:
        """Close what was opened."""
        self.app.close()
        if self.native is not None:
            self.native.close()

    def compare(self, case: str, ask: Callable[[], object], others: Iterable[tuple[str, Callable[[], object]]]) -> None:
        """Print a line for the median against each of the others, or against nothing, and one for our slow end."""
        name, _, what = case.partition(": ")
        taken, peak_mib = repeated(ask, RUNS)
        median = statistics.median(taken)
        rivals = list(others)
        if not rivals:
            Case(name, f"{what}: median", self.made.rows, median, peak_mib).emit()
        for rival, ask_rival in rivals:
            theirs, _ = repeated(ask_rival, _SLOW_RUNS)
            baseline = statistics.median(theirs)
            Case(name, f"{what}: median, against {rival}", self.made.rows, median, peak_mib, baseline).emit()
        slow = percentile(taken, _HIGH_PCT)
        Case(name, f"{what}: 95th percentile", self.made.rows, slow, peak_mib).emit()
