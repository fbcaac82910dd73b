"""Who says STOP is told once that it is followed, in spite of it; nobody is told twice, and no machine for ever."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.accounts.suppressions import SuppressionSource
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.messages.messages import Exclusion
from core.errors import InvalidInput, StorageError
from core.gateways.simulator.journal import Journal
from core.services.accounts.managing_accounts import AccountSettings
from core.services.campaigns.confirming_stops import NAME
from core.services.work_queue import Work, WorkKind
from core.state.campaigns import campaigns
from core.state.suppressions import suppressions
from core.state.suppressions.suppressions import Lifting
from core.state.tables.models import CampaignRow
from tests.integration.services.steps import work
from tests.support.application.factories import make_origin, make_reply
from tests.support.application.house import House, contacts

MSISDN = "+491796000000"
TEXT = "You will get no more messages from us."


@pytest.fixture(autouse=True)
def _clock_of_the_house(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is heard be stored at the house's time."""
    monkeypatch.setattr(house.app.accounts.gateways._tools.inbox, "_clock", house.clock)


@pytest.fixture
def campaign(house: House) -> Campaign:
    """Send to three people, of an account that confirms."""
    confirm_with(house, TEXT)
    sent = house.launch(house.upload(contacts(3)).list_id)
    work(house)
    house.wait(timedelta(minutes=1))
    return sent


def confirm_with(house: House, text: str) -> None:
    settings = AccountSettings(house.account.gateway, house.account.rate_tps, stop_confirmation=text)
    house.app.accounts.managing.change(house.viewer, house.account.account_id, settings, house.now)


def say(house: House, text: str, msisdn: str = MSISDN) -> None:
    reference = f"{msisdn} {text} {house.now}"
    told = make_reply(sender=msisdn.lstrip("+"), text=text, received_at=house.now, reference=reference)
    house.app.accounts.gateways._tools.inbox.store([], [told])
    house.app.sending.linking.link(house.clock)


def confirm(house: House) -> None:
    for again in house.app.work.find(house.now, [WorkKind.CONFIRM]):
        house.app.work.do(again, house.clock)
    work(house)


def confirmations(house: House) -> list[Campaign]:
    with house.app.state.read() as session:
        found = session.scalars(
            select(CampaignRow.campaign_id).where(CampaignRow.confirms_stop).order_by(CampaignRow.created_at)
        )
        return [campaigns.get_campaign(session, campaign_id) for campaign_id in found]


def received(house: House, msisdn: str = MSISDN) -> list[str]:
    with house.app.lake.read() as cursor:
        rows = cursor.execute(
            "SELECT sender, source FROM lake.messages WHERE receiver = $to ORDER BY sent_at", {"to": msisdn}
        ).fetchall()
    return [f"{sender} {source}" for sender, source in rows]


def test_who_says_stop_is_told_once_by_the_sender_that_was_answered(house: House, campaign: Campaign):
    say(house, "Stop")
    confirm(house)
    (told,) = confirmations(house)
    assert (told.status, told.name, told.message) == (CampaignStatus.COMPLETED, NAME, TEXT)
    assert (told.sender_id, told.account_id) == (campaign.sender_id, campaign.account_id)
    found = house.app.reports.reporting.reconciliation(house.viewer, told.campaign_id)
    assert (found.sent_count, found.excluded, found.balances) == (1, {}, True)
    assert received(house) == [f"{campaign.sender_id} campaign", f"{campaign.sender_id} quick_send"]
    confirm(house)
    say(house, "Stop!")
    house.wait(timedelta(hours=23))
    say(house, "STOP STOP")
    say(house, "stop")
    confirm(house)
    assert len(confirmations(house)) == 1
    # The STOP itself stands.
    with house.app.state.read() as session:
        assert suppressions.find_suppressed(session, campaign.account_id, [MSISDN]) == {MSISDN: Exclusion.SUPPRESSED}


