"""Workbooks of programs that are no spreadsheets: read as a spreadsheet shows them."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from core.files.reading import SheetRow, open_sheet

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
