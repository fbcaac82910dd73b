"""Killing the worker at the worst moment: nothing is lost, nothing is sent twice, nothing stays pending."""

import io
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.bootstrap import App
from core.domain.campaigns.campaigns import CampaignDraft, CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.gateways.simulator.journal import Journal
from core.services.lists.importing_lists import Upload
from core.services.lists.reading_entries import CHUNK_ROWS
from core.state.accounts import accounts
from tests.support.processes.installation import worker
from tests.support.processes.waiting import wait_until

pytestmark = pytest.mark.slow

COUNT = 5_000
# Two chunks of an import: the first is counted while the second is read.
ROW_COUNT = 2 * CHUNK_ROWS


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "HELIOGRAPH_DATA_DIR": str(tmp_path),
        # The second half takes seconds: what is to happen midway does.
        "HELIOGRAPH_DEFAULT_RATE_TPS": "1000",
        # As large a part of all as it would be of twenty thousand.
        "HELIOGRAPH_BATCH_SIZE": "1250",
        "HELIOGRAPH_SUB_WINDOW": "125",
        "HELIOGRAPH_SIMULATOR_SPEED": "1000",
        "HELIOGRAPH_LEASE_S": "3",
        "HELIOGRAPH_LOG_LEVEL": "WARNING",
    }


def now() -> datetime:
    return datetime.now(UTC)


def upload(app: App, viewer: Viewer, count: int = COUNT) -> str:
    rows = "".join(f"49179{6_000_000 + number},Beau {number}\n" for number in range(count))
    account = app.accounts.managing.list_sending(viewer)[0]
    content = io.BytesIO(f"PhoneNumber,FirstName\n{rows}".encode())
    return app.lists.upload(viewer, Upload(account.account_id, "Guests", "guests.csv"), content, now()).list_id


def launch(app: App, viewer: Viewer, list_id: str) -> str:
    account = app.accounts.managing.list_sending(viewer)[0]
    draft = CampaignDraft(
        account.account_id, "Killed", "HELIOGRAPH", (list_id,), "Hi {FirstName}", {"FirstName": "FirstName"}
    )
    campaign_id = app.campaigns.composing.save(viewer, draft, now()).campaign_id
    app.campaigns.launching.launch(viewer, campaign_id, now())
    return campaign_id


def hurry(app: App, viewer: Viewer) -> None:
    """Let what is left be sent as fast as it can: what was to happen midway has."""
    account = app.accounts.managing.list_sending(viewer)[0]
    with app.state.write() as session:
        accounts.set_rate(session, account.account_id, 1_000_000)


def settled(app: App, viewer: Viewer, campaign_id: str) -> bool:
    return app.campaigns.composing.get(viewer, campaign_id).status is CampaignStatus.COMPLETED


def assert_everybody_is_accounted_for(app: App, viewer: Viewer, campaign_id: str) -> None:
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    journal = Journal(app.settings.simulator_path)
    receivers = [accepted.msisdn for accepted in journal.list_accepted()]
    period = Period(now() - timedelta(hours=1), now() + timedelta(minutes=1))
    in_history = app.reports.reporting.messages(viewer, MessageQuery(viewer.account_ids, period), 1, 1).total
    assert len(receivers) == len(set(receivers)), "somebody was sent to twice"
    assert journal.list_repeated() == []
    assert found.balances
    assert found.audience_count == COUNT
    assert found.pending_count == 0
    assert in_history == found.sent_count
    # The gateway took what we call sent, and of what we call unknown some.
    assert found.sent_count <= len(receivers) <= found.sent_count + found.unknown_count


@pytest.mark.parametrize("progress", [0.1, 0.5], ids=["early", "halfway"])
def test_killed_while_sending(app: App, viewer: Viewer, environment: dict[str, str], progress: float):
    list_id = upload(app, viewer)
    app.lists.run(list_id, now)
    campaign_id = launch(app, viewer, list_id)
    journal = Journal(app.settings.simulator_path)
    with worker(environment) as first:
        wait_until(lambda: journal.count_accepted() > COUNT * progress, "the campaign is under way")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    midway = app.reports.reporting.reconciliation(viewer, campaign_id)
    assert midway.balances
    assert 0 < midway.pending_count < COUNT
    hurry(app, viewer)
    with worker(environment):
        wait_until(lambda: settled(app, viewer, campaign_id), "the campaign is completed")
    assert_everybody_is_accounted_for(app, viewer, campaign_id)


def test_killed_while_importing(app: App, viewer: Viewer, environment: dict[str, str]):
    list_id = upload(app, viewer, ROW_COUNT)
    with worker(environment) as first:
        wait_until(lambda: app.lists.get(viewer, list_id).read_count > 0, "rows are being read")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with worker(environment):
        wait_until(lambda: app.lists.get(viewer, list_id).status is ListStatus.READY, "the list is ready")
    found = app.lists.get(viewer, list_id)
    assert (found.read_count, found.entry_count, found.duplicate_count, found.rejected_count) == (
        ROW_COUNT,
        ROW_COUNT,
        0,
        0,
    )
    assert app.lists.preview(viewer, list_id, ROW_COUNT - 1, 10).num_rows == 1


def test_asked_to_stop_it_leaves_nothing_unknown(app: App, viewer: Viewer, environment: dict[str, str]):
    list_id = upload(app, viewer)
    app.lists.run(list_id, now)
    campaign_id = launch(app, viewer, list_id)
    journal = Journal(app.settings.simulator_path)
    with worker(environment) as first:
        wait_until(lambda: journal.count_accepted() > COUNT * 0.2, "the campaign is under way")
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=20) == 0
    stopped = app.reports.reporting.reconciliation(viewer, campaign_id)
    assert stopped.balances
    assert stopped.pending_count > 0
    # Beside what the simulator itself never answered, nothing is in doubt.
    assert journal.count_accepted() == stopped.sent_count + stopped.unknown_count
    assert stopped.unknown_count <= 2
    hurry(app, viewer)
    with worker(environment):
        wait_until(lambda: settled(app, viewer, campaign_id), "the campaign is completed")
    assert_everybody_is_accounted_for(app, viewer, campaign_id)
