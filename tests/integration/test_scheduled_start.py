"""A running worker starts scheduled campaigns at their time, by what the stores recorded."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.exports import ExportFormat, ExportStatus
from core.domain.reports.message_query import MessageQuery
from core.gateways.simulator.journal import Journal
from core.services.lists.importing_lists import Upload
from core.services.reports.export_requests import MessagesRequest
from tests.support.application.house import House, contacts, make_house
from tests.support.processes.installation import worker
from tests.support.processes.waiting import wait_until

pytestmark = pytest.mark.slow

# Promised are two seconds on a machine that has nothing else to do; tests share theirs with others.
AT_ONCE = timedelta(seconds=10)
SOON = timedelta(seconds=4)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, default_rate_tps=1_000)
    made.now = now()
    yield made
    made.app.close()


@pytest.fixture
def running(house: House) -> Iterator[str]:
    """Run a worker; give the list of fifty people that it has imported, so that it is certainly at work."""
    with worker({"HELIOGRAPH_DATA_DIR": str(house.app.settings.data_dir), "HELIOGRAPH_LOG_LEVEL": "WARNING"}):
        yield have_imported(house, "A few", contacts(50))


def now() -> datetime:
    return datetime.now(UTC)


def have_imported(house: House, name: str, content: str) -> str:
    upload = Upload(house.account.account_id, name, "guests.csv")
    found = house.app.lists.upload(house.viewer, upload, io.BytesIO(content.encode()), now())
    wait_until(lambda: house.app.lists.get(house.viewer, found.list_id).status is ListStatus.READY, "the list is ready")
    return found.list_id


def launch(house: House, list_id: str, **overrides: object) -> str:
    house.now = now()
    return house.launch(list_id, **overrides).campaign_id


def is_over(house: House, campaign_id: str) -> bool:
    return house.campaign(campaign_id).status is CampaignStatus.COMPLETED


def delay(house: House, campaign_id: str) -> timedelta:
    """Return how long after its time the campaign was started."""
    campaign = house.campaign(campaign_id)
    assert campaign.launched_at is not None
    assert campaign.schedule_at is not None
    return campaign.launched_at - campaign.schedule_at


def test_campaigns_of_one_moment_are_all_started_in_time_and_sent(house: House, running: str):
    schedule_at = now() + SOON
    keys = [launch(house, running, name=f"Campaign {number}", schedule_at=schedule_at) for number in range(3)]
    wait_until(lambda: all(is_over(house, key) for key in keys), "all are over")
    delays = [delay(house, key) for key in keys]
    assert all(timedelta(0) <= late < AT_ONCE for late in delays), delays
    with house.app.lake.read() as cursor:
        frozen = cursor.execute("SELECT frozen_at FROM lake.frozen_audiences").fetchall()
    assert len(frozen) == 3
    assert all(moment.replace(tzinfo=UTC) >= schedule_at for (moment,) in frozen)
    journal = Journal(house.app.settings.simulator_path)
    assert all(accepted.accepted_at >= schedule_at for accepted in journal.list_accepted())
    assert journal.list_repeated() == []


def test_a_long_campaign_does_not_delay_the_start_of_another(house: House, running: str):
    long = launch(house, have_imported(house, "Many", contacts(20_000, first=7_000_000)))
    journal = Journal(house.app.settings.simulator_path)
    wait_until(lambda: journal.count_accepted() > 0, "the campaign is under way")
    key = launch(house, running, name="On time", schedule_at=now() + SOON)
    wait_until(lambda: is_over(house, key), "it is over")
    assert timedelta(0) <= delay(house, key) < AT_ONCE, delay(house, key)
    # It was not merely lucky: the long one was under way all the time.
    assert not is_over(house, long)


def test_an_export_that_a_worker_with_nothing_to_do_is_asked_for_is_begun_at_once(house: House, running: str):
    wait_until(lambda: not house.app.work.find(now()), "nothing waits")
    request = MessagesRequest(MessageQuery(frozenset(), house.everything()), ("Sent Date", "Receiver"))
    delays = []
    for _ in range(3):
        asked_at = now()
        export_id = house.app.reports.exporting.start(house.viewer, request, ExportFormat.CSV, asked_at).export_id
        wait_until(lambda export_id=export_id: is_begun(house, export_id), "somebody writes it", pause_s=0.01)
        delays.append(now() - asked_at)
    # A thread that nobody wakes looks into the queue every ten seconds.
    assert sum(delays, timedelta(0)) < AT_ONCE, delays


def is_begun(house: House, export_id: str) -> bool:
    mine = house.app.reports.exporting.list_mine(house.viewer)
    (status,) = [export.status for export in mine if export.export_id == export_id]
    return status is not ExportStatus.WAITING
