"""An inactive account: nothing is sent, single messages are closed, groups of them still count."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from core.domain.accounts.accounts import INACTIVE_FAULT
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.cdr import TrafficImportStatus
from core.domain.messages.messages import OutboundMessage, SubmitResult
from core.domain.people.permissions import Viewer
from core.domain.reports.exports import ExportFormat, ExportStatus
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy
from core.errors import Forbidden, InvalidInput, NotFound
from core.services.campaigns.quick_sending import QuickMessage
from core.services.reports.export_requests import MessagesRequest
from core.services.reports.reporting import StatisticsRequest
from core.state.campaigns import campaigns
from core.state.people.sessions import Browser
from tests.support.application import cdr
from tests.support.application.house import PASSWORD, House, contacts, make_house


def close(house: House) -> str:
    """Deactivate the account; the house's person learns of it as in the browser, with the next request."""
    account_id = next(iter(house.viewer.account_ids))
    house.app.accounts.managing.deactivate(house.viewer, account_id, house.now)
    house.viewer = house.app.people.adding.get_viewer(house.viewer.email)
    return account_id


def reopen(house: House) -> None:
    house.app.accounts.managing.activate(house.viewer, next(iter(house.viewer.account_ids)), house.now)
    house.viewer = house.app.people.adding.get_viewer(house.viewer.email)


def sent(house: House, count: int = 5) -> str:
    launched = house.launch(house.upload(contacts(count)).list_id)
    house.app.work.run_until_idle(house.clock)
    return launched.campaign_id


def test_the_viewer_knows_which_accounts_are_inactive_in_the_browser_too(house: House) -> None:
    account_id = close(house)
    token = house.app.people.signing_in.sign_in(house.viewer.email, PASSWORD, Browser("192.0.2.1"), house.now)
    found = house.app.people.signing_in.identify(token, house.now)
    for viewer in (found, house.viewer):
        assert (viewer.account_ids, viewer.inactive_ids, viewer.open_ids) == ({account_id}, {account_id}, frozenset())


def test_nothing_is_launched_or_sent(house: House) -> None:
    found = house.upload(contacts(3))
    draft = house.draft(found.list_id)
    saved = house.app.campaigns.composing.save(house.viewer, draft, house.now)
    account_id = close(house)
    order = QuickMessage(str(uuid4()), account_id, "HELIOGRAPH", ("+491796000001",), "Hello")
    for ask in (
        lambda: house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now),
        lambda: house.app.campaigns.quick_sending.send(house.viewer, order, house.now),
        lambda: house.app.campaigns.quick_sending.estimate(house.viewer, order, house.now),
        lambda: house.app.campaigns.composing.save(house.viewer, draft, house.now),
        lambda: house.app.campaigns.composing.clone(house.viewer, saved.campaign_id, "A copy", house.now),
        lambda: house.app.campaigns.quick_sending.send_test(
            house.viewer, saved.campaign_id, "+491796000001", 0, str(uuid4()), house.now
        ),
    ):
        with pytest.raises(Forbidden, match="may not send"):
            ask()
    assert house.app.accounts.managing.list_sending(house.viewer) == ()


