"""What a spreadsheet would run is text in a file of rejected rows, and itself again when that file comes back."""

import csv
from pathlib import Path

import pytest

from core.files.tables.rejected import RejectedRows, harmless, original

RUN = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "'=1+1", "''=1+1"]
# As spreadsheets of East Asia take them.
RUN += ["\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM"]
FINE = ["", "Ada", "+491796548754", "-5", "'quoted'", "1=1"]


@pytest.mark.parametrize("cell", RUN)
def test_what_begins_like_a_formula_is_text(cell: str):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", FINE)
def test_everything_else_stays(cell: str):
    assert harmless(cell) == cell


@pytest.mark.parametrize("cell", [*RUN, *FINE])
def test_what_was_made_harmless_comes_back_as_it_was(cell: str):
    assert original(harmless(cell)) == cell


def test_columns_reasons_and_cells_are_all_made_so(tmp_path: Path):
    path = tmp_path / "rejected.csv"
    with RejectedRows(path, ["PhoneNumber", "=Name"], most=10) as rows:
        rows.write(2, "-no number", ["@one", "=two"])
    with path.open(newline="", encoding="utf-8-sig") as file:
        assert list(csv.reader(file)) == [
            ["Row", "Reason", "PhoneNumber", "'=Name"],
            ["2", "'-no number", "'@one", "'=two"],
        ]