def test_a_machine_that_answers_a_confirmation_with_stop_is_told_nothing_more(house: House, campaign: Campaign):
    assert campaign.status is CampaignStatus.PROCESSING
    say(house, "Stop")
    confirm(house)
    for _ in range(3):
        # Its newest message is the confirmation: that is what it answers.
        house.wait(timedelta(days=2))
        say(house, "Stop")
        confirm(house)
    assert len(confirmations(house)) == 1


def test_what_people_write_otherwise_is_confirmed_to_nobody(house: House, campaign: Campaign):
    assert campaign.source
    say(house, "Thank you")
    say(house, "START")
    say(house, "Stop", "+491796999999")
    confirm(house)
    assert confirmations(house) == []


def test_without_a_text_stop_is_followed_in_silence(house: House, campaign: Campaign):
    confirm_with(house, "")
    say(house, "Stop")
    confirm(house)
    assert confirmations(house) == []
    with house.app.state.read() as session:
        assert suppressions.find_suppressed(session, campaign.account_id, [MSISDN]) == {MSISDN: Exclusion.SUPPRESSED}


def test_whom_a_person_has_suppressed_is_told_nothing(house: House, campaign: Campaign):
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, campaign.account_id, [MSISDN], make_origin(created_at=house.now))
    say(house, "Stop")
    confirm(house)
    assert confirmations(house) == []


def test_who_has_said_start_meanwhile_is_told_nothing(house: House, campaign: Campaign):
    assert campaign.source
    say(house, "Stop")
    house.wait(timedelta(seconds=1))
    say(house, "Start")
    confirm(house)
    assert confirmations(house) == []
    assert house.app.work.find(house.now, [WorkKind.CONFIRM]) == []


def test_a_suppression_between_the_launch_and_the_sending_counts(house: House, campaign: Campaign):
    say(house, "Stop")
    (waiting,) = house.app.work.find(house.now, [WorkKind.CONFIRM])
    house.app.work.do(waiting, house.clock)
    (freeze,) = house.app.work.find(house.now)
    house.app.work.do(freeze, house.clock)
    with house.app.state.write() as session:
        suppressions.lift_suppressions(
            session, campaign.account_id, [MSISDN], SuppressionSource.STOP, Lifting("Ada", house.now, "A mistake")
        )
        suppressions.add_suppressions(session, campaign.account_id, [MSISDN], make_origin(created_at=house.now))
    work(house)
    (told,) = confirmations(house)
    found = house.app.reports.reporting.reconciliation(house.viewer, told.campaign_id)
    assert (found.sent_count, found.excluded, found.balances) == (0, {"suppressed": 1}, True)


def test_a_closed_account_confirms_when_it_is_open_again_but_not_days_later(house: House, campaign: Campaign):
    say(house, "Stop")
    say(house, "Stop", "+491796000001")
    managing = house.app.accounts.managing
    managing.deactivate(house.viewer, campaign.account_id, house.now)
    confirm(house)
    assert confirmations(house) == []
    managing.activate(house.viewer, campaign.account_id, house.now)
    confirm(house)
    (told,) = confirmations(house)
    assert told.audience_count == 2
    say(house, "Stop", "+491796000002")
    managing.deactivate(house.viewer, campaign.account_id, house.now)
    house.wait(timedelta(hours=25))
    managing.activate(house.viewer, campaign.account_id, house.now)
    confirm(house)
    assert len(confirmations(house)) == 1
    assert house.app.work.find(house.now, [WorkKind.CONFIRM]) == []


def test_numbers_that_cannot_be_stored_are_told_later(
    house: House, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
):
    assert campaign.source
    say(house, "Stop")
    contacts_of = house.app.campaigns.confirming._placing._contacts

    def away(*_: object) -> None:
        raise StorageError("The lake is away.")

    with monkeypatch.context() as patched:
        patched.setattr(contacts_of, "replace", away)
        with pytest.raises(StorageError):
            house.app.work.do(Work(WorkKind.CONFIRM), house.clock)
    assert confirmations(house) == []
    confirm(house)
    assert len(confirmations(house)) == 1
    assert Journal(house.app.settings.simulator_path).list_repeated() == []