def test_a_campaign_being_sent_is_paused_and_goes_on_only_when_somebody_says_so(house: House) -> None:
    campaign_id = house.launch(house.upload(contacts(20)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.ACTIVE
    close(house)
    paused = house.campaign(campaign_id)
    assert (paused.status, paused.fault) == (CampaignStatus.PAUSED, INACTIVE_FAULT)
    with pytest.raises(Forbidden):
        house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    reopen(house)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    done = house.app.reports.reporting.reconciliation(house.viewer, campaign_id)
    assert house.campaign(campaign_id).status is CampaignStatus.COMPLETED
    assert done.balances
    assert (done.audience_count, done.pending_count) == (20, 0)


def test_a_campaign_that_somebody_paused_stays_as_it_is_and_can_be_canceled(house: House) -> None:
    campaign_id = house.launch(house.upload(contacts(3)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, campaign_id, house.now)
    close(house)
    assert house.campaign(campaign_id).fault == ""
    house.app.campaigns.controlling.cancel(house.viewer, campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id).excluded == {"canceled": 3}


def test_a_worker_stops_in_the_middle_of_a_batch(tmp_path) -> None:
    house = make_house(tmp_path, sub_window=5)
    campaign_id = house.launch(house.upload(contacts(30)).list_id).campaign_id
    house.app.campaigns.launching.freeze(campaign_id, house.clock)
    simulator, submit = house.simulator, house.simulator.submit
    handed_over = []

    def submit_and_close(messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        handed_over.extend(messages)
        if len(handed_over) == 10:
            close(house)
        return submit(messages, now, *rest)

    simulator.submit = submit_and_close
    house.app.work.run_until_idle(house.clock)
    assert len(handed_over) == 10
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    reopen(house)
    house.app.campaigns.controlling.resume(house.viewer, campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert len({message.msisdn for message in handed_over}) == len(handed_over) == 30
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id).balances
    house.app.close()


def test_a_campaign_that_becomes_active_afterwards_sends_nothing(house: House) -> None:
    campaign_id = house.launch(house.upload(contacts(3)).list_id).campaign_id
    close(house)
    # It was being frozen meanwhile.
    house.app.work.run_until_idle(house.clock)
    assert (house.campaign(campaign_id).status, house.campaign(campaign_id).fault) == (
        CampaignStatus.PAUSED,
        INACTIVE_FAULT,
    )
    # Somebody resumed it in the moment of the deactivation.
    with house.app.state.write() as session:
        campaigns.move_campaign(session, campaign_id, CampaignStatus.ACTIVE, fault="")
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign_id).status is CampaignStatus.PAUSED
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id).pending_count == 3


def test_single_messages_are_closed_and_groups_still_count(house: House) -> None:
    campaign_id = sent(house)
    query = MessageQuery(house.viewer.account_ids, house.everything())
    (message_id, *_) = house.app.reports.reporting.messages(house.viewer, query, 1, 10).table["message_id"].to_pylist()

    def counted(viewer: Viewer) -> tuple[int, int]:
        request = StatisticsRequest(house.everything(), (GroupBy.ACCOUNT,))
        groups = house.app.reports.reporting.statistics(viewer, request).table
        traffic = house.app.reports.reporting.traffic(viewer, house.everything())
        return sum(groups["sent"].to_pylist()), traffic.total

    before = counted(house.viewer)
    assert before[0] > 0
    close(house)
    assert counted(house.viewer) == before
    assert house.app.reports.reporting.messages(house.viewer, query, 1, 10).table.num_rows == 0
    assert house.app.reports.reporting.count_messages(house.viewer, query) == 0
    assert house.app.reports.reporting.all_messages(house.viewer, query)[0] == 0
    with pytest.raises(Forbidden, match="inactive"):
        house.app.reports.tracing.get(house.viewer, message_id)
    with pytest.raises(Forbidden, match="inactive"):
        house.app.sending.reconciling.rows(house.viewer, campaign_id, "sent", None, 1, 5)
    # Who does not belong to the account learns nothing of it.
    with pytest.raises(NotFound):
        house.app.reports.tracing.get(replace(house.viewer, account_ids=frozenset()), message_id)
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign_id).balances
    reopen(house)
    assert house.app.reports.reporting.messages(house.viewer, query, 1, 10).table.num_rows == before[0]


def test_a_file_of_messages_is_not_handed_out_while_the_account_is_inactive(house: House) -> None:
    sent(house)
    request = MessagesRequest(MessageQuery(house.viewer.account_ids, house.everything()), ("Receiver",))
    export = house.app.reports.exporting.start(house.viewer, request, ExportFormat.CSV, house.now)
    house.app.reports.exporting.run(export.export_id, house.clock)
    assert house.app.reports.exporting.list_mine(house.viewer)[0].status is ExportStatus.READY
    assert house.app.reports.exporting.fetch(house.viewer, export.export_id, house.now)
    close(house)
    with pytest.raises(NotFound):
        house.app.reports.exporting.fetch(house.viewer, export.export_id, house.now)
    reopen(house)
    assert house.app.reports.exporting.fetch(house.viewer, export.export_id, house.now)


def test_a_scheduled_campaign_becomes_a_draft_again(house: House) -> None:
    later = house.now + timedelta(hours=2)
    campaign_id = house.launch(house.upload(contacts(3)).list_id, schedule_at=later).campaign_id
    close(house)
    house.wait(timedelta(hours=2, minutes=1))
    house.app.work.run_until_idle(house.clock)
    found = house.campaign(campaign_id)
    assert found.status is CampaignStatus.INACTIVE
    assert "may no longer send" in found.fault


def test_a_file_uploaded_before_is_not_imported_while_the_account_is_inactive(house: House) -> None:
    account = cdr.open_outside(house)
    import_id = cdr.upload(house, account, cdr.records(1)).import_id
    mapping = house.app.traffic.propose(house.viewer, import_id).mapping
    house.app.accounts.managing.deactivate(house.viewer, account.account_id, house.now)
    with pytest.raises(InvalidInput, match="inactive"):
        house.app.traffic.begin(house.viewer, import_id, mapping)
    assert house.app.traffic.get(house.viewer, import_id).status is TrafficImportStatus.TO_MAP
