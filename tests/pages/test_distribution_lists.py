import json
from datetime import UTC, datetime
from unittest.mock import patch

import pandas as pd
import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.lists import ListStatus
from core.domain.reports.paging import PageRequest
from core.errors import NotFound
from core.services.people.managing_people import Change
from pages._ui import widgets
from pages._ui.screens.distribution_lists import list_panels
from tests.support.application.page_tests import House, clicking, place_of

CONTACTS = b"PhoneNumber,FirstName\n491796548754,Beau\n491796548755,Russell\n491796548754,Twice\n12,Short\n"


def table(at) -> pd.DataFrame:
    """Return the lists' table; one without selections has no key in AppTest."""
    return at.dataframe[0].value


def names(at) -> list[str]:
    return list(table(at)["Name"])


def test_without_lists_the_page_says_what_to_do(house: House) -> None:
    house.sign_in()
    at = house.open("distribution_lists")
    assert not at.exception
    assert not at.dataframe
    assert at.subheader[0].value == "No distribution lists yet"


def test_who_belongs_to_no_account_is_told_before_choosing_a_file(house: House) -> None:
    viewer = house.sign_in()
    assert not house.open("distribution_lists").info
    house.app.people.managing.change(viewer, viewer.user_id, Change(viewer.name, viewer.permissions), datetime.now(UTC))
    at = house.open("distribution_lists")
    assert not at.exception
    assert "You do not belong to any traffic account." in at.info[0].value


