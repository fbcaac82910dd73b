"""Contacts in the lake that belong to no list and no campaign: who marks them, and who deletes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyarrow as pa
import pytest

from core.domain.reports.paging import PageRequest
from core.errors import StorageError
from core.history.audience.contacts import ContactStore
from core.services.campaigns.quick_sending import QuickMessage
from core.services.upkeep.forgetting.contacts import UNKNOWN_BEFORE, ContactForgetting
from core.state.imports import lists
from core.state.upkeep import installation, keeping
from tests.integration.services.steps import work
from tests.support.application.house import House, contacts

KIND = "contacts of nobody"


@pytest.fixture
def order(house: House) -> QuickMessage:
    numbers = ("+491795550004",)
    return QuickMessage(str(uuid4()), house.account.account_id, "HELIOGRAPH", numbers, "Doors open at 8.")


def list_ids(house: House) -> set[str]:
    return ContactStore(house.app.lake).list_ids()


def forget(house: House) -> int:
    return house.app.upkeep.forgetting.run(house.now)[KIND]


def delete_row(house: House, list_id: str) -> None:
    """Delete a list as earlier versions did: first the row, and then the lake did not answer."""
    with house.app.state.write() as session:
        lists.delete_list(session, list_id)


def come_from_before(house: House, moment: datetime) -> None:
    with house.app.state.write() as session:
        installation.set_setting(session, UNKNOWN_BEFORE, moment.isoformat())


def withdraw(house: House, order: QuickMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send *order* while the lake stores the numbers and the answer is lost."""
    replace = ContactStore.replace

    def store(self: ContactStore, list_id: str, tables: Iterable[pa.Table]) -> int:
        replace(self, list_id, tables)
        raise StorageError("The lake does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(ContactStore, "replace", store)
        with pytest.raises(StorageError):
            house.app.campaigns.quick_sending.send(house.viewer, order, house.now)


def test_people_of_a_list_whose_row_was_deleted_first_are_looked_for_once(house: House, order: QuickMessage):
    gone, kept = house.upload(contacts(3), "Gone"), house.upload(contacts(2), "Kept")
    waiting = house.app.campaigns.quick_sending.send(house.viewer, order, house.now)
    delete_row(house, gone.list_id)
    assert forget(house) == 0
    come_from_before(house, datetime.now(UTC) + timedelta(minutes=1))
    assert forget(house) == 1
    assert list_ids(house) == {kept.list_id, waiting.campaign_id}
    delete_row(house, kept.list_id)
    assert forget(house) == 0


def test_lists_younger_than_what_the_state_store_knows_stay(house: House):
    # As when a backup of it is put back beside a lake that went on.
    younger = house.upload(contacts(3))
    delete_row(house, younger.list_id)
    come_from_before(house, datetime.now(UTC) - timedelta(days=1))
    assert forget(house) == 0
    assert list_ids(house) == {younger.list_id}


def test_what_is_marked_is_deleted_though_the_lake_failed_then(house: House, monkeypatch: pytest.MonkeyPatch):
    gone = house.upload(contacts(3))
    delete_row(house, gone.list_id)
    come_from_before(house, datetime.now(UTC) + timedelta(minutes=1))

    def fail(*_: object) -> None:
        raise StorageError("The lake does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(ContactStore, "delete", fail)
        with pytest.raises(StorageError):
            forget(house)
    assert list_ids(house) == {gone.list_id}
    assert forget(house) == 1
    assert list_ids(house) == set()


def test_numbers_of_a_quick_send_taken_back_are_deleted_though_they_were_stored(
    house: House, order: QuickMessage, monkeypatch: pytest.MonkeyPatch
):
    withdraw(house, order, monkeypatch)
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 0
    assert len(list_ids(house)) == 1
    assert forget(house) == 1
    assert list_ids(house) == set()


def test_numbers_sent_once_more_are_not_those_that_were_left(
    house: House, order: QuickMessage, monkeypatch: pytest.MonkeyPatch
):
    withdraw(house, order, monkeypatch)
    with house.app.state.read() as session:
        (left,) = keeping.list_left_contacts(session)
    campaign = house.app.campaigns.quick_sending.send(house.viewer, order, house.now)
    assert campaign.campaign_id == left
    # Another worker has looked just before.
    turns = iter([[left], []])
    monkeypatch.setattr(ContactForgetting, "_list_left", lambda _: next(turns))
    forget(house)
    assert list_ids(house) == {left}
    work(house)
    assert house.simulator.journal.count_accepted() == 1
