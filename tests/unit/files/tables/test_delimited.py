import csv
import io
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.imports.lists import RowFault
from core.domain.texts.no_values import is_no_value
from core.errors import InvalidFile
from core.files.imports import reading
from core.files.imports.reading import open_sheet
from core.files.tables import delimited
from core.files.tables.delimited import DELIMITERS
from core.files.tables.rejected import RejectedRows

HEADER = "PhoneNumber,Name\n"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with open_sheet(path, "contacts.csv") as sheet:
            return sheet.columns, list(sheet.rows)

    return read


def cells(rows):
    return [row.cells for row in rows]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_common_delimiter_and_line_end_is_understood(read, delimiter, line_end):
    lines = [["PhoneNumber", "Name"], ["491796548754", "Beau"], ["491796548755", "Zoë"]]
    columns, rows = read("".join(delimiter.join(line) + line_end for line in lines))
    assert columns == ("PhoneNumber", "Name")
    assert cells(rows) == [("491796548754", "Beau"), ("491796548755", "Zoë")]
    assert [row.row_no for row in rows] == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_with_and_without_byte_order_mark_is_understood(read, encoding):
    columns, rows = read((HEADER + "491796548754,Zoë 🎈\n").encode(encoding))
    assert columns == ("PhoneNumber", "Name")
    assert cells(rows) == [("491796548754", "Zoë 🎈")]


def test_utf_16_of_the_other_byte_order_is_understood(read):
    _, rows = read(b"\xfe\xff" + (HEADER + "491796548754,Zoë\n").encode("utf-16-be"))
    assert cells(rows) == [("491796548754", "Zoë")]


