"""A campaign by a gateway that a person set up, over real SMPP to an SMSC in a process of its own."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.errors import AppError
from core.gateways.smsc.journal import SmscJournal
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from tests.support.application.house import House, contacts, make_house
from tests.support.processes.smsc import smsc_process

COUNT = 300
PATIENCE_S = 60


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path / "house", secret_key=make_key(), sub_window=50)
    made.now = datetime.now(UTC)
    yield made
    made.app.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with smsc_process(tmp_path, "--seed", "1", "--speed", "100000") as smsc:
        yield smsc.port


def form(port: int, **values: object) -> GatewayForm:
    return GatewayForm({"host": "127.0.0.1", "port": port, "system_id": "me", "password": "secret"} | values)


def clock() -> datetime:
    return datetime.now(UTC)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_what_a_person_set_up_sends_and_reports(house: House, port: int, tmp_path: Path):
    setting_up, gateways = house.app.accounts.setting_up, house.app.accounts.gateways
    setting_up.create(house.viewer, "Berlin", "smpp", form(port, password="wrong"), house.now)
    with pytest.raises(AppError, match="password is wrong"):
        setting_up.test_connection(house.viewer, "Berlin", house.now)
    setting_up.change(house.viewer, "Berlin", form(port), house.now)
    assert "accepts a transceiver as me" in setting_up.test_connection(house.viewer, "Berlin", house.now)
    settings = AccountSettings("Berlin", 1_000_000)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)

    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.work.run_until_idle(clock)
    reconciled = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert reconciled.balances
    assert reconciled.sent_count + reconciled.unknown_count + sum(reconciled.failed.values()) == COUNT
    journal = SmscJournal(tmp_path / "smsc.sqlite")
    assert journal.list_repeated_receivers() == []
    assert reconciled.sent_count <= journal.count_accepted() <= reconciled.sent_count + reconciled.unknown_count

    # What is reported comes while nothing is sent, also after it was set up otherwise.
    before = gateways.find("Berlin")
    setting_up.change(house.viewer, "Berlin", form(port, window=5), house.now)
    house.app.work.find(clock())
    gateways.keep_open()
    assert gateways.find("Berlin") is not before
    until(lambda: journal.count_owed() == 0)
    house.app.sending.receiving.merge(clock)
    figures = house.app.reports.reporting.traffic(house.viewer, house.everything())
    assert figures.delivered > COUNT // 2
    assert [link.status for link in gateways.look()["Berlin"][0]] == ["bound"]
    gateways.close_all()
