import pytest

from core.domain.imports.lists import MAX_COLUMNS
from core.errors import InvalidFile
from core.files.imports.header import check_header
from core.files.tables.rows import RawRow


@pytest.mark.parametrize(
    "name", ["PhoneNumber", "phonenumber", "Phone Number", "PHONE_NUMBER", " phone  number ", "\ufeffPhoneNumber\u200b"]
)
def test_the_phone_column_is_found_however_it_is_written(name):
    columns, index = check_header(RawRow(1, ["Name", name]))
    assert index == 1
    assert columns == ("Name", " ".join(name.strip("\ufeff\u200b").split()))


def test_a_missing_phone_column_names_the_columns_found():
    with pytest.raises(InvalidFile, match=r"no column PhoneNumber\. Found: Phone, Name\.") as caught:
        check_header(RawRow(1, ["Phone", "Name"]))
    assert "sample" in caught.value.hint


def test_a_message_shows_only_so_much_of_a_foreign_file():
    with pytest.raises(InvalidFile) as caught:
        check_header(RawRow(1, ["x" * 5_000, *map(str, range(300))]))
    assert "and 293 more" in caught.value.message
    assert len(caught.value.message) < 150


def test_nameless_columns_at_the_end_are_dropped():
    assert check_header(RawRow(1, ["PhoneNumber", "Name", "", " "]))[0] == ("PhoneNumber", "Name")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["PhoneNumber", "", "Name"], "Column 2 has no name"),
        (["PhoneNumber", "Name", "name"], "2 columns are called 'name'"),
        (["PhoneNumber", "Phone Number"], "2 columns PhoneNumber"),
        (["PhoneNumber", "x" * 101], "The name of column 2 has 101 characters"),
        (["PhoneNumber", *map(str, range(MAX_COLUMNS))], "The file has 51 columns; a list may have 50"),
    ],
)
def test_headers_that_cannot_be_used_say_why(cells, message):
    with pytest.raises(InvalidFile, match=message) as caught:
        check_header(RawRow(1, cells))
    assert caught.value.hint


def test_as_many_columns_as_allowed_are_fine():
    columns, _ = check_header(RawRow(1, ["PhoneNumber", *map(str, range(MAX_COLUMNS - 1))]))
    assert len(columns) == MAX_COLUMNS


def test_a_formula_in_the_header_is_refused():
    with pytest.raises(InvalidFile, match="Cell B1 of the header holds a formula"):
        check_header(RawRow(1, ["PhoneNumber", "=A1"], {1: "B1"}))
