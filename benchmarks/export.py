"""How fast exports are written: a year's messages to Excel, CSV and Parquet, against openpyxl cell by cell."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl

from benchmarks import traffic
from benchmarks.report import Case, measured, stopwatch
from core.domain.reports.exports import ExportFormat
from core.domain.reports.message_query import MessageQuery
from core.files.exports.export_files import open_writer
from core.services.reports.export_contents import MESSAGE_COLUMNS, Contents, Sources, contents_of
from core.services.reports.export_requests import MessagesRequest

# openpyxl takes minutes for a million rows; its rate does not depend on how many there are.
_BASELINE_ROWS = 100_000
_LABELS = tuple(column.label for column in MESSAGE_COLUMNS)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "heliograph-benchmarks")


def run(options: argparse.Namespace) -> int:
    """Write each format once; 1 when a workbook does not hold all rows."""
    made = traffic.prepare(options.folder, options.rows)
    app, viewer = made.open()
    sources = Sources(app.reports.reporting, app.reports.auditing, app.reports.replies, app.suppressions.managing)
    request = MessagesRequest(MessageQuery(frozenset(), made.period), _LABELS)
    try:
        with tempfile.TemporaryDirectory(prefix="heliograph-export-") as folder:

            def ask() -> Contents:
                return contents_of(sources, viewer, request, datetime.now(UTC))

            baseline_s = _write_plainly(ask(), Path(folder) / "plain.xlsx") * options.rows / _BASELINE_ROWS
            for kind in ExportFormat:
                path = Path(folder) / f"export.{kind}"
                case = Case("export", f"{options.rows:,} messages to {kind}", options.rows)
                case.baseline = baseline_s if kind is ExportFormat.XLSX else None
                with measured(case):
                    _write(ask(), path, kind)
            return _check(Path(folder) / "export.xlsx", options.rows)
    finally:
        app.close()


def _write(contents: Contents, path: Path, kind: ExportFormat) -> None:
    with open_writer(path, kind, contents.layout) as writer:
        for table in contents.tables:
            writer.write(table)


def _write_plainly(contents: Contents, path: Path) -> float:
    """Return the seconds openpyxl takes for `_BASELINE_ROWS` rows, reading them included."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    with stopwatch() as taken:
        written = 0
        for table in contents.tables:
            columns = [table[column.source] for column in MESSAGE_COLUMNS]
            for row in zip(*(column.to_pylist() for column in columns), strict=True):
                sheet.append([value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row])
                written += 1
                if written == _BASELINE_ROWS:
                    break
            if written == _BASELINE_ROWS:
                break
        workbook.save(path)
    return taken[0] * _BASELINE_ROWS / written


def _check(path: Path, rows: int) -> int:
    workbook = openpyxl.load_workbook(path, read_only=True)
    found = sum(sheet.max_row - 1 for sheet in workbook.worksheets[:-1] if sheet.calculate_dimension(force=True))
    workbook.close()
    if found != rows:
        print(f"the workbook holds {found} rows of {rows}", file=sys.stderr)
        return 1
    return 0
