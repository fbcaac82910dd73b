"""Rows that a filter hides in a workbook: said, and asked about; nobody guesses what becomes of them."""

from pathlib import Path

import openpyxl
import pytest

from core.domain.imports.lists import HiddenRows, RowFault
from core.errors import InvalidFile
from core.files.apart import APART, HERE
from core.files.imports import reading
from core.files.imports.reading import open_sheet

SAID = (HiddenRows.LEAVE_OUT, HiddenRows.IMPORT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Store a workbook of three people, the last of whom is hidden."""
    workbook = openpyxl.Workbook()
    for row in (["PhoneNumber", "Name"], *([f"49179654875{index}", "Beau"] for index in range(3))):
        workbook.active.append(row)
    workbook.active.row_dimensions[4].hidden = True
    path = tmp_path / "contacts.xlsx"
    workbook.save(path)
    return path


def test_hidden_rows_are_asked_about(path: Path):
    with (
        pytest.raises(InvalidFile, match="the first is row 4:") as caught,
        open_sheet(path, path.name, HiddenRows.ASK) as sheet,
    ):
        list(sheet.rows)
    assert caught.value.field == "hidden_rows"


@pytest.mark.parametrize(
    ("said", "faults"), [(HiddenRows.LEAVE_OUT, [None, None, RowFault.HIDDEN]), (HiddenRows.IMPORT, [None] * 3)]
)
def test_what_is_said_counts(path: Path, said: HiddenRows, faults: list[RowFault | None]):
    with open_sheet(path, path.name, said) as sheet:
        assert [row.fault for row in sheet.rows] == faults


@pytest.mark.parametrize("looking", [APART, HERE], ids=["apart", "here"])
def test_they_are_asked_about_before_the_workbook_is_taken(path: Path, looking):
    with pytest.raises(InvalidFile, match="the first is row 4:") as caught:
        looking.columns(path, path.name, HiddenRows.ASK)
    assert caught.value.field == "hidden_rows"
    for said in SAID:
        assert looking.columns(path, path.name, said) == ("PhoneNumber", "Name")


def test_nobody_waits_for_a_look_at_all_of_a_long_workbook(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "LOOKED_AT_ROWS", 2)
    assert HERE.columns(path, path.name, HiddenRows.ASK) == ("PhoneNumber", "Name")
