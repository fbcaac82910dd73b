"""A worker that is stopped for longer than its lease: every message is sent once, whoever goes on with its batch."""

import io
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from core.bootstrap import App
from core.domain.campaigns.campaigns import CampaignDraft, CampaignStatus
from core.domain.messages.messages import LedgerState
from core.domain.people.permissions import Viewer
from core.doorways import try_lock
from core.gateways.simulator.accepted import Accepted
from core.gateways.simulator.journal import Journal
from core.gateways.simulator.profiles import fate_of, profile_of
from core.services.lists.importing_lists import Upload
from core.state.tables.models import BatchRow, LedgerRow
from tests.support.processes.installation import worker
from tests.support.processes.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.slow

SUB_WINDOW = 100


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "HELIOGRAPH_DATA_DIR": str(tmp_path),
        # More than one can send, so that both do; and slow enough that messages are in hand most of the time.
        "HELIOGRAPH_DEFAULT_RATE_TPS": "500",
        "HELIOGRAPH_SIMULATOR_ANSWER_MS": "300",
        "HELIOGRAPH_BATCH_SIZE": "250",
        "HELIOGRAPH_SUB_WINDOW": str(SUB_WINDOW),
        # Longer than a try to stop it takes, and than a busy machine keeps a heartbeat waiting.
        "HELIOGRAPH_LEASE_S": "5",
        # One of them sends: so nobody else in the same worker takes its batch.
        "HELIOGRAPH_WORKER_THREADS": "3",
        "HELIOGRAPH_LOG_LEVEL": "ERROR",
    }


def launch(app: App, viewer: Viewer, count: int) -> str:
    """Launch a campaign to that many people and return its id."""
    account_id = app.accounts.managing.list_sending(viewer)[0].account_id
    rows = "".join(f"49179{6_000_000 + number}\n" for number in range(count))
    content = io.BytesIO(f"PhoneNumber\n{rows}".encode())
    found = app.lists.upload(viewer, Upload(account_id, "Guests", "guests.csv"), content, app.clock())
    app.lists.run(found.list_id, app.clock)
    draft = CampaignDraft(account_id, "Stopped", "HELIOGRAPH", (found.list_id,), "Hello", {})
    campaign = app.campaigns.composing.save(viewer, draft, app.clock())
    app.campaigns.launching.launch(viewer, campaign.campaign_id, app.clock())
    return campaign.campaign_id


def is_completed(app: App, viewer: Viewer, campaign_id: str) -> bool:
    return app.campaigns.composing.get(viewer, campaign_id).status is CampaignStatus.COMPLETED


def leased(app: App, process: subprocess.Popen[bytes]) -> dict[str, datetime]:
    """Return the batches on which the process works, with the ends of its leases."""
    mine = BatchRow.lease_owner.contains(f":{process.pid}:")
    with app.state.read() as session:
        return dict(session.execute(select(BatchRow.batch_id, BatchRow.lease_until).where(mine)).all())


def in_hand(app: App, process: subprocess.Popen[bytes]) -> set[str]:
    """Return the messages the process has claimed and not recorded."""
    claimed = (LedgerRow.state == LedgerState.CLAIMED) & LedgerRow.batch_id.in_(leased(app, process))
    with app.state.read() as session:
        return set(session.scalars(select(LedgerRow.message_id).where(claimed)))


def can_be_written(path: Path) -> bool:
    """Return whether nobody keeps a SQLite file's write lock for long."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def history_is_free(app: App) -> bool:
    """Return whether nobody holds the lock of the history's one writer."""
    with (app.settings.data_dir / "history" / "writer.lock").open("a") as file:
        return try_lock(file.fileno())


def stop_with_messages_in_hand(app: App, process: subprocess.Popen[bytes]) -> set[str]:
    """Stop the process while the gateway has messages that it has not recorded, and return those."""

    def is_there() -> bool:
        if not in_hand(app, process):
            return False
        os.kill(process.pid, signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        # Stopped while it writes into a store it would stop everybody: then nobody could take over.
        files = app.settings.data_dir / "state.sqlite", app.settings.simulator_path
        if in_hand(app, process) and all(can_be_written(path) for path in files) and history_is_free(app):
            return True
        os.kill(process.pid, signal.SIGCONT)
        return False

    deadline = time.monotonic() + PATIENCE_S
    while not is_there():
        assert time.monotonic() < deadline, "the process never had messages in hand"
    return in_hand(app, process)


def is_silent(app: App, accepted: Accepted) -> bool:
    """Return whether the simulator never answered for that message, so that it is rightly unknown."""
    return fate_of(app.settings.seed, accepted.message_id, profile_of(app.settings.seed, "")).silent


def assert_each_is_sent_once(app: App, viewer: Viewer, campaign_id: str, count: int, unknown: range) -> None:
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    accepted = list(Journal(app.settings.simulator_path).list_accepted())
    receivers = [message.msisdn for message in accepted]
    silent_count = sum(is_silent(app, message) for message in accepted)
    assert len(receivers) == len(set(receivers)), "somebody was sent to twice"
    assert found.balances
    assert found.audience_count == count
    assert found.pending_count == 0
    assert found.unknown_count - silent_count in unknown
    assert found.sent_count <= len(receivers) <= found.sent_count + found.unknown_count


def test_another_worker_goes_on_and_nobody_is_sent_to_twice(app: App, viewer: Viewer, environment: dict[str, str]):
    # So many that the one that is ready first has not sent them all before the other one is.
    count = 2_500
    campaign_id = launch(app, viewer, count)
    with worker(environment) as first, worker(environment) as second:
        wait_until(lambda: bool(leased(app, first) and leased(app, second)), "both send")
        stop_with_messages_in_hand(app, first)
        try:
            wait_until(lambda: not leased(app, first), "the other one has taken over")
        finally:
            os.kill(first.pid, signal.SIGCONT)
        wait_until(lambda: is_completed(app, viewer, campaign_id), "the campaign is completed")
        assert first.poll() is None
    # What the first one had in hand is in doubt: the gateway may have had it or not.
    assert_each_is_sent_once(app, viewer, campaign_id, count, range(SUB_WINDOW + 1))


def test_what_it_had_in_hand_is_known_when_nobody_took_over(app: App, viewer: Viewer, environment: dict[str, str]):
    count = 750
    campaign_id = launch(app, viewer, count)
    with worker(environment) as only:
        wait_until(lambda: bool(leased(app, only)), "it sends")
        stop_with_messages_in_hand(app, only)
        (ends_at,) = leased(app, only).values()
        try:
            wait_until(lambda: datetime.now(UTC) > ends_at, "its lease is over")
        finally:
            os.kill(only.pid, signal.SIGCONT)
        wait_until(lambda: is_completed(app, viewer, campaign_id), "the campaign is completed")
    assert_each_is_sent_once(app, viewer, campaign_id, count, range(1))
