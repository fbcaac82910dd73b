"""
A campaign through real processes and real SMPP: a worker that is killed, an SMSC that drops connections and remembers.

What was sent is counted by the SMSC's own log, which knows nothing of Heliograph.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.message_query import MessageQuery
from core.gateways.smsc.behavior import SmscBehavior
from core.gateways.smsc.journal import SmscJournal
from core.gateways.smsc.running import SmscThread
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from tests.support.application.house import House, contacts, make_house
from tests.support.processes.installation import worker
from tests.support.processes.waiting import wait_until
from tests.support.stores.suppressed import list_suppressed

pytestmark = pytest.mark.slow

COUNT, WINDOW = 1_000, 10
SYSTEM_ID, PASSWORD = "helio", "secret"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[SmscThread]:
    behavior = SmscBehavior({SYSTEM_ID: PASSWORD}, speed=1_000)
    with SmscThread(tmp_path / "smsc.sqlite", behavior) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, smsc: SmscThread) -> Iterator[House]:
    """A company that sends by SMPP, through two binds; no process works yet."""
    made = make_house(tmp_path / "data", secret_key=make_key(), batch_size=500, sub_window=100, lease_s=3)
    made.now = now()
    values = {
        "host": "127.0.0.1",
        "port": smsc.port,
        "system_id": SYSTEM_ID,
        "password": PASSWORD,
        "window": WINDOW,
        "binds": 2,
    }
    made.app.accounts.setting_up.create(made.viewer, "Rehearsal", "smpp", GatewayForm(values), made.now)
    settings = AccountSettings("Rehearsal", 1_000_000)
    made.app.accounts.managing.change(made.viewer, made.account.account_id, settings, made.now)
    yield made
    made.app.close()


@pytest.fixture
def environment(house: House) -> dict[str, str]:
    names = ("data_dir", "secret_key", "batch_size", "sub_window", "lease_s")
    given = {f"HELIOGRAPH_{name.upper()}": str(getattr(house.app.settings, name)) for name in names}
    return given | {"HELIOGRAPH_LOG_LEVEL": "WARNING"}


def launch(house: House, count: int = COUNT) -> str:
    house.now = now()
    return house.launch(house.upload(contacts(count), f"Guests {count}").list_id).campaign_id


def is_completed(house: House, campaign_id: str) -> bool:
    return house.campaign(campaign_id).status is CampaignStatus.COMPLETED


def sent_to(journal: SmscJournal) -> Counter[str]:
    return Counter(accepted.msisdn for accepted in journal.list_accepted())


def assert_everybody_is_accounted_for(house: House, campaign_id: str, smsc: SmscThread, most_unknown: int) -> None:
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    taken = sent_to(smsc.journal)
    assert found.balances
    assert (found.audience_count, found.pending_count) == (COUNT, 0)
    assert max(taken.values()) == 1, "somebody was sent to twice"
    assert found.unknown_count <= most_unknown
    # It took what we call sent, and of what we call unknown some.
    assert found.sent_count <= len(taken) <= found.sent_count + found.unknown_count
    assert found.sent_count + found.failed_count + found.unknown_count == COUNT


def test_killed_dropped_and_restarted_everybody_gets_one_message(
    house: House, smsc: SmscThread, environment: dict[str, str]
):
    campaign_id = launch(house)
    # Slow enough for something to happen in the middle.
    smsc.set_faults(answer_s=0.05)
    with worker(environment) as first:
        wait_until(lambda: smsc.journal.count_accepted() > COUNT * 0.2, "the campaign is under way")
        smsc.drop_next(2)
        wait_until(lambda: smsc.journal.count_accepted() > COUNT * 0.4, "it went on after the drops")
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    midway = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert midway.balances
    assert midway.pending_count > 0
    with worker(environment):
        wait_until(lambda: smsc.journal.count_accepted() > COUNT * 0.6, "another worker goes on")
        smsc.disconnect()
        smsc.set_faults(answer_s=0)
        wait_until(lambda: is_completed(house, campaign_id), "the campaign is completed")
    # Two drops and a break of both binds, and what a killed worker had claimed: two threads, each a window of both.
    binds = 2 * WINDOW
    assert_everybody_is_accounted_for(house, campaign_id, smsc, most_unknown=2 * binds + binds + 2 * binds)


def test_every_receipt_arrives_and_who_says_stop_gets_nothing_more(
    house: House, smsc: SmscThread, environment: dict[str, str]
):
    first_person = "+" + contacts(1).splitlines()[1].partition(",")[0]
    campaign_id = launch(house)
    with worker(environment):
        wait_until(lambda: is_completed(house, campaign_id), "the campaign is completed")
        reporting = house.app.reports.reporting

        def open_count() -> int:
            house.now = now()
            query = MessageQuery(house.viewer.account_ids, house.everything(), delivery_status="Submitted")
            return reporting.messages(house.viewer, query, 1, 1).total

        # What the profiles never report on stays open.
        wait_until(lambda: open_count() <= COUNT * 0.05, "nearly every receipt is merged")
        smsc.reply(SYSTEM_ID, first_person, "HELIOGRAPH", "Stop.")
        wait_until(lambda: first_person in suppressed(house), "the stop is known")
        second_id = launch(house, 20)
        wait_until(lambda: is_completed(house, second_id), "the second campaign is completed")
    found = house.app.reports.reporting.reconciliation(house.viewer, second_id)
    assert found.excluded == {"suppressed": 1}
    assert sent_to(smsc.journal)[first_person] == 1


def suppressed(house: House) -> set[str]:
    with house.app.state.read() as session:
        return set(list_suppressed(session, house.account.account_id))
