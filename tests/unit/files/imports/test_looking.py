"""A look into a file finds what is in it and how it is meant, and says nothing that an import would not do."""

from pathlib import Path

import openpyxl
import pytest

from core.domain.imports.reading_plans import ReadingPlan, TextEncoding
from core.errors import InvalidFile
from core.files.imports import looking
from core.files.imports.looking import FileLook, look, write_look


@pytest.fixture
def put(tmp_path: Path):
    def put(content: bytes | str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "upload"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return put


def test_a_foreign_export_is_understood(put):
    seen = look(put("Vorname;Handy;PLZ\nJürgen;+49 179 6548754;10115\nZoë;0179 6548755;10117\n"))
    assert seen.plan == ReadingPlan(1, "DE", delimiter=";")
    assert seen.columns == ("Vorname", "Handy", "PLZ")
    assert seen.rows == ((2, ("Jürgen", "+49 179 6548754", "10115")), (3, ("Zoë", "0179 6548755", "10117")))
    assert (seen.is_encoding_guessed, seen.hidden_row, seen.sheets, seen.estimated_rows) == (False, 0, (), 2)


def test_letters_of_windows_are_a_guess(put):
    seen = look(put("Name\tTel\nJürgen\t+491796548754\n", "cp1252"))
    assert (seen.plan.encoding, seen.is_encoding_guessed) == (TextEncoding.WINDOWS, True)
    assert seen.rows[0][1][0] == "Jürgen"


def test_letters_of_windows_are_seen_far_down(put):
    assert look(put(b"Tel\n" + b"+491796548754\n" * 100_000 + b"\xfc\n")).is_encoding_guessed


def test_utf_16_says_so_itself(put):
    seen = look(put("Name;Tel\nZoë;+491796548754\n", "utf-16"))
    assert (seen.plan.encoding, seen.is_encoding_guessed, seen.rows[0][1][0]) == (TextEncoding.UTF16, False, "Zoë")


def test_excels_own_first_line_names_the_delimiter(put):
    seen = look(put("sep=|\nName|Tel,\nZoë|+491796548754\n"))
    assert (seen.plan.delimiter, seen.columns, seen.plan.phone_column) == ("|", ("Name", "Tel,"), 1)


def test_what_somebody_has_chosen_stays(put):
    path = put("+491796548754,+491796548755\n")
    chosen = ReadingPlan(1, "FR", delimiter=",", has_header=False)
    assert look(path, chosen).plan == chosen
    assert look(path, chosen).columns == ("Column 1", "Column 2")


def test_no_column_of_phone_numbers_is_no_reason_to_refuse(put):
    assert look(put("Name,City\nBeau,Berlin\n")).plan.phone_column == -1


def test_a_workbook_shows_its_sheets_and_what_it_hides(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["a"])
    book.active.append(["b"])
    people = book.create_sheet("People")
    for row in (["Name", "Mobile"], *(["x", f"+4917965487{number}"] for number in range(10, 60))):
        people.append(row)
    people.row_dimensions[31].hidden = True
    book.create_sheet("Hidden").sheet_state = "hidden"
    path = tmp_path / "book"
    book.save(path)
    seen = look(path)
    assert (seen.sheets, seen.plan.sheet, seen.plan.phone_column) == (("Notes", "People"), "Notes", -1)
    seen = look(path, ReadingPlan(-1, sheet="People"))
    assert (seen.plan.phone_column, seen.hidden_row, seen.estimated_rows) == (1, 31, 50)
    assert len(seen.rows) == looking.SHOWN_ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"Tel\n", "The file has a header but no rows."),
        (b'Tel\n"1\n', "Row 2 cannot be read as CSV"),
        (b"\x89PNG", "The file is a PNG picture"),
    ],
)
def test_what_cannot_be_a_list_says_why(put, content: bytes, message: str):
    with pytest.raises(InvalidFile, match=message) as caught:
        look(put(content))
    assert caught.value.field == "file"


def test_a_look_comes_back_from_the_child_as_it_was(put):
    path = put("Name;Tel\nZoë;+491796548754\n")
    assert FileLook.load(write_look(str(path))) == look(path)
    chosen = ReadingPlan(0, "DE", delimiter=";", left_out_types=("fixed_line",))
    assert FileLook.load(write_look(str(path), chosen.dump())).plan == chosen