def place_one(house: House) -> Campaign:
    """Let a STOP be confirmed as far as to its campaign, of which nothing is sent yet."""
    say(house, "Stop")
    (waiting,) = house.app.work.find(house.now, [WorkKind.CONFIRM])
    house.app.work.do(waiting, house.clock)
    (told,) = confirmations(house)
    return told


def count_canceled(house: House, told: Campaign) -> tuple[int, dict[str, int]]:
    work(house)
    found = house.app.reports.reporting.reconciliation(house.viewer, told.campaign_id)
    assert found.balances
    return found.sent_count, found.excluded


def test_who_says_start_before_a_confirmation_that_waits_is_told_nothing(house: House, campaign: Campaign):
    assert campaign.source
    told = place_one(house)
    house.wait(timedelta(seconds=1))
    say(house, "Start")
    assert count_canceled(house, told) == (0, {"canceled": 1})


def test_a_confirmation_that_has_waited_for_days_is_not_sent(house: House, campaign: Campaign):
    assert campaign.source
    told = place_one(house)
    house.wait(timedelta(days=1))
    assert count_canceled(house, told) == (0, {"canceled": 1})


def test_who_was_held_up_while_another_confirmed_tells_nobody_again(
    house: House, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
):
    assert campaign.source
    say(house, "Stop")
    confirming = house.app.campaigns.confirming
    send = confirming._send

    def send_late(*facts: object) -> None:
        # The process stands still until its lease is over, and another does all of it.
        monkeypatch.setattr(confirming, "_send", send)
        house.wait(timedelta(minutes=1))
        house.app.work.do(Work(WorkKind.CONFIRM), house.clock)
        send(*facts)

    monkeypatch.setattr(confirming, "_send", send_late)
    confirm(house)
    assert len(confirmations(house)) == 1
    assert Journal(house.app.settings.simulator_path).list_repeated() == []


def test_while_one_is_paused_for_want_of_money_no_more_are_made(house: House, campaign: Campaign):
    settings = AccountSettings(house.account.gateway, house.account.rate_tps, Decimal(0), stop_confirmation=TEXT)
    managing = house.app.accounts.managing
    managing.change(house.viewer, campaign.account_id, settings, house.now)
    for number in range(3):
        say(house, "Stop", f"+49179600000{number}")
        confirm(house)
        house.wait(timedelta(seconds=10))
    (paused,) = confirmations(house)
    assert (paused.status, paused.audience_count) == (CampaignStatus.PAUSED, 1)
    managing.change(house.viewer, campaign.account_id, replace(settings, budget_eur=None), house.now)
    house.app.campaigns.controlling.resume(house.viewer, paused.campaign_id, house.now)
    work(house)
    confirm(house)
    assert [(each.status, each.audience_count) for each in confirmations(house)] == [
        (CampaignStatus.COMPLETED, 1),
        (CampaignStatus.COMPLETED, 2),
    ]


def test_one_that_is_paused_for_days_holds_no_others_up(house: House, campaign: Campaign):
    told = place_one(house)
    (freeze,) = house.app.work.find(house.now)
    house.app.work.do(freeze, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, told.campaign_id, house.now)
    house.wait(timedelta(days=1))
    say(house, "Stop", "+491796000001")
    confirm(house)
    assert campaign.account_id == told.account_id
    assert [each.status for each in confirmations(house)] == [CampaignStatus.PAUSED, CampaignStatus.COMPLETED]


@pytest.mark.parametrize("text", ["x" * 460, "ж" * 202, "a\x00b"])
def test_a_text_that_cannot_be_sent_is_refused(house: House, text: str):
    with pytest.raises(InvalidInput) as refused:
        confirm_with(house, text)
    assert refused.value.field == "stop_confirmation"
    assert replace(house.account, stop_confirmation="") == house.account
