"""Exported files hold what was meant: typed, as text where it is text, and on as many sheets as it takes."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.domain.reports.exports import ExportFormat
from core.files.exports.export_columns import Column, Kind, Layout
from core.files.exports.export_files import open_writer
from core.files.exports.export_xlsx import XlsxFile

LAYOUT = Layout(
    "Messages",
    (
        Column("Sent Date", "sent_at", Kind.MOMENT, 20),
        Column("Receiver", "receiver", Kind.TEXT, 18),
        Column("Price [EUR c]", "price", Kind.CENTS),
        Column("Sent", "sent", Kind.COUNT),
        Column("Rate", "rate", Kind.RATE),
        Column("DLR Time", "took_s", Kind.SECONDS),
        Column("Day", "day", Kind.DAY),
        Column("Month", "month", Kind.MONTH),
        Column("Unicode", "unicode", Kind.FLAG),
    ),
    (("Filters", "Country: Germany"), ("Created by", "Ada <ada@example.com> & Co")),
)
SENT = datetime(2026, 7, 1, 22, 30, 15, 123_456, tzinfo=UTC)


def rows(*receivers: str | None) -> pa.Table:
    count = len(receivers)
    return pa.table(
        {
            "sent_at": pa.array([SENT] * count, pa.timestamp("us", tz="Europe/Berlin")),
            "receiver": pa.array(receivers, pa.string()),
            "price": pa.array([Decimal("7.5000")] * count, pa.decimal128(12, 4)),
            "sent": pa.array([1_234_567] * count, pa.int64()),
            "rate": pa.array([0.925] * count),
            "took_s": pa.array([None] * count, pa.float64()),
            "day": pa.array([date(2026, 7, 2)] * count),
            "month": pa.array([date(2026, 7, 1)] * count),
            "unicode": pa.array([True] * count),
        }
    )


def write(path: Path, kind: ExportFormat, *tables: pa.Table) -> Path:
    with open_writer(path, kind, LAYOUT) as writer:
        for table in tables:
            writer.write(table)
    return path


def sheet_rows(path: Path, sheet: int = 0) -> list[tuple[Any, ...]]:
    workbook = openpyxl.load_workbook(path)
    return [tuple(cell.value for cell in row) for row in workbook.worksheets[sheet].iter_rows()]


def test_a_workbook_has_typed_cells(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", ExportFormat.XLSX, rows("+491796548754"))
    sheet = openpyxl.load_workbook(path).worksheets[0]
    header, found = list(sheet.iter_rows())
    assert [cell.value for cell in header] == [column.label for column in LAYOUT.columns]
    assert [cell.value for cell in found] == [
        datetime(2026, 7, 2, 0, 30, 15, 123_000),
        "+491796548754",
        7.5,
        1_234_567,
        0.925,
        None,
        datetime(2026, 7, 2),
        datetime(2026, 7, 1),
        "Yes",
    ]
    assert [cell.number_format for cell in found][:5] == [
        "dd/mm/yyyy hh:mm:ss",
        "General",
        "#,##0.00##",
        "#,##0",
        "0.0%",
    ]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.title) == ("A2", "A1:I2", "Messages")
    assert sheet.column_dimensions["A"].width == 20
    assert header[0].font.b


def test_the_last_sheet_says_what_the_file_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", ExportFormat.XLSX, rows("x"))
    assert openpyxl.load_workbook(path).sheetnames == ["Messages", "About this file"]
    assert sheet_rows(path, 1) == [tuple(note) for note in LAYOUT.notes]


def test_more_rows_than_a_sheet_holds_go_on_on_further_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with XlsxFile(path, LAYOUT, max_rows=4) as writer:
        writer.write(rows("1", "2"))
        writer.write(rows("3", "4", "5", "6", "7"))
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == ["Messages", "Messages 2", "Messages 3", "About this file"]
    found = [[row[1] for row in sheet_rows(path, number)] for number in range(3)]
    assert found == [["Receiver", "1", "2", "3"], ["Receiver", "4", "5", "6"], ["Receiver", "7"]]
    assert workbook.worksheets[2].freeze_panes == "A2"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("007", "007"),
        ("a <b> & \"c\" 'd'", "a <b> & \"c\" 'd'"),
        ("  spaces  ", "  spaces  "),
        ("two\nlines", "two\nlines"),
        ("bell\x07 and \x00", "bell and "),
        # Excel reads the escape away again; openpyxl shows it as it is written.
        ("_x0041_", "_x005F_x0041_"),
        ("_x000D_x000D_", "_x005F_x000D_x005F_x000D_"),
        ("_x005F_x000D_", "_x005F_x005F_x005F_x000D_"),
        ("Grüße 😀", "Grüße 😀"),
        ("", None),
        ("x" * 40_000, "x" * 32_767),
    ],
)
def test_text_in_a_workbook_stays_text(tmp_path: Path, text: str, kept: str | None) -> None:
    path = write(tmp_path / "a.xlsx", ExportFormat.XLSX, rows(text))
    cell = openpyxl.load_workbook(path).worksheets[0]["B2"]
    assert (cell.value or None, cell.data_type in {"s", "inlineStr", "n"}) == (kept, True)
    assert cell.data_type != "f"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("@sum", "'@sum"),
        ("-1+cmd", "'-1+cmd"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM", "'\uff20SUM"),
        ("\n=1+1", "'\n=1+1"),
        ("+491796548754", "+491796548754"),
        ("-1.5", "-1.5"),
        ('a, "b"', 'a, "b"'),
        ("two\nlines", "two\nlines"),
    ],
)
def test_no_text_in_a_csv_file_is_a_formula(tmp_path: Path, text: str, kept: str) -> None:
    path = write(tmp_path / "a.csv", ExportFormat.CSV, rows(text))
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, found = list(csv.reader(file))
    assert header == [column.label for column in LAYOUT.columns]
    assert found == ["2026-07-02 00:30:15.123", kept, "7.5000", "1234567", "0.925", "", "2026-07-02", "2026-07", "Yes"]


def test_a_parquet_file_keeps_types_zone_and_notes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ExportFormat.PARQUET, rows("=1"), rows("2"))
    table = parquet.read_table(path)
    assert table["Receiver"].to_pylist() == ["=1", "2"]
    assert table.schema.field("Sent Date").type == pa.timestamp("us", tz="Europe/Berlin")
    assert table["Sent Date"].to_pylist()[0] == SENT
    assert table.schema.metadata[b"Filters"] == b"Country: Germany"


@pytest.mark.parametrize("kind", ExportFormat)
def test_a_file_without_rows_still_has_its_columns(tmp_path: Path, kind: ExportFormat) -> None:
    path = write(tmp_path / "a", kind)
    labels = [column.label for column in LAYOUT.columns]
    if kind is ExportFormat.PARQUET:
        assert parquet.read_table(path).column_names == labels
    elif kind is ExportFormat.CSV:
        assert next(csv.reader(path.read_text("utf-8-sig").splitlines())) == labels
    else:
        path = path.rename(path.with_suffix(".xlsx"))
        assert sheet_rows(path) == [tuple(labels)]
