import io

import openpyxl

from core.domain.lists import ListStatus
from tests.support.house import House, contacts

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
    preview = house.app.importing.preview
    assert preview(house.viewer, from_text.list_id, 0, COUNT) == preview(house.viewer, from_workbook.list_id, 0, COUNT)
    rejected = house.app.importing.rejected_csv
    assert rejected(house.viewer, from_text.list_id) == rejected(house.viewer, from_workbook.list_id)


def test_an_import_asked_for_again_does_nothing(house: House):
    found = house.upload(contacts(500))
    with house.app.lake.read() as cursor:
        before = cursor.execute("SELECT count(*) FROM lake.contacts").fetchall()
    house.app.importing.run(found.list_id, house.clock)
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.contacts").fetchall() == before == [(500,)]
