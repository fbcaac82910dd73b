"""What people do wrong: each gets a sentence that says what and what to do, and nothing is left behind."""

import io
from datetime import timedelta

import openpyxl
import pytest

from core.domain.imports.lists import ListStatus
from core.domain.reports.paging import PageRequest
from core.errors import Conflict, InvalidFile, InvalidInput, InvalidSenderId
from core.services.lists.importing_lists import Upload
from core.state.suppressions import suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import House, contacts


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


BAD_FILES = {
    "not a spreadsheet": (b"\x89PNG\r\n\x1a\n" + bytes(200), "guests.csv"),
    "a web page": (b"<!doctype html><html><body>Hello</body></html>", "guests.csv"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "guests.xls"),
    "a damaged workbook": (b"PK\x03\x04" + bytes(100), "guests.xlsx"),
    "nothing at all": (b"", "guests.csv"),
    "only white space": (b"\n\n  \n", "guests.csv"),
    "no PhoneNumber": (b"Name,City\nBeau,London\n", "guests.csv"),
    "300 columns": (",".join(["PhoneNumber", *(f"C{n}" for n in range(300))]).encode() + b"\n491796000000\n", "a.csv"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_with_words(house: House, case: str):
    content, file_name = BAD_FILES[case]
    with pytest.raises(InvalidFile) as caught:
        house.upload(content, file_name=file_name)
    assert caught.value.message
    assert caught.value.hint
    assert house.app.lists.page(house.viewer, PageRequest()).total == 0
    assert list(house.app.settings.uploads_dir.iterdir()) == []


def test_columns_without_a_name_of_their_own_get_one(house: House):
    found = house.upload("PhoneNumber,Name,,Name\n491796000000,a,b,c\n")
    assert found.columns == ("PhoneNumber", "Name", "Column 3", "Name (2)")
    row = house.app.lists.preview(house.viewer, found.list_id, 0, 10).to_pylist()[0]
    assert (row["Name"], row["Column 3"], row["Name (2)"]) == ("a", "b", "c")


def test_the_wrong_encoding_is_refused_with_its_line(house: House):
    with pytest.raises(InvalidFile, match="Line 3") as caught:
        house.upload("PhoneNumber,Name\n491796000000,Ada\n491796000001,Zoë\n".encode("latin-1"))
    assert "UTF-8" in caught.value.hint


def test_a_wrong_byte_deep_in_a_file_faults_the_list_and_names_the_line(house: House):
    found = house.upload(contacts(40_000).encode() + "491797000000,Zoë,Köln\n".encode("latin-1"))
    assert (found.status, "40002" in found.fault.replace(",", ""), "UTF-8" in found.hint) == (
        ListStatus.FAULTED,
        True,
        True,
    )
    assert house.app.lists.preview(house.viewer, found.list_id, 0, 10).num_rows == 0


def test_a_file_that_is_too_large_is_refused(house: House):
    house.app.lists._limits.__dict__["max_bytes"] = 1 << 20
    with pytest.raises(InvalidInput, match="1 MiB"):
        house.upload(contacts(60_000))
    assert list(house.app.settings.uploads_dir.iterdir()) == []


def test_formula_cells_are_put_aside_with_their_address(house: House):
    found = house.upload(
        workbook([["PhoneNumber", "Name"], ["491796000000", "=1+1"], ["491796000001", "Beau"]]), file_name="a.xlsx"
    )
    assert (found.status, found.entry_count, found.rejected_count) == (ListStatus.READY, 1, 1)
    assert "B2" in house.app.lists.rejected_csv(house.viewer, found.list_id).decode("utf-8-sig")


def test_every_row_left_out_is_kept_with_its_reason(house: House):
    found = house.upload("PhoneNumber,Name\n491796000000,a\n491796000000,b\n,c\n12345,d\n491796000001,e,surplus\n")
    lines = house.app.lists.rejected_csv(house.viewer, found.list_id).decode("utf-8-sig").splitlines()
    assert found.read_count == found.entry_count + found.duplicate_count + found.rejected_count == 5
    assert [line.split(",")[0] for line in lines] == ["Row", "3", "4", "5", "6"]
    assert all(len(line.split(",")[1]) > 10 for line in lines[1:])


def test_rejected_rows_run_no_formula_in_a_spreadsheet(house: House):
    found = house.upload('PhoneNumber,Name\n491796000000,a\n12345,"=HYPERLINK(""http://evil"")"\n')
    text = house.app.lists.rejected_csv(house.viewer, found.list_id).decode("utf-8-sig")
    assert ",'=HYPERLINK" in text.replace('"', "")


def test_a_list_without_one_usable_number_is_faulted(house: House):
    found = house.upload("PhoneNumber\n12345\nabc\n")
    assert (found.status, "None of the 2 rows" in found.fault) == (ListStatus.FAULTED, True)


@pytest.mark.parametrize("name", ["", "ab", "x" * 51, "   a   ", "tab\tand\x00nul"])
def test_bad_list_names(house: House, name: str):
    with pytest.raises(InvalidInput) as caught:
        house.upload(contacts(1), name=name)
    assert caught.value.field == "name"


def test_a_name_that_is_taken(house: House):
    house.upload(contacts(1), name="Guests")
    with pytest.raises(InvalidInput, match="already"):
        house.upload(contacts(1), name="GUESTS")


def test_a_file_name_is_never_a_path(house: House):
    found = house.upload(contacts(1), file_name="../../etc/passwd")
    assert found.file_name == "passwd"
    assert not (house.app.settings.uploads_dir / "passwd").exists()


BAD_DRAFTS = [
    ({"name": "x" * 51}, "name"),
    ({"name": "ab"}, "name"),
    ({"sender_id": "TWELVELETTER"}, ""),
    ({"sender_id": "12345678901234567"}, ""),
    ({"message": "x" * 2_001}, "message"),
    ({"message": "ж" * 700}, "message"),
    ({"message": "nul\x00"}, "message"),
    ({"placeholders": {"A": "City", "B": "City", "C": "City"}}, "placeholders"),
    ({"placeholders": {"FirstName": "NoSuchColumn"}}, "placeholders"),
    ({"placeholders": {"{": "City"}}, "placeholders"),
    ({"list_ids": ("no-such-list",)}, "list_id"),
]


@pytest.mark.parametrize(("change", "field"), BAD_DRAFTS)
def test_bad_drafts_name_their_field(house: House, change: dict[str, object], field: str):
    found = house.upload(contacts(3))
    with pytest.raises(InvalidInput) as caught:
        house.app.campaigns.composing.save(
            house.viewer, house.draft(**({"list_ids": (found.list_id,)} | change)), house.now
        )
    assert caught.value.message
    assert caught.value.hint
    assert isinstance(caught.value, InvalidSenderId) or caught.value.field == field
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 0


@pytest.mark.parametrize(
    ("change", "field"), [({"list_ids": ()}, "list_id"), ({"message": "  "}, "message"), ({"sender_id": ""}, None)]
)
def test_what_is_missing_is_asked_for_at_launch(house: House, change: dict[str, object], field: str | None):
    found = house.upload(contacts(3))
    draft = house.draft(**({"list_id": found.list_id, "placeholders": {}} | change))
    saved = house.app.campaigns.composing.save(house.viewer, draft, house.now)
    with pytest.raises(InvalidInput) as caught:
        house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now)
    assert field is None or caught.value.field == field


def test_a_list_still_being_imported_cannot_be_sent_to_or_deleted(house: House):
    upload = Upload(house.account.account_id, "Guests", "guests.csv")
    new = house.app.lists.upload(house.viewer, upload, io.BytesIO(contacts(3).encode()), house.now)
    saved = house.app.campaigns.composing.save(house.viewer, house.draft(new.list_id), house.now)
    with pytest.raises(InvalidInput, match="In Progress"):
        house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now)
    with pytest.raises(Conflict):
        house.app.lists.delete(house.viewer, new.list_id, house.now)


