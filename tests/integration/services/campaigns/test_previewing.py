import io
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import update

from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Permission
from core.domain.texts.encoding import Encoding
from core.history.engine.door import Cursor
from core.services.campaigns.composing import draft_of
from core.services.lists.importing_lists import Upload
from core.state.imports import lists
from core.state.imports.lists import ImportCounts
from core.state.tables.models import CampaignRow
from tests.integration.services.steps import work
from tests.support.application.house import House, contacts


def upload(house: House, count: int) -> DistributionList:
    """Upload a file that no worker has imported yet."""
    new = Upload(house.account.account_id, "Guests", "guests.csv")
    return house.app.lists.upload(house.viewer, new, io.BytesIO(contacts(count).encode()), house.now)


def test_a_list_that_is_being_imported_shows_the_message_as_typed(house: House):
    found = upload(house, 10)
    with house.app.state.write() as session:
        lists.record_progress(session, found.list_id, ImportCounts(5, 5, 0, 0, 0.5))
    draft = house.draft(found.list_id)
    preview = house.app.campaigns.composing.preview(house.viewer, draft, 3)
    assert (preview.text, preview.receiver, preview.total) == (draft.message, "", 0)
    assert house.app.lists.preview(house.viewer, found.list_id, 0, 10).num_rows == 0


def test_without_a_list_it_shows_the_message_as_typed(house: House):
    preview = house.app.campaigns.composing.preview(house.viewer, house.draft(""), 0)
    assert (preview.text, preview.total) == ("Hello {FirstName}", 0)


def test_accents_typed_apart_are_composed_in_what_is_shown_stored_and_tested(house: House):
    found = house.upload("Phone number,Name\n+491796000000,\n")
    draft = replace(
        house.draft(found.list_id),
        message="Cafe\u0301 {Pre\u0301nom}",
        placeholders={"Pre\u0301nom": "Name"},
        fallbacks={"Pre\u0301nom": "Rene\u0301"},
    )
    preview = house.app.campaigns.composing.preview(house.viewer, draft, 0)
    assert (preview.text, preview.measure.encoding) == ("Caf\u00e9 Ren\u00e9", Encoding.GSM7)
    stored = house.app.campaigns.composing.save(house.viewer, draft, house.now)
    assert (stored.message, stored.placeholders) == ("Caf\u00e9 {Pr\u00e9nom}", {"Pr\u00e9nom": "Name"})
    assert stored.fallbacks == {"Pr\u00e9nom": "Ren\u00e9"}
    number = "+491796000009"
    test = house.app.campaigns.quick_sending.send_test(
        house.viewer, stored.campaign_id, number, 0, str(uuid4()), house.now
    )
    assert test.message == preview.text


def test_accents_that_an_earlier_version_stored_apart_are_composed_where_they_are_used(house: House):
    found = house.upload("Phone number,Name\n+491796000000,Rene\u0301\n+491796000001,\n")
    stored = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id, placeholders={}), house.now)
    apart = {"message": "Cafe\u0301 {Pre\u0301nom}", "placeholders": {"Pre\u0301nom": "Name"}}
    with house.app.state.write() as session:
        values = {**apart, "fallbacks": {"Pre\u0301nom": "Zoe\u0301"}}
        session.execute(update(CampaignRow).where(CampaignRow.campaign_id == stored.campaign_id).values(values))

    def take_apart(cursor: Cursor) -> None:
        cursor.execute("UPDATE lake.contacts SET fields = ['+491796000000', 'Rene' || chr(769)] WHERE row_no = 2")

    house.app.lake.write(take_apart)
    draft = draft_of(house.campaign(stored.campaign_id))
    assert (draft.message, draft.placeholders) == ("Caf\u00e9 {Pr\u00e9nom}", {"Pr\u00e9nom": "Name"})
    shown = house.app.campaigns.composing.preview(house.viewer, draft, 0)
    assert (shown.text, shown.measure.encoding) == ("Caf\u00e9 Ren\u00e9", Encoding.GSM7)
    checked = house.app.campaigns.preflighting.look(house.viewer, stored.campaign_id, house.now).preflight
    house.app.campaigns.launching.launch(house.viewer, stored.campaign_id, house.now, checked.fingerprint)
    work(house)
    with house.app.lake.read() as cursor:
        sent = cursor.execute("SELECT text, encoding FROM lake.audience ORDER BY position").fetchall()
    assert sent == [("Caf\u00e9 Ren\u00e9", "gsm7"), ("Caf\u00e9 Zo\u00e9", "gsm7")]


@pytest.mark.parametrize("permissions", [{Permission.CAMPAIGN}, {Permission.CAMPAIGN, Permission.DISTRIBUTION_LISTS}])
def test_the_receiver_is_shown_in_full_only_to_those_who_upload_numbers(house: House, permissions: set[Permission]):
    found = house.upload(contacts(1))
    viewer = replace(house.viewer, permissions=frozenset(permissions))
    receiver = house.app.campaigns.composing.preview(viewer, house.draft(found.list_id), 0).receiver
    assert (receiver == "+491796000000") == (Permission.DISTRIBUTION_LISTS in permissions)
    assert receiver.startswith("+4")
