"""Blocks of text from CSV and Parquet: the same rows with the same numbers wherever blocks end."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.errors import InvalidFile
from core.files.imports.cdr import CdrKind, open_cdr
from core.files.tables.rejected import RejectedRows


def read(path: Path, block_bytes: int = 1 << 20) -> tuple[list[tuple[int, ...]], list[tuple[int, str]]]:
    with open_cdr(path, block_bytes) as file:
        rows = [row for block in file.blocks for row in zip(*block.to_pydict().values(), strict=True)]
        return rows, [(row.row_no, row.text) for row in file.take_bad_rows()]


def test_rows_keep_their_numbers_past_bad_and_empty_ones(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'sep=;\na;b;c\n1;2;3\n\n4;5\n"x\ny";7;8\n9;10;11;12\n;;\n13;14;15\n')
    for block_bytes in (24, 40, 1 << 20):
        rows, bad = read(path, block_bytes)
        assert rows == [(3, "1", "2", "3"), (6, "x\ny", "7", "8"), (9, "13", "14", "15")]
        assert bad == [(5, "4;5"), (7, "9;10;11;12")]


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\0"\r\n,', exclude_categories=["Cs"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.lists(CELL, min_size=1, max_size=3), min_size=1, max_size=30), st.integers(64, 400))
def test_blocks_of_any_size_give_the_same_rows(tmp_path: Path, lines: list[list[str]], block_bytes: int):
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(["date,to", *(",".join(cells) for cells in lines), "end,row"]).encode())
    rows, bad = read(path, block_bytes)
    expected = list(enumerate([*lines, ["end", "row"]], start=2))
    good = [(number, *cells) for number, cells in expected if len(cells) == 2 and any(map(str.strip, cells))]
    assert rows == good
    assert {number for number, _ in bad} == {n for n, cells in expected if len(cells) != 2 and cells != [""]}


def test_parquet_is_text_too(tmp_path: Path):
    path = tmp_path / "a.parquet"
    columns = {
        "when": pa.array([0, None], pa.timestamp("ms", tz="Europe/Berlin")),
        "naive": pa.array([0, 1], pa.timestamp("us")),
        "count": pa.array([2.0, None], pa.float64()),
        "price": pa.array([0.075, float("nan")], pa.float64()),
        "flag": pa.array([True, False]),
        "list": pa.array([[1], None], pa.list_(pa.int64())),
    }
    parquet.write_table(pa.table(columns), path)
    with open_cdr(path) as file:
        assert (file.kind, file.columns) == (CdrKind.PARQUET, tuple(columns))
        (block,) = file.blocks
        assert file.read_share() == 1.0
    first, second = zip(*block.to_pydict().values(), strict=True)
    assert first == (2, "1970-01-01 01:00:00.000+0100", "1970-01-01 00:00:00.000000", "2", "0.075", "true", "[1]")
    assert second == (3, "", "1970-01-01 00:00:00.000001", "", "", "false", "")


def test_columns_without_or_with_the_same_name_can_still_be_told_apart(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"date,,to, to ,date\n1,2,3,4,5\n")
    with open_cdr(path) as file:
        assert file.columns == ("date", "Column 2", "to", "to (2)", "date (2)")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_which_makes_known_columns(tmp_path: Path, sign: str):
    path = tmp_path / "a.csv"
    path.write_bytes(f"sent date{sign}msisdn{sign}status{sign}a,b;c\n1{sign}2{sign}3{sign}4\n".encode())
    with open_cdr(path) as file:
        assert file.columns[:3] == ("sent date", "msisdn", "status")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"date,to\n\n", "no rows"),
        (b'"date,to\n1,2\n', "header cannot be read"),
        (b"PAR1nothing", "damaged"),
        (b"PK\x03\x04", "damaged"),
        (gzip.compress(b"date,to\n" + b"1,2\n" * 9_999, mtime=0)[:60], "damaged"),
        (b"date,to\n1,\xe9\n", "Line 2 holds the byte 0xE9"),
        (gzip.compress(b"date,to\n1,\xe9\n", mtime=0), "Line 2 holds the byte 0xE9"),
        ("sep=é\ndateéto\n1é2\n".encode(), "separates cells"),
        (b"date," + b"x" * 200 + b"\n1,2\n", "200 characters"),
        (b"date," + b"x," * 40_000 + b"\n1,2\n", "longer than"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=words) as caught:
        read(path)
    assert caught.value.hint
    assert caught.value.field == "file"


def test_a_workbook_is_refused_with_what_to_do(tmp_path: Path):
    openpyxl = pytest.importorskip("openpyxl")
    target = io.BytesIO()
    openpyxl.Workbook().save(target)
    path = tmp_path / "a.xlsx"
    path.write_bytes(target.getvalue())
    with pytest.raises(InvalidFile, match="Excel workbook"):
        read(path)


def test_rejected_rows_run_in_no_spreadsheet_and_stop_at_their_limit(tmp_path: Path):
    path = tmp_path / "rejected.csv"
    with RejectedRows(path, ["=a", "b"], most=2) as rejected:
        assert not path.exists()
        for number in range(3):
            rejected.write(number, "why", ["=1+1", "-5"])
    assert rejected.count == 3
    assert path.read_text("utf-8-sig").splitlines() == ["Row,Reason,'=a,b", "0,why,'=1+1,-5", "1,why,'=1+1,-5"]


def test_a_small_archive_of_blank_lines_comes_to_an_end(tmp_path):
    path = tmp_path / "cdr.csv.gz"
    path.write_bytes(gzip.compress(b"Sent Date,Receiver\n2026-11-20 09:30:12,491796548754\n" + b"\n" * 1_200_000))
    with open_cdr(path, 1 << 20) as file, pytest.raises(InvalidFile, match="more than 1\u202f048\u202f576 blank rows"):
        list(file.blocks)


def test_what_is_only_said_to_be_a_text_is_that_text(tmp_path: Path):
    path = tmp_path / "records.csv"
    path.write_text('="id","=""receiver""",status\n="0012","=""491796548754""","=""DELIVRD"" "\n', "utf-8")
    with open_cdr(path) as file:
        (block,) = file.blocks
        assert file.columns == ("id", "receiver", "status")
        assert block.drop_columns("row_no").to_pylist() == [{"c0": "0012", "c1": "491796548754", "c2": '="DELIVRD" '}]