def test_two_people_editing_one_draft(house: House):
    found = house.upload(contacts(3))
    first = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id), house.now)
    house.app.campaigns.composing.save(
        house.viewer, house.draft(found.list_id, name="Mine"), house.now, first.campaign_id, 1
    )
    with pytest.raises(Conflict) as caught:
        house.app.campaigns.composing.save(
            house.viewer, house.draft(found.list_id, name="Yours"), house.now, first.campaign_id, 1
        )
    assert caught.value.hint


def test_empty_texts_are_excluded_with_a_reason(house: House):
    found = house.upload("PhoneNumber,Name\n491796000000,Beau\n491796000001,\n")
    campaign = house.launch(found.list_id, message="{Name}", placeholders={"Name": "Name"})
    house.app.work.run_until_idle(house.clock)
    reconciled = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert reconciled.excluded == {"empty message": 1}
    assert reconciled.balances


def test_an_audience_with_nobody_left_completes_at_once(house: House):
    found = house.upload("PhoneNumber,Name\n491796000000,\n")
    with pytest.raises(InvalidInput, match="Nobody"):
        house.launch(found.list_id, message="{Name}", placeholders={"Name": "Name"})
    campaign = house.launch(found.list_id, message="Hello", placeholders={})
    # After the launch was allowed, and before a worker came to it.
    with house.app.state.write() as session:
        suppressions.add_suppressions(
            session,
            campaign.account_id,
            ["+491796000000"],
            make_origin(created_at=house.now),
        )
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status == "Completed"
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).excluded == {"suppressed": 1}
    assert house.simulator.journal.count_accepted() == 0


def test_an_unexpected_stop_of_an_import_is_said_and_not_repeated(house: House, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("core.services.lists.importing_lists.EntryReader.tables", broken)
    with pytest.raises(RuntimeError):
        house.upload(contacts(3))
    (found,) = house.app.lists.page(house.viewer, PageRequest()).items
    assert found.status is ListStatus.FAULTED
    assert house.app.lists.list_waiting(house.now + timedelta(hours=1)) == []
