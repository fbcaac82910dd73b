import io
from dataclasses import replace

import pytest

from core.domain.lists import DistributionList
from core.domain.permissions import Permission
from core.services.importing import Upload
from core.state import lists
from core.state.lists import ImportCounts
from tests.support.house import House, contacts


def upload(house: House, count: int) -> DistributionList:
    """Upload a file that no worker has imported yet."""
    new = Upload(house.account.account_id, "Guests", "guests.csv")
    return house.app.importing.upload(house.viewer, new, io.BytesIO(contacts(count).encode()), house.now)


def test_a_list_that_is_being_imported_shows_the_message_as_typed(house: House):
    found = upload(house, 10)
    with house.app.state.write() as session:
        lists.record_progress(session, found.list_id, ImportCounts(5, 5, 0, 0, 0.5))
    draft = house.draft(found.list_id)
    preview = house.app.composing.preview(house.viewer, draft, 3)
    assert (preview.text, preview.receiver, preview.total) == (draft.message, "", 0)
    assert house.app.importing.preview(house.viewer, found.list_id, 0, 10).num_rows == 0


def test_without_a_list_it_shows_the_message_as_typed(house: House):
    preview = house.app.composing.preview(house.viewer, house.draft(""), 0)
    assert (preview.text, preview.total) == ("Hello {FirstName}", 0)


@pytest.mark.parametrize("permissions", [{Permission.CAMPAIGN}, {Permission.CAMPAIGN, Permission.DISTRIBUTION_LISTS}])
def test_the_receiver_is_shown_in_full_only_to_those_who_upload_numbers(house: House, permissions: set[Permission]):
    found = house.upload(contacts(1))
    viewer = replace(house.viewer, permissions=frozenset(permissions))
    receiver = house.app.composing.preview(viewer, house.draft(found.list_id), 0).receiver
    assert (receiver == "+491796000000") == (Permission.DISTRIBUTION_LISTS in permissions)
    assert receiver.startswith("+4")
