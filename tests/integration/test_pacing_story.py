"""
Limits that two worker processes keep together, as an SMSC in a process of its own has seen it.

It may have had to rest on a busy machine, and then it saw at one moment what came meanwhile: that much more is allowed
for in the second after a gap in its log.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import pytest

from benchmarks.smsc import SEED, answered_numbers
from core.domain.accounts.accounts import AccountType
from core.gateways.smsc.journal import SmscJournal
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.lists.importing_lists import Upload
from tests.support.application.house import House, make_house
from tests.support.processes.installation import worker
from tests.support.processes.smsc import smsc_process
from tests.support.processes.waiting import wait_until

pytestmark = pytest.mark.slow

RATE_TPS, SECONDS, WORKERS = 50, 4, 2
TEXT = "Hello"
SECOND = timedelta(seconds=1)
UNLIMITED_TPS = 1_000_000
# The longest rest of the SMSC that is allowed for, in seconds.
REST_MOST_S = 0.25
NUMBERS = tuple(islice(answered_numbers(TEXT.encode()), 2 * RATE_TPS * SECONDS))


@dataclass(frozen=True)
class Street:
    """A company that sends to an SMSC, and the SMSC's own log."""

    house: House
    journal: SmscJournal
    values: dict[str, object]

    def launch(self, account_id: str, rate_tps: int, numbers: Sequence[str]) -> None:
        """Launch a campaign of an account that may send as fast; it is about to be sent."""
        app, viewer, now = self.house.app, self.house.viewer, self.house.now
        app.accounts.managing.change(viewer, account_id, AccountSettings("Witness", rate_tps), now)
        rows = io.BytesIO("\n".join(["PhoneNumber", *numbers]).encode())
        list_id = app.lists.upload(viewer, Upload(account_id, "Guests", "guests.csv"), rows, now).list_id
        app.lists.run(list_id, self.house.clock)
        campaign_id = self.house.launch(list_id, account_id=account_id, message=TEXT, placeholders={}).campaign_id
        app.campaigns.launching.freeze(campaign_id, self.house.clock)

    def send(self) -> list[datetime]:
        """Let the workers send for some seconds; return when the SMSC accepted each message, in order."""
        settings = self.house.app.settings
        names = ("data_dir", "secret_key", "batch_size", "database_url")
        environment = {f"HELIOGRAPH_{name.upper()}": str(getattr(settings, name)) for name in names}
        with ExitStack() as stack:
            for _ in range(WORKERS):
                stack.enter_context(worker(environment | {"HELIOGRAPH_LOG_LEVEL": "WARNING"}))
            wait_until(lambda: self.journal.count_accepted() >= RATE_TPS * SECONDS, "enough is sent")
        assert self.journal.list_repeated_receivers() == []
        return [accepted.accepted_at for accepted in self.journal.list_accepted()]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def street(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Street]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    house = make_house(tmp_path / "data", secret_key=make_key(), database_url=url, batch_size=50)
    house.now = datetime.now(UTC)
    log = tmp_path / "smsc.sqlite"
    with smsc_process(tmp_path, "--log", str(log), "--seed", str(SEED), "--speed", "0.001") as smsc:
        values = {"host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret", "window": 50}
        house.app.accounts.setting_up.create(house.viewer, "Witness", "smpp", GatewayForm(values), house.now)
        yield Street(house, SmscJournal(log), values)
    house.app.close()


def assert_kept(moments: Sequence[datetime]) -> None:
    """No second has more than the limit, and there is no long pause between the first and the last message."""
    rests_s = [0.0, *((later - earlier).total_seconds() - 1 / RATE_TPS for earlier, later in pairwise(moments))]
    for place, begin in enumerate(moments):
        count = sum(begin <= moment < begin + SECOND for moment in moments[place : place + 2 * RATE_TPS])
        assert count <= RATE_TPS * (1 + min(REST_MOST_S, max(0.0, rests_s[place]))), begin
    # A busy machine sends less; one whose workers keep each other from sending much less.
    assert len(moments) / (moments[-1] - moments[0]).total_seconds() >= 0.4 * RATE_TPS


def test_two_workers_keep_the_limit_of_an_account(street: Street):
    street.launch(street.house.account.account_id, RATE_TPS, NUMBERS)
    assert_kept(street.send())


@pytest.mark.parametrize("street", ["sqlite"], indirect=True)
def test_two_accounts_keep_the_limit_of_the_gateway_they_share(street: Street):
    house = street.house
    new = NewAccount("apart", "Apart", AccountType.CAMPAIGN, AccountSettings("Witness", UNLIMITED_TPS))
    apart = house.app.accounts.managing.create(house.viewer, new, house.now)
    house.viewer = replace(house.viewer, account_ids=house.viewer.account_ids | {apart.account_id})
    form = GatewayForm(street.values, rate_tps=RATE_TPS)
    house.app.accounts.setting_up.change(house.viewer, "Witness", form, house.now)
    senders = {house.account.account_id: NUMBERS[::2], apart.account_id: NUMBERS[1::2]}
    for account_id, numbers in senders.items():
        street.launch(account_id, UNLIMITED_TPS, numbers)
    assert_kept(street.send())
    received = {accepted.msisdn for accepted in street.journal.list_accepted()}
    assert all(
        len(received.intersection(f"+{number}" for number in numbers)) > RATE_TPS for numbers in senders.values()
    )
