"""A campaign by a gateway over HTTP that a person set up: sent to a provider on a real socket, which reports back."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from twilio.request_validator import RequestValidator

from core import web
from core.domain.campaigns.campaigns import CampaignStatus
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from tests.contract.gateways.http.scripted_provider import Asked, Raw, Said, ScriptedProvider, provider, said_json
from tests.support.application.house import House, contacts, make_house
from tests.support.fakes.asgi import Browser
from tests.support.fakes.open_pages import FakePages

COUNT = 300
TOKEN = "token-1"


class Twilio:
    """Takes each message, and keeps that; now and then it loses the answer, or has no time."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.lost: set[str] = set()
        self.callback_urls: set[str] = set()
        self._asked_count = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Said | Raw:
        form = asked.form
        with self._lock:
            self._asked_count += 1
            if self._asked_count % 40 == 0:
                return said_json(429, {"code": 20429}, **{"Retry-After": "0"})
            self.taken[form["To"]] += 1
            self.callback_urls.add(form["StatusCallback"])
            if self._asked_count % 25 == 0:
                self.lost.add(form["To"])
                return Raw()
        return said_json(201, {"sid": f"SM{form['To'][1:]}", "status": "queued"})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, secret_key=make_key(), sub_window=50, public_url="https://sms.example.com")
    made.now = datetime.now(UTC)
    yield made
    made.app.close()


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
def server(twilio: Twilio) -> Iterator[ScriptedProvider]:
    with provider(twilio) as running:
        yield running


def clock() -> datetime:
    return datetime.now(UTC)


def report(house: House, url: str, **fields: str) -> int:
    """Post what Twilio signs to the address it was given, past everything that stands before the pages."""
    middleware = web.middleware(house.app, is_user_activity=lambda _: True, pages=FakePages(), clock=clock)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, fields),
    }
    path = url.removeprefix(house.app.settings.address)
    browser = Browser(Starlette(middleware=middleware), html=False)
    return browser.ask("POST", path, headers, [urlencode(fields).encode()]).status


def test_nothing_is_sent_twice_or_lost_and_what_is_reported_counts(
    house: House, twilio: Twilio, server: ScriptedProvider
):
    form = GatewayForm({"account_sid": "AC1", "auth_token": TOKEN, "url": server.url, "connections": 4})
    house.app.accounts.setting_up.create(house.viewer, "Berlin", "twilio", form, house.now)
    settings = AccountSettings("Berlin", 1_000_000)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)

    campaign = house.launch(house.upload(contacts(COUNT)).list_id)
    house.app.work.run_until_idle(clock)
    reconciled = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert reconciled.balances
    # The provider's own record: everybody once, and unknown is what it took without an answer.
    assert set(twilio.taken.values()) == {1}
    assert len(twilio.taken) == COUNT
    assert len(twilio.lost) == reconciled.unknown_count > 0
    assert reconciled.sent_count == COUNT - reconciled.unknown_count

    (url,) = twilio.callback_urls
    answered = sorted(set(twilio.taken) - twilio.lost)
    for number in answered[:20]:
        assert report(house, url, MessageSid=f"SM{number[1:]}", MessageStatus="delivered") == 200
    person = answered[0]
    assert (
        report(house, url, MessageSid=f"SM{7:032x}", SmsStatus="received", From=person, To="HELIO", Body="Stop!") == 200
    )
    house.app.work.run_until_idle(clock)
    figures = house.app.reports.reporting.traffic(house.viewer, house.everything())
    assert figures.delivered == 20
    # Who said STOP is left out of the next campaign.
    again = house.launch(house.upload(contacts(COUNT), "Again").list_id, name="Again")
    house.app.work.run_until_idle(clock)
    assert twilio.taken[person] == 1
    assert house.campaign(again.campaign_id).status is CampaignStatus.COMPLETED
    assert sorted(twilio.taken.values()) == [1] + [2] * (COUNT - 1)
