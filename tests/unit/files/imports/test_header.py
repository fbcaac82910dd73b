import pytest

from core.domain.imports.lists import MAX_COLUMNS
from core.errors import InvalidFile
from core.files.imports.header import Header, find_phone_column, name_columns, read_header
from core.files.tables.rows import RawRow


@pytest.mark.parametrize(
    "name", ["PhoneNumber", "phonenumber", "Phone Number", "PHONE_NUMBER", " phone  number ", "\ufeffPhoneNumber\u200b"]
)
def test_the_phone_column_is_found_however_it_is_written(name):
    columns = read_header(RawRow(1, ["Name", name])).columns
    assert columns == ("Name", " ".join(name.strip("\ufeff\u200b").split()))
    assert find_phone_column(columns) == 1


def test_a_missing_phone_column_names_the_columns_found():
    with pytest.raises(InvalidFile, match=r"no column PhoneNumber\. Found: Phone, Name\.") as caught:
        find_phone_column(("Phone", "Name"))
    assert "sample" in caught.value.hint


def test_a_message_shows_only_so_much_of_a_foreign_file():
    with pytest.raises(InvalidFile) as caught:
        find_phone_column(["x" * 5_000, *map(str, range(300))])
    assert "and 293 more" in caught.value.message
    assert len(caught.value.message) < 150


def test_nameless_columns_at_the_end_are_dropped_but_known():
    assert read_header(RawRow(3, ["PhoneNumber", "Name", "", " "])) == Header(("PhoneNumber", "Name"), 3, 4)


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (["PhoneNumber", "", "Name"], ("PhoneNumber", "Column 2", "Name")),
        (["Name", "name", "NAME"], ("Name", "name (2)", "NAME (3)")),
        (["Name", "Name (2)", "Name"], ("Name", "Name (2)", "Name (3)")),
        (["Column 2", ""], ("Column 2", "Column 2 (2)")),
    ],
)
def test_columns_are_all_called_differently(names, called):
    assert name_columns(names) == called


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["PhoneNumber", "x" * 101], "The name of column 2 has 101 characters"),
        (["PhoneNumber", *map(str, range(MAX_COLUMNS))], "The file has 65 columns; it may have 64"),
    ],
)
def test_headers_that_cannot_be_used_say_why(cells, message):
    with pytest.raises(InvalidFile, match=message) as caught:
        read_header(RawRow(1, cells))
    assert caught.value.hint


def test_as_many_columns_as_allowed_are_fine():
    assert len(read_header(RawRow(1, ["PhoneNumber", *map(str, range(MAX_COLUMNS - 1))])).columns) == MAX_COLUMNS


def test_a_formula_in_the_header_is_refused():
    with pytest.raises(InvalidFile, match="Cell B1 of the header holds a formula"):
        read_header(RawRow(1, ["PhoneNumber", "=A1"], {1: "B1"}))


def test_a_file_of_rejected_rows_has_two_columns_of_ours_before_the_others():
    header = read_header(RawRow(1, ["Row", "Reason", "PhoneNumber", "'=Name"]))
    assert header == Header(("PhoneNumber", "=Name"), 1, 4, 2)


def test_without_a_header_the_columns_are_called_after_their_places():
    row = RawRow(2, ["491796548754", "Beau"])
    assert read_header(row, has_header=False) == Header(("Column 1", "Column 2"), 1, 2)
