"""A worker that is told to end: what takes long is given back within a step, and another one does it at once."""

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.exports import ExportFormat, ExportStatus
from core.domain.reports.message_query import MessageQuery
from core.services.leases import Leases
from core.services.lists.importing_lists import Upload
from core.services.lists.reading_entries import EntryReader
from core.services.reports.export_requests import MessagesRequest
from tests.support.application.house import House, contacts


def stop_within(house: House, patch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Let the worker be told to end while that method is called."""
    method: Callable[..., object] = getattr(owner, name)

    def stopping(*args: object) -> object:
        house.app.work.stop()
        return method(*args)

    patch.setattr(owner, name, stopping)


def start_again(house: House) -> None:
    """Let another worker run: the clock has moved by less than a lease."""
    house.app.work._leases.stop.clear()
    house.wait(timedelta(seconds=1))
    house.app.work.run_until_idle(house.clock)


def test_an_import_of_a_list_is_given_back(house: House, monkeypatch: pytest.MonkeyPatch):
    upload = Upload(house.account.account_id, "Guests", "guests.csv")
    new = house.app.lists.upload(house.viewer, upload, io.BytesIO(contacts(5).encode()), house.now)
    with monkeypatch.context() as patch:
        stop_within(house, patch, EntryReader, "tables")
        house.app.lists.run(new.list_id, house.clock)
    assert house.app.lists.get(house.viewer, new.list_id).status is ListStatus.IN_PROGRESS
    start_again(house)
    found = house.app.lists.get(house.viewer, new.list_id)
    assert (found.status, found.entry_count) == (ListStatus.READY, 5)


def test_an_audience_is_not_begun_to_be_frozen(house: House):
    campaign_id = house.launch(house.upload(contacts(5)).list_id).campaign_id
    house.app.work.stop()
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.PROCESSING
    start_again(house)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED


def test_an_export_is_given_back_and_leaves_no_half_file(house: House, monkeypatch: pytest.MonkeyPatch):
    house.launch(house.upload(contacts(5)).list_id)
    house.app.work.run_until_idle(house.clock)
    request = MessagesRequest(MessageQuery(frozenset(), house.everything()), ("Receiver",))
    export = house.app.reports.exporting.start(house.viewer, request, ExportFormat.CSV, house.now)
    with monkeypatch.context() as patch:
        patch.setattr(house.app.reports.reporting, "all_messages", twice_and_told_between(house))
        house.app.reports.exporting.run(export.export_id, house.clock)
    (found,) = house.app.reports.exporting.list_mine(house.viewer)
    assert found.status is ExportStatus.RUNNING
    assert not list(house.app.settings.exports_dir.iterdir())
    start_again(house)
    (found,) = house.app.reports.exporting.list_mine(house.viewer)
    assert (found.status, found.row_count) == (ExportStatus.READY, 5)


def twice_and_told_between(house: House) -> Callable[..., object]:
    """Give each table two times, and tell the worker to end before the second."""
    ask = house.app.reports.reporting.all_messages

    def tables(given: Iterable[object]) -> Iterator[object]:
        for table in given:
            yield table
            house.app.work.stop()
            yield table

    def asked(*args: object) -> object:
        total, given = ask(*args)
        return total * 2, tables(given)

    return asked


def test_what_was_told_to_end_is_not_another_process_s_business(house: House):
    house.app.work.stop()
    Leases(house.app.state, 15).check()
