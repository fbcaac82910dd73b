"""A full disk: it is said in words, nothing is lost, and everything goes on once there is room."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.message_query import MessageQuery
from core.errors import StorageError
from core.gateways.simulator.journal import Journal
from core.services.lists.importing_lists import Upload
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.calm import calm
from tests.support.fakes.naps import Naps
from tests.support.processes.live_server import REPOSITORY
from tests.support.processes.waiting import wait_until
from tests.support.stores.small_disk import SmallDisk, small_disk

COUNT = 3_000
LEASE_OVER = timedelta(seconds=60)
PATIENCE_S = 60


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_mib=48) as mounted:
        yield mounted


@pytest.fixture
def house(disk: SmallDisk, tmp_path: Path) -> Iterator[House]:
    made = make_house(disk.path / "data")
    # The provider's own disk is not full.
    calm(made.app, journal_path=tmp_path / "provider.sqlite")
    made.app.sending.submitting._stop = Naps(made)
    yield made
    made.app.close()


def refused(action: Callable[[], object]) -> None:
    """Do it; it must fail in words that tell a person what is wrong and what to do."""
    with pytest.raises(StorageError, match=r"is full|cannot be written|no room|No space left") as caught:
        action()
    assert caught.value.hint


def send_until_full(house: House, disk: SmallDisk, campaign_id: str, after: int) -> None:
    """Send; when *after* messages are out, the disk is full before anything about the next ones can be written."""
    provider = house.simulator
    submit = provider.submit

    def filling(messages: list, now: datetime, *rest: object) -> list:
        results = submit(messages, now, *rest)
        if provider.journal.count_accepted() > after:
            disk.fill()
        return results

    provider.submit = filling
    refused(lambda: send_all(house, campaign_id))
    provider.submit = submit


def send_all(house: House, campaign_id: str) -> None:
    # Room that SQLite's log still has inside its file may let a little more through.
    while house.app.sending.submitting.list_sendable(house.now):
        house.app.sending.submitting.run(campaign_id, house.clock)


def test_an_import_waits_for_room(house: House, disk: SmallDisk):
    upload = Upload(house.account.account_id, "Guests", "guests.csv")
    content = contacts(COUNT).encode()
    waiting = house.app.lists.upload(house.viewer, upload, io.BytesIO(content), house.now)
    disk.fill()
    refused(lambda: house.app.lists.run(waiting.list_id, house.clock))
    assert house.app.lists.get(house.viewer, waiting.list_id).status is ListStatus.IN_PROGRESS
    disk.free()
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    found = house.app.lists.get(house.viewer, waiting.list_id)
    assert (found.status, found.read_count, found.entry_count) == (ListStatus.READY, COUNT, COUNT)
    assert house.app.lists.preview(house.viewer, found.list_id, COUNT - 1, 10).num_rows == 1


def test_an_upload_without_room_is_refused_and_leaves_nothing(house: House, disk: SmallDisk):
    disk.fill()
    upload = Upload(house.account.account_id, "Guests", "guests.csv")
    content = contacts(20 * COUNT).encode()
    refused(lambda: house.app.lists.upload(house.viewer, upload, io.BytesIO(content), house.now))
    uploads = house.app.settings.uploads_dir
    assert not uploads.exists() or list(uploads.iterdir()) == []


def test_a_launch_waits_for_room(house: House, disk: SmallDisk):
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    disk.fill()
    refused(lambda: house.app.campaigns.launching.freeze(campaign_id, house.clock))
    assert house.campaign(campaign_id).status is CampaignStatus.PROCESSING
    disk.free()
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED


@pytest.mark.parametrize("after", [0, COUNT // 2, COUNT - 100], ids=["first", "middle", "last"])
def test_sending_goes_on_once_there_is_room_and_nothing_is_sent_twice(house: House, disk: SmallDisk, after: int):
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    send_until_full(house, disk, campaign_id, after)
    accepted = house.simulator.journal.count_accepted()
    for _ in range(3):
        house.wait(LEASE_OVER)
        refused(lambda: house.app.sending.submitting.run(campaign_id, house.clock))
    # What cannot be claimed is not sent.
    assert house.simulator.journal.count_accepted() == accepted
    midway = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert midway.balances
    disk.free()
    house.wait(LEASE_OVER)
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert (found.audience_count, found.pending_count, found.balances) == (COUNT, 0, True)
    journal = house.simulator.journal
    assert journal.list_repeated() == []
    query = MessageQuery(house.viewer.account_ids, house.everything())
    assert house.app.reports.reporting.messages(house.viewer, query, 1, 1).total == found.sent_count
    assert found.sent_count <= journal.count_accepted() <= found.sent_count + found.unknown_count
    # In doubt is what was out when the disk filled up.
    assert found.unknown_count <= house.app.settings.sub_window


@pytest.mark.slow
def test_a_worker_lives_through_a_full_disk(disk: SmallDisk, tmp_path: Path):
    house = make_house(disk.path / "data", default_rate_tps=1_000)
    house.now = datetime.now(UTC)
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    settings = {"HELIOGRAPH_DATA_DIR": str(disk.path / "data"), "HELIOGRAPH_LEASE_S": "3"}
    journal = Journal(house.app.settings.simulator_path)
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "jobs.worker"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **settings}, stderr=output)
        try:
            wait_until(lambda: journal.count_accepted() > COUNT // 4, "the campaign is under way")
            disk.fill()
            # The pulse itself misses a beat: its queue is on the full disk as well.
            wait_until(lambda: b"pulse_missed" in log.read_bytes(), "the worker has met the full disk")
            disk.free()
            wait_until(lambda: house.campaign(campaign_id).status is CampaignStatus.COMPLETED, "the campaign is over")
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.audience_count, found.pending_count, found.balances) == (COUNT, 0, True)
    assert journal.list_repeated() == []
    assert found.sent_count <= journal.count_accepted() <= found.sent_count + found.unknown_count
    house.app.close()
