import io

import openpyxl
import pytest

from core.domain.imports.lists import HiddenRows, ListStatus
from core.errors import InvalidFile
from core.files.imports import reading
from core.services.lists import reading_entries
from core.services.lists.importing_lists import Upload
from tests.support.application.house import House, contacts

COUNT = 10_000


def workbook_of(text: str) -> bytes:
    """Return the same rows as an Excel workbook."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for line in text.splitlines():
        sheet.append(line.split(","))
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def test_a_workbook_and_a_text_file_make_the_same_list(house: House):
    rows = contacts(COUNT) + "491796000000,Again,London\n12345,Nobody,\n,Nameless,\n"
    from_text = house.upload(rows, name="From text")
    from_workbook = house.upload(workbook_of(rows), name="From workbook", file_name="guests.xlsx")
    for found in (from_text, from_workbook):
        assert (found.status, found.fault, found.progress) == (ListStatus.READY, "", 1.0)
        assert (found.read_count, found.entry_count) == (COUNT + 3, COUNT)
        assert (found.duplicate_count, found.rejected_count) == (1, 2)
    preview = house.app.lists.preview
    assert preview(house.viewer, from_text.list_id, 0, COUNT) == preview(house.viewer, from_workbook.list_id, 0, COUNT)
    rejected = house.app.lists.rejected_csv
    assert rejected(house.viewer, from_text.list_id) == rejected(house.viewer, from_workbook.list_id)


def test_an_import_asked_for_again_does_nothing(house: House):
    found = house.upload(contacts(500))
    with house.app.lake.read() as cursor:
        before = cursor.execute("SELECT count(*) FROM lake.contacts").fetchall()
    house.app.lists.run(found.list_id, house.clock)
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.contacts").fetchall() == before == [(500,)]


def test_a_number_is_an_entry_once_however_far_apart_it_stands(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading_entries, "CHUNK_ROWS", 3)
    numbers = [491796000000 + index % 7 for index in range(20)]
    rows = "".join(f"+{number},Person {index}\n" for index, number in enumerate(numbers))
    found = house.upload(f"PhoneNumber,Name\n{rows}12,Short\n")
    assert (found.read_count, found.entry_count, found.duplicate_count, found.rejected_count) == (21, 7, 13, 1)
    entries = house.app.lists.preview(house.viewer, found.list_id, 0, 50)
    assert entries["Row"].to_pylist() == list(range(2, 9))
    assert entries["Name"].to_pylist() == [f"Person {index}" for index in range(7)]
    lines = house.app.lists.rejected_csv(house.viewer, found.list_id).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Row", *map(str, range(9, 23))]
    assert lines[-1] == "22,The number is too short for its country.,12,Short"


def hide_last(content: bytes) -> bytes:
    """Return the workbook with its last row hidden, as a filter hides it."""
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    workbook.active.row_dimensions[workbook.active.max_row].hidden = True
    changed = io.BytesIO()
    workbook.save(changed)
    return changed.getvalue()


def test_hidden_rows_become_what_was_said_of_them(house: House, monkeypatch: pytest.MonkeyPatch):
    content = hide_last(workbook_of(contacts(3)))

    def upload(said: HiddenRows) -> tuple[str, int, int, str]:
        asked = Upload(house.account.account_id, f"Guests {said}", "guests.xlsx", said)
        new = house.app.lists.upload(house.viewer, asked, io.BytesIO(content), house.now)
        house.app.lists.run(new.list_id, house.clock)
        found = house.app.lists.get(house.viewer, new.list_id)
        return found.status, found.entry_count, found.rejected_count, found.fault

    assert upload(HiddenRows.LEAVE_OUT) == (ListStatus.READY, 2, 1, "")
    assert upload(HiddenRows.IMPORT) == (ListStatus.READY, 3, 0, "")
    with pytest.raises(InvalidFile, match="the first is row 4:"):
        upload(HiddenRows.ASK)
    # Too far down to be met while somebody waits.
    monkeypatch.setattr(reading, "LOOKED_AT_ROWS", 1)
    status, *_, fault = upload(HiddenRows.ASK)
    assert (status, fault[:15]) == (ListStatus.FAULTED, "Rows are hidden")