def test_table_shows_what_the_guide_says(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Spring customers", CONTACTS)
    at = house.open("distribution_lists")
    assert not at.exception
    assert list(table(at).columns[:6]) == ["Name", "Status", "Campaign", "Entries", "Left out", "Creation Date"]
    row = table(at).iloc[0]
    assert (row["Name"], list(row["Status"]), row["Campaign"], row["Entries"]) == ("Spring customers", ["Ready"], 0, 2)


def test_what_is_left_out_has_room_before_it_is_known(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Spring customers", CONTACTS, imported=False)
    at = house.open("distribution_lists")
    # The grid measures its columns once, while the import has left out nothing yet.
    assert json.loads(at.dataframe[0].proto.columns)["Left out"]["width"] >= 200


def test_search_keeps_only_matching_names_and_starts_at_the_first_page(house: House) -> None:
    viewer = house.sign_in()
    for number in range(11):
        house.upload(viewer, f"List number {number}", CONTACTS, imported=False)
    house.upload(viewer, "Other", CONTACTS, imported=False)
    at = house.open("distribution_lists", distribution_lists_page="2")
    assert len(names(at)) == 2
    at.text_input(key="distribution_lists_search").set_value("OTHER").run()
    assert names(at) == ["Other"]


def test_a_page_beyond_the_last_one_shows_the_last_one(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Only one", CONTACTS)
    at = house.open("distribution_lists", distribution_lists_page="9")
    assert not at.exception
    assert names(at) == ["Only one"]


def test_uploaded_file_becomes_a_ready_list(house: House) -> None:
    viewer = house.sign_in()
    at = house.open("distribution_lists")
    at.button(key="distribution_lists_add").click().run()
    at.text_input(key="distribution_lists_name").set_value("Spring customers")
    at.file_uploader(key="distribution_lists_file").upload("contacts.csv", CONTACTS)
    at.button(key="distribution_lists_save").click().run()
    assert not at.exception
    assert not at.error
    (new,) = house.app.lists.page(viewer, PageRequest()).items
    assert (new.name, new.status) == ("Spring customers", ListStatus.IN_PROGRESS)
    assert at.progress
    place = place_of(at, at.dataframe[0])
    house.work(new.list_id)
    at.run()
    assert not at.progress
    assert place_of(at, at.dataframe[0]) == place
    assert list(table(at)["Status"][0]) == ["Ready"]


def test_what_the_file_had_too_much_is_said_when_its_import_ends(house: House) -> None:
    viewer = house.sign_in()
    found = house.upload(viewer, "Guests", CONTACTS)
    assert (found.duplicate_count, found.rejected_count, found.read_count) == (1, 1, 4)
    # Beside Entries, where it leads to the rows.
    assert "2 of 4 left out: show" in list(table(house.open("distribution_lists")).to_numpy().ravel())
    # What the fragment that watches an import says when it has ended: AppTest runs no fragment by itself.
    with patch.object(widgets, "flash") as flash:
        list_panels._tell_end(found)
    flash.assert_called_once_with("Guests is ready: 2\u00a0entries, 2 of 4 left out: see next to Entries.")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("Spring customers", None, "No file is chosen"),
        ("ab", CONTACTS, "The list name has 2 characters"),
        ("Spring customers", b"Phone;Name\n491796548754;Beau\n", "PhoneNumber"),
    ],
)
def test_upload_that_cannot_be_used_is_explained_and_stays_open(
    house: House, name: str, content: bytes | None, message: str
) -> None:
    viewer = house.sign_in()
    at = house.open("distribution_lists")
    at.button(key="distribution_lists_add").click().run()
    at.text_input(key="distribution_lists_name").set_value(name)
    if content is not None:
        at.file_uploader(key="distribution_lists_file").upload("contacts.csv", content)
    at.button(key="distribution_lists_save").click().run()
    assert message in at.error[0].value
    assert at.text_input(key="distribution_lists_name").value == name
    assert house.app.lists.page(viewer, PageRequest()).total == 0


def test_rows_left_out_that_are_no_longer_kept_are_said_to_be_gone(house: House) -> None:
    viewer = house.sign_in()
    item = house.upload(viewer, "Spring customers", CONTACTS)
    (house.app.settings.uploads_dir / f"{item.list_id}.rejected.csv").unlink()
    at = house.open("distribution_lists")
    with clicking("preview", 0):
        at.run()
    assert any("have been deleted" in caption.value for caption in at.caption)


def test_eye_shows_counts_rejected_rows_and_entries(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Spring customers", CONTACTS)
    at = house.open("distribution_lists")
    with clicking("preview", 0):
        at.run()
    assert not at.exception
    facts = at.table[0].value.iloc[:, 0].to_dict()
    assert {name: facts[name] for name in ("Rows read", "Entries", "Duplicates", "Rejected")} == {
        "Rows read": "4",
        "Entries": "2",
        "Duplicates": "1",
        "Rejected": "1",
    }
    rejected, entries = at.dataframe[1].value, at.dataframe[2].value
    assert list(rejected["Row"]) == ["4", "5"]
    assert list(entries["FirstName"]) == ["Beau", "Russell"]


def test_entries_are_searched_and_put_in_order(house: House) -> None:
    viewer = house.sign_in()
    item = house.upload(viewer, "Spring customers", CONTACTS)
    key = f"distribution_lists_entries_{item.list_id}"
    at = house.open("distribution_lists")
    with clicking("preview", 0):
        at.run()
    at.text_input(key=f"{key}_search").set_value("RUSS").run()
    assert list(at.dataframe[2].value["FirstName"]) == ["Russell"]
    at.text_input(key=f"{key}_search").set_value("").run()
    order = at.selectbox(key=f"{key}_order")
    assert order.options == ["Row", "Number", "Country", "Network", "MCCMNC", "FirstName"]
    order.select_index(5).run()
    at.toggle(key=f"{key}_descending").set_value(True).run()
    assert list(at.dataframe[2].value["FirstName"]) == ["Russell", "Beau"]
    at.text_input(key=f"{key}_search").set_value("nobody").run()
    assert "No entry has that" in at.info[0].value


def test_eye_explains_a_faulted_list(house: House) -> None:
    viewer = house.sign_in()
    house.upload(viewer, "Only bad numbers", b"PhoneNumber\n12\n13\n")
    at = house.open("distribution_lists")
    with clicking("preview", 0):
        at.run()
    assert "None of the 2 rows has a usable number" in at.error[0].value
    assert "Download the rows left out" in at.error[0].value


def test_list_is_deleted_only_after_ok(house: House) -> None:
    viewer = house.sign_in()
    item = house.upload(viewer, "Spring customers", CONTACTS)
    at = house.open("distribution_lists")
    with clicking("delete", 0):
        at.run()
    assert house.app.lists.get(viewer, item.list_id)
    at.button(key="distribution_lists_delete_ok").click().run()
    assert not at.exception
    with pytest.raises(NotFound):
        house.app.lists.get(viewer, item.list_id)
    assert not at.dataframe


def test_canceled_question_deletes_nothing_and_closes(house: House) -> None:
    viewer = house.sign_in()
    item = house.upload(viewer, "Spring customers", CONTACTS)
    at = house.open("distribution_lists")
    with clicking("delete", 0):
        at.run()
    at.button(key="distribution_lists_delete_cancel").click().run()
    at.run()
    assert house.app.lists.get(viewer, item.list_id)
    assert not [button for button in at.button if button.key == "distribution_lists_delete_ok"]


def test_a_new_list_is_offered_an_account_that_sends(house: House) -> None:
    viewer = house.sign_in()
    outside = Account("", "booking", "A first one", AccountType.HTTP, AccountStatus.ACTIVE, "", 100)
    opened = house.app.accounts.managing.open_account(outside, [], datetime.now(UTC))
    house.app.accounts.managing.join(viewer.user_id, opened.account_id)
    at = house.open("distribution_lists")
    at.button(key="distribution_lists_add").click().run()
    account = at.selectbox(key="distribution_lists_account")
    assert account.options[0] == "A first one"
    assert account.value.can_send