def test_the_delimiter_is_the_one_that_yields_a_phone_column(read):
    columns, rows = read("PhoneNumber;Name, first, and last\n491796548754;Beau, Lee, Harrison\n")
    assert columns == ("PhoneNumber", "Name, first, and last")
    assert cells(rows) == [("491796548754", "Beau, Lee, Harrison")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_name_of_several_lines_hides_no_delimiter(read, delimiter):
    columns, rows = read(f'"Phone\nNumber"{delimiter}"First ""and""\r\nlast name"\n491796548754{delimiter}Beau\n')
    assert columns == ("Phone Number", 'First "and" last name')
    assert [(row.row_no, row.cells) for row in rows] == [(2, ("491796548754", "Beau"))]


def test_a_quote_within_a_name_is_a_sign_like_others(read):
    columns, rows = read('PhoneNumber;Pipe 5"\n491796548754;yes\n')
    assert columns == ("PhoneNumber", 'Pipe 5"')
    assert cells(rows) == [("491796548754", "yes")]


def test_excels_separator_line_is_obeyed(read):
    _, rows = read("sep=|\r\nPhoneNumber|Name\r\n491796548754|a,b\r\n")
    assert cells(rows) == [("491796548754", "a,b")]
    assert rows[0].row_no == 3


def test_a_single_column_is_enough(read):
    _, rows = read("PhoneNumber\n491796548754\n")
    assert cells(rows) == [("491796548754",)]


def test_quoted_cells_may_hold_delimiters_quotes_and_lines(read):
    _, rows = read(HEADER + '491796548754,"Beau ""B"", Jr.\nHarrison"\n491796548755,Renee\n')
    assert cells(rows) == [("491796548754", 'Beau "B", Jr.\nHarrison'), ("491796548755", "Renee")]
    assert [row.row_no for row in rows] == [2, 3]


def test_blank_rows_are_skipped_but_counted(read):
    _, rows = read("\n" + HEADER + "\n491796548754,Beau\n,\n  , \n491796548755,Renee\n\n")
    assert [(row.row_no, row.cells[1]) for row in rows] == [(4, "Beau"), (7, "Renee")]


def test_short_rows_are_padded_and_blank_surplus_cells_dropped(read):
    _, rows = read("PhoneNumber,Name,City\n491796548754\n491796548755,Renee,Bonn,,\n")
    assert cells(rows) == [("491796548754", "", ""), ("491796548755", "Renee", "Bonn")]
    assert [row.fault for row in rows] == [None, None]


def test_a_row_with_surplus_cells_is_faulty_and_keeps_them(read):
    _, rows = read(HEADER + "491796548754,Harrison, Beau\n491796548755,Renee\n")
    assert [row.fault for row in rows] == [RowFault.TOO_MANY_CELLS, None]
    assert rows[0].cells == ("491796548754", "Harrison", " Beau")
    assert rows[0].detail == "The row has 3 cells, the header 2."


def test_text_that_looks_like_a_formula_is_text(read):
    _, rows = read(HEADER + "491796548754,=1+1\n")
    assert rows[0].fault is None
    assert rows[0].cells[1] == "=1+1"


def test_other_encodings_are_refused_by_line_and_byte(read):
    lines = HEADER + "491796548754,Beau\n" * 20_000 + "491796548755,Zoë\n"
    with pytest.raises(InvalidFile, match="Line 20002 holds the byte 0xEB") as caught:
        read(lines.encode("latin-1"))
    assert "CSV UTF-8" in caught.value.hint


def test_rows_before_a_wrong_byte_are_still_delivered(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes((HEADER + "491796548754,Beau\n" * 20_000).encode() + b"491796548755,Zo\xeb\n")
    delivered = []
    with open_sheet(path, "contacts.csv") as sheet, pytest.raises(InvalidFile):
        delivered.extend(row.row_no for row in sheet.rows)
    assert delivered == list(range(2, 2 + len(delivered)))
    assert 0 < len(delivered) <= 20_000


def test_broken_utf_16_is_refused(read):
    with pytest.raises(InvalidFile, match="UTF-16"):
        read((HEADER + "491796548754,Beau").encode("utf-16") + b"\x00")


def test_a_nul_byte_is_refused_by_line(read):
    with pytest.raises(InvalidFile, match=r"Line 5002 holds a NUL byte"):
        read(HEADER + "491796548754,Beau\n" * 5_000 + "491796548755,Re\0nee\n")


@pytest.mark.parametrize("row", ['491796548754,"Beau\n', '491796548754,"Beau" Harrison\n'])
def test_a_forgotten_quote_is_refused_by_row(read, row):
    with pytest.raises(InvalidFile, match="Row 3 cannot be read as CSV"):
        read(HEADER + "491796548755,Renee\n" + row + "491796548756,Russell\n")


def test_an_overlong_cell_is_refused_by_row_and_column(read):
    with pytest.raises(InvalidFile, match="Row 2, column 2: a cell of more than 10\u202f000 characters"):
        read(HEADER + f"491796548754,{'x' * 10_001}\n")
    assert cells(read(HEADER + f"491796548754,{'x' * 10_000}\n")[1]) == [("491796548754", "x" * 10_000)]


def test_a_quote_that_swallows_the_file_is_refused(read):
    with pytest.raises(InvalidFile, match="Row 2"):
        read(HEADER + '491796548754,"Beau\n' + "491796548755,Renee\n" * 20_000)


def test_an_endless_line_is_refused(read):
    with pytest.raises(InvalidFile, match="Line 2 has more than 1\u202f000\u202f000 characters"):
        read(HEADER + "1," * 600_000)


def test_progress_follows_the_bytes_read(tmp_path):
    path = tmp_path / "upload"
    path.write_text(HEADER + "491796548754,Beau Harrison\n" * 50_000)
    with open_sheet(path, "contacts.csv") as sheet:
        seen = [sheet.progress()]
        seen += [sheet.progress() for row in sheet.rows if row.row_no % 10_000 == 0]
        seen.append(sheet.progress())
        assert sheet.estimated_rows == pytest.approx(50_000, rel=0.05)
    assert seen == sorted(seen)
    assert seen[0] < 0.2
    assert seen[-1] == 1.0


def test_rows_of_a_small_file_are_counted_exactly(tmp_path):
    path = tmp_path / "upload"
    for end in ("", "\n"):
        path.write_text(HEADER + "491796548754,Beau\n491796548755,Renee" + end)
        with open_sheet(path, "contacts.csv") as sheet:
            assert sheet.estimated_rows == 2


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8),
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_pythons_csv_writer_writes_is_read_back(rows, delimiter, encoding, quoting):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerow(["PhoneNumber", "A", "B"])
    writer.writerows(["491796548754", *row] for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(text.getvalue().encode(encoding))
        with open_sheet(path, "contacts.csv") as sheet:
            found = [list(row.cells[1:]) for row in sheet.rows]
    composed = [[unicodedata.normalize("NFC", cell) for cell in row] for row in rows]
    assert found == [["" if is_no_value(cell) else cell for cell in row] for row in composed]


def test_the_file_of_rejected_rows_can_be_mended_and_sent_again(read, tmp_path):
    path, columns = tmp_path / "rejected.csv", ("PhoneNumber", "Discount", "Name")
    rows = [("+49 179 65487", "-20%", "'=Beau"), ("+491796548755", "+5", "'O'Hara"), ("=1", "@home", "''x")]
    for _ in range(2):
        with RejectedRows(path, columns, 10) as refused:
            for number, row in enumerate(rows, start=2):
                refused.write(number, "Not a subscriber number.", row)
        # Spreadsheets keep the apostrophes, as a text's.
        assert read(path.read_bytes())[0] == columns
        found = read(path.read_bytes())[1]
        assert cells(found) == rows
        rows = cells(found)


def test_a_list_with_a_column_of_its_own_called_reason_is_left_alone(read):
    columns, rows = read("Reason,PhoneNumber\n'-5,491796548754\n")
    assert (columns, cells(rows)) == (("Reason", "PhoneNumber"), [("'-5", "491796548754")])


def test_a_file_of_blank_lines_comes_to_an_end(read, monkeypatch):
    monkeypatch.setattr(delimited, "MAX_BLANK_ROWS", 100)
    with pytest.raises(InvalidFile, match="more than 100 blank lines"):
        read(HEADER + "\n" * 200 + "491796548754,Beau\n")
    with pytest.raises(InvalidFile, match="lines are blank"):
        read("sep=,\n" + "\n" * 20_000 + HEADER)
    monkeypatch.setattr(reading, "MAX_BLANK_ROWS", 100)
    with pytest.raises(InvalidFile, match="more than 100 blank rows"):
        read(HEADER + ",\n" * 200 + "491796548754,Beau\n")


def test_a_row_of_very_many_cells_is_refused_unless_they_are_empty(read):
    assert cells(read(HEADER + "491796548754,Beau" + "," * 5_000 + "\n")[1]) == [("491796548754", "Beau")]
    with pytest.raises(InvalidFile, match="Row 2 has 5\u202f002 cells"):
        read(HEADER + "491796548754,Beau" + "," * 5_000 + "x\n")


def test_what_is_only_said_to_be_a_text_is_that_text(read):
    """A CSV file cannot say it otherwise, and Excel shows 01067."""
    columns, rows = read('"=""PhoneNumber""",="Zip",Name\n"=""491796548754""",="01067","=""a"" & b"\n')
    assert columns == ("PhoneNumber", "Zip", "Name")
    assert rows[0].cells == ("491796548754", "01067", '="a" & b')
