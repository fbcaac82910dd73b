"""A contact list in columns holds what it holds row by row: the same cells, the same faults, in the same order."""

import random
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from core.domain.imports.lists import HiddenRows, RowFault
from core.domain.imports.reading_plans import ReadingPlan, TextEncoding
from core.domain.texts.no_values import NO_VALUES
from core.errors import InvalidFile
from core.files.imports import contacts
from core.files.imports.contacts import open_contacts
from core.files.imports.reading import open_sheet
from core.files.tables.blocks import open_blocks
from core.files.tables.rejected import RejectedRows

Row = tuple[int, list[str], str, str, list[str]]


def read(path: Path, plan: ReadingPlan) -> tuple[tuple[str, ...], list[Row]]:
    with open_contacts(path, plan) as found:
        return found.columns, [row for table in found.blocks for row in rows_of(table)]


def rows_of(table: pa.Table) -> Iterator[Row]:
    width = table.num_columns - 4
    for row in table.to_pylist():
        cells = [row[f"c{index}"] for index in range(width)]
        yield row["row_no"], cells, row["fault"], row["detail"], row["surplus"] or []


def read_by_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    with open_sheet(path, "contacts.csv") as sheet:
        width = len(sheet.columns)
        rows = [
            (row.row_no, list(row.cells[:width]), row.fault or "", row.detail, list(row.cells[width:]))
            for row in sheet.rows
        ]
        return sheet.columns, rows


def make_cell(rng: random.Random) -> str:
    kind = rng.randrange(10)
    if kind == 0:
        return rng.choice(sorted(NO_VALUES)).upper()
    if kind == 1:
        return '="0151"'
    if kind == 2:
        return "Zo\u0065\u0308"
    if kind == 3:
        return "'=a"
    return rng.choice(["", " ", "a", "Zürich", "+49 151", "'", "5 €", "\u00a0"])


@pytest.mark.parametrize("seed", range(3))
def test_columns_and_rows_say_the_same(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contacts, "open_blocks", lambda path, table: open_blocks(path, table, 64))
    rng = random.Random(seed)
    path = tmp_path / "list"
    for _ in range(60):
        names = rng.choice([["PhoneNumber"], ["PhoneNumber", "Name"], ["Row", "Reason", "PhoneNumber", "Name"]])
        names = names + [""] * rng.choice([0, 0, 1, 2])
        delimiter = rng.choice(",;\t|") if len(names) > 1 else ","
        counts = [len(names) if rng.random() < 0.8 else rng.randrange(1, 6) for _ in range(rng.randrange(1, 20))]
        lines = [delimiter.join(names), *(delimiter.join(make_cell(rng) for _ in range(count)) for count in counts)]
        path.write_text(rng.choice(["\n", "\r\n"]).join([*lines, delimiter.join(["1"] * len(names))]), newline="")
        assert read(path, ReadingPlan(0, delimiter=delimiter)) == read_by_rows(path), path.read_text()


def test_a_row_with_more_cells_than_the_header_keeps_them(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("PhoneNumber,Name,\n1,a,x\n2,b,,\n3,c,,y\n4\n")
    _, rows = read(path, ReadingPlan(0))
    assert rows == [
        (2, ["1", "a"], RowFault.TOO_MANY_CELLS, "The row has 3 cells, the header 2.", ["x"]),
        (3, ["2", "b"], "", "", []),
        (4, ["3", "c"], RowFault.TOO_MANY_CELLS, "The row has 4 cells, the header 2.", ["", "y"]),
        (5, ["4", ""], "", "", []),
    ]


def test_a_control_character_is_named(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("PhoneNumber,Name\n1,a\n2,b\x07\n3,c\n")
    _, rows = read(path, ReadingPlan(0))
    assert [row[2] for row in rows] == ["", RowFault.CONTROL, ""]
    assert rows[1][3] == "A cell holds a control character: U+0007."


def test_without_a_header_every_row_is_a_contact(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("\n491796548754;Beau\n491796548755;Zoë\n")
    columns, rows = read(path, ReadingPlan(0, delimiter=";", has_header=False))
    assert columns == ("Column 1", "Column 2")
    assert [(row[0], row[1]) for row in rows] == [(2, ["491796548754", "Beau"]), (3, ["491796548755", "Zoë"])]


def test_letters_of_windows_come_through(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_bytes("PhoneNumber;Name\n1;Jürgen\n".encode("cp1252"))
    _, rows = read(path, ReadingPlan(0, delimiter=";", encoding=TextEncoding.WINDOWS))
    assert rows[0][1] == ["1", "Jürgen"]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["nothing here"])
    people = book.create_sheet("People")
    for row in (["PhoneNumber", "Name"], ["491796548754", "Beau"], ["491796548755", "=A1"], ["491796548756", "b\tc"]):
        people.append(row)
    people.row_dimensions[4].hidden = True
    path = tmp_path / "list.xlsx"
    book.save(path)
    return path


def test_a_sheet_is_chosen_by_its_name(workbook: Path):
    columns, rows = read(workbook, ReadingPlan(0, sheet="People", hidden_rows=HiddenRows.LEAVE_OUT))
    assert columns == ("PhoneNumber", "Name")
    assert [(row[0], row[2]) for row in rows] == [(2, ""), (3, RowFault.FORMULA), (4, RowFault.HIDDEN)]
    with pytest.raises(InvalidFile, match="no visible sheet 'Peopel'"):
        read(workbook, ReadingPlan(0, sheet="Peopel"))
    with pytest.raises(InvalidFile, match="the first is row 4"):
        read(workbook, ReadingPlan(0, sheet="People"))


def test_what_was_rejected_can_be_sent_again(tmp_path: Path):
    path = tmp_path / "rejected.csv"
    with RejectedRows(path, ("PhoneNumber", "Name"), 10) as rejected:
        rejected.write(7, "Not a subscriber number.", ["+49", "=Beau"])
    columns, rows = read(path, ReadingPlan(0))
    assert columns == ("PhoneNumber", "Name")
    assert rows == [(2, ["+49", "=Beau"], "", "", [])]
