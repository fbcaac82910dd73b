"""What a worker does with a campaign when a gateway refuses, or when somebody says STOP in the middle of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.services.sending import batches
from core.services.sending.handing_over import MOST_TRIES
from core.state.accounts import accounts
from core.state.suppressions.suppressions import add_suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import House, contacts

COUNT = 60


def everybody() -> list[str]:
    return ["+" + line.partition(",")[0].strip("+") for line in contacts(COUNT).splitlines()[1:]]


class Recording:
    """Takes everything, remembers whom, and does something after each call."""

    name = "simulator"
    window = 20
    per_request = 1

    def __init__(self, after: object = None) -> None:
        self.receivers: list[str] = []
        self.sizes: list[int] = []
        self.blocks = False
        self.after = after

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        self.sizes.append(len(messages))
        if self.blocks:
            return [
                SubmitResult(each.message_id, SubmitOutcome.BLOCKED, now, error_code="0x0000000A") for each in messages
            ]
        self.receivers += [each.msisdn for each in messages]
        if callable(self.after):
            self.after()
        return [
            SubmitResult(each.message_id, SubmitOutcome.ACCEPTED, now, gateway_message_id=each.message_id)
            for each in messages
        ]

    def close(self) -> None: ...


def send_with(house: House, gateway: Recording) -> str:
    house.app.accounts.gateways.get("simulator").gateway = gateway
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    house.app.sending.submitting.run(campaign_id, house.clock)
    return campaign_id


def test_no_more_is_claimed_than_the_gateway_has_in_flight(either: House):
    gateway = Recording()
    send_with(either, gateway)
    assert gateway.sizes == [20, 20, 20]


def test_who_says_stop_is_left_out_from_the_next_sub_window_on(either: House):
    house = either

    def stop() -> None:
        with house.app.state.write() as session:
            some = [number for number in everybody() if number.endswith("7")]
            add_suppressions(session, house.account.account_id, some, make_origin(created_at=house.now))

    gateway = Recording(after=stop)
    campaign_id = send_with(house, gateway)
    late = gateway.receivers[20:]
    assert late
    assert not [receiver for receiver in late if receiver.endswith("7")]
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert found.balances
    assert found.excluded == {"suppressed": 4}
    assert found.sent_count == COUNT - 4
    page = house.app.sending.reconciling.rows(house.viewer, campaign_id, "excluded", "suppressed", 1, 10)
    assert page.total == 4
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED


def test_an_account_given_another_gateway_sends_no_more_by_the_first(house: House):
    def give_another() -> None:
        with house.app.state.write() as session:
            accounts.set_gateways(session, house.account.account_id, "Oslo", "")

    gateway = Recording(after=give_another)
    campaign_id = send_with(house, gateway)
    assert gateway.sizes == [20]
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.pending_count, found.balances) == (20, COUNT - 20, True)


def test_a_gateway_that_takes_nothing_pauses_the_campaign_and_fails_nobody(either: House):
    house, gateway = either, Recording()
    gateway.blocks = True
    campaign_id = send_with(house, gateway)
    campaign = house.campaign(campaign_id)
    assert campaign.status is CampaignStatus.PAUSED
    assert campaign.fault.startswith("The gateway simulator takes no messages: ")
    assert gateway.sizes == [20]
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.pending_count, found.failed, found.unknown_count) == (COUNT, {}, 0)
    gateway.blocks = False
    house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    house.app.sending.submitting.run(campaign_id, house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert sorted(gateway.receivers) == sorted(set(gateway.receivers))
    assert len(gateway.receivers) == COUNT


class OneRefused(Recording):
    """Refuses the first receiver for now, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.first = everybody()[0]

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        results = super().submit(messages, now, *rest)
        for at, message in enumerate(messages):
            if message.msisdn == self.first and self.receivers.count(self.first) <= self.times:
                results[at] = SubmitResult(message.message_id, SubmitOutcome.THROTTLED, now, error_code="0x00000008")
        return results


@pytest.mark.parametrize(("times", "failed"), [(3, {}), (99, {"0x00000008": 1})])
def test_one_message_that_is_refused_for_now_holds_up_nobody_else(
    house: House, monkeypatch: pytest.MonkeyPatch, times: int, failed: dict[str, int]
):
    monkeypatch.setattr(batches, "NAP_MAX_S", 0.001)

    def clock() -> datetime:
        # Time goes on with each look at it.
        house.now += timedelta(seconds=0.1)
        return house.now

    gateway = OneRefused(times)
    house.app.accounts.gateways.get("simulator").gateway = gateway
    campaign_id = house.launch(house.upload(contacts(COUNT)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, clock)
    while house.campaign(campaign_id).status is CampaignStatus.ACTIVE:
        house.app.sending.submitting.run(campaign_id, clock)
    # The others did not wait for it.
    assert gateway.sizes[:3] == [20, 20, 20]
    assert gateway.sizes[3:] == [1] * (len(gateway.sizes) - 3)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert (found.sent_count, found.failed, found.balances) == (COUNT - len(failed), failed, True)
    assert gateway.receivers.count(gateway.first) == min(times + 1, MOST_TRIES)
