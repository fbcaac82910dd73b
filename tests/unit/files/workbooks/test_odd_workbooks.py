"""Workbooks of programs that are no spreadsheets: read as a spreadsheet shows them."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from core.domain.imports.lists import RowFault
from core.files.imports.reading import SheetRow, open_sheet

Read = Callable[[str, str], list[SheetRow]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a list of PhoneNumber and Name: the given rows, as XML, with one number format."""

    def read_rows(rows: str, code: str = "0.00") -> list[SheetRow]:
        workbook = openpyxl.Workbook()
        workbook.active.append(["PhoneNumber", "Name"])
        workbook.active["Z1"].number_format = code
        saved, path = io.BytesIO(), tmp_path / "contacts.xlsx"
        workbook.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w") as target:
            for member in source.namelist():
                text = source.read(member).decode()
                target.writestr(member, text.replace("</sheetData>", f"{rows}</sheetData>"))
        with open_sheet(path, "contacts.xlsx") as sheet:
            return list(sheet.rows)

    return read_rows


def row(name: str, beside: str = "") -> str:
    return f'<row r="2"><c r="A2"><v>491796548754</v></c>{name}{beside}</row>'


@pytest.mark.parametrize(
    "name",
    [
        '<c r="B2"><v> </v></c>',
        '<c r="B2" t="s"><v>\n</v></c>',
        '<c r="B2" t="b"><v> </v></c>',
        '<c r="B2"><v>NaN</v></c>',
        '<c r="B2" s="1"><v>NaN</v></c>',
        '<c r="B2" s="1"><v>-Infinity</v></c>',
    ],
)
def test_a_number_that_is_none_is_an_empty_cell(read: Read, name: str):
    (found,) = read(row(name), "0.00")
    assert (found.cells, found.fault) == (("491796548754", ""), None)


def test_a_style_that_is_not_there_is_no_style(read: Read):
    (found,) = read(row('<c r="B2" s="99"><v>1.5</v></c>'), "0.00")
    assert found.cells[1] == "1.5"


@pytest.mark.parametrize(("code", "shown"), [("0.00E+00", "1234.5"), ("##0.0E-0", "1234.5"), ("e", "1903")])
def test_an_exponent_is_no_year(read: Read, code: str, shown: str):
    (found,) = read(row('<c r="B2" s="1"><v>1234.5</v></c>'), code)
    assert found.cells[1] == shown


def test_what_came_out_of_a_formula_beside_the_list_does_not_matter(read: Read):
    """Spreadsheets keep the result beside the formula; the library that wrote our other tests' files does not."""
    computed = '<c r="D2"><f>1+1</f><v>2</v></c>'
    (found, *rest) = read(row("", computed) + '<row r="3"><c r="D3"><f>D2</f><v>2</v></c></row>', "0.00")
    assert (found.cells, found.fault, rest) == (("491796548754", ""), None, [])
    (typed,) = read(row("", '<c r="D2"><v>2</v></c>'), "0.00")
    assert typed.fault is not None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('<c r="B2" t="inlineStr"><is><t>Anna</t></is><v>Anna</v></c>', "Anna"),
        ('<c r="B2" t="inlineStr"><v>0</v><is><r><t>An</t></r><r><t>na</t></r></is></c>', "Anna"),
        ('<c r="B2" t="inlineStr"><v>Anna</v></c>', "Anna"),
        ('<c r="B2" t="str"><v>Anna</v><is><t>Berta</t></is></c>', "Anna"),
    ],
)
def test_a_cell_that_says_its_text_twice_has_it_once(read: Read, name: str, shown: str):
    (found,) = read(row(name), "0.00")
    assert found.cells[1] == shown


@pytest.mark.parametrize("kind", ["array", "dataTable"])
def test_a_formula_for_several_cells_is_one_in_each_of_them(read: Read, kind: str):
    """=FILTER(…) and its like stand in their first cell only; the others hold what came out."""
    first = f'<row r="2"><c r="A2"><f t="{kind}" ref="A2:A3">D2:D3</f><v>491796548752</v></c></row>'
    others = "".join(f'<row r="{no}"><c r="A{no}"><v>49179654875{no}</v></c></row>' for no in (3, 4))
    found = read(first + others, "0.00")
    assert [each.fault for each in found] == [RowFault.FORMULA, RowFault.FORMULA, None]
    assert "A3" in found[1].detail


def test_a_formula_for_several_cells_beside_the_list_does_not_matter(read: Read):
    first = '<row r="2"><c r="A2"><v>491796548752</v></c><c r="D2"><f t="array" ref="D2:E3">A2</f><v>1</v></c></row>'
    second = '<row r="3"><c r="A3"><v>491796548753</v></c><c r="E3"><v>1</v></c></row>'
    assert [(each.cells, each.fault) for each in read(first + second, "0.00")] == [
        (("491796548752", ""), None),
        (("491796548753", ""), None),
    ]


def test_a_number_the_sheet_does_not_show_stays_in_its_column(tmp_path: Path):
    workbook, path = openpyxl.Workbook(), tmp_path / "contacts.xlsx"
    for cells in (["Name", "City", "PhoneNumber"], ["Anna", None, 491796548754]):
        workbook.active.append(cells)
    workbook.active["C2"].number_format = ";;;"
    workbook.save(path)
    with open_sheet(path, "contacts.xlsx") as sheet:
        (found,) = sheet.rows
    assert found.cells == ("Anna", "", "491796548754")
