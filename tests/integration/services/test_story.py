"""One campaign through every service, on the real stores and the simulator."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.paging import PageRequest
from core.domain.reports.statistics import GroupBy
from core.errors import InvalidInput, InvalidTransition
from core.files.imports.sample import sample_csv, sample_xlsx
from core.gateways.simulator.gateway import Behavior, SimulatorGateway
from core.services.reports.reporting import StatisticsRequest
from core.state.accounts import accounts
from tests.support.application.house import MONTH, House, contacts, make_house


def merge_all(house: House) -> None:
    house.wait(MONTH / 2)
    while house.app.sending.receiving.collect(house.clock):
        house.app.sending.receiving.merge(house.clock)


def assert_all_agree(house: House, campaign_id: str) -> int:
    app, viewer = house.app, house.viewer
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    assert found.balances
    history = app.reports.reporting.messages(viewer, MessageQuery(viewer.account_ids, house.everything()), 1, 100)
    groups = (GroupBy.COUNTRY, GroupBy.DAY)
    statistics = app.reports.reporting.statistics(viewer, StatisticsRequest(house.everything(), groups))
    traffic = app.reports.reporting.traffic(viewer, house.everything())
    assert {history.total, sum(statistics.table["sent"].to_pylist()), traffic.total} == {found.sent_count}
    assert traffic.delivered + traffic.undelivered + traffic.transmitted == traffic.total
    return found.sent_count


@pytest.mark.parametrize(("name", "content"), [("sample.csv", sample_csv), ("sample.xlsx", sample_xlsx)])
def test_the_sample_becomes_a_list(house: House, name: str, content):
    found = house.upload(content(), file_name=name)
    assert (found.status, found.entry_count) == (ListStatus.READY, 3)
    assert found.columns == ("PhoneNumber", "Placeholder1", "Placeholder2", "Placeholder3")


def test_ten_thousand_people_get_one_message_each_whatever_the_networks_do(tmp_path: Path):
    house = make_house(tmp_path, lifelike=True)
    found = house.upload(contacts(10_000) + "491796000000,Again,London\n12345,Nobody,\n")
    assert (found.entry_count, found.duplicate_count, found.rejected_count) == (10_000, 1, 1)
    campaign = house.launch(found.list_id)
    assert campaign.status is CampaignStatus.PROCESSING
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    sent = assert_all_agree(house, campaign.campaign_id)
    merge_all(house)
    assert assert_all_agree(house, campaign.campaign_id) == sent
    receivers = Counter(accepted.msisdn for accepted in house.simulator.journal.list_accepted())
    assert max(receivers.values()) == 1
    unknown = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).unknown_count
    assert len(receivers) == sent + unknown
    traffic = house.app.reports.reporting.traffic(house.viewer, house.everything())
    assert traffic.delivered > 0.85 * sent
    assert traffic.cost_eur_cents == sent * 5
    house.app.close()


def test_every_recipient_gets_his_or_her_own_text(house: House):
    found = house.upload(contacts(3))
    campaign = house.launch(found.list_id, message="Hello {FirstName}{{x}", placeholders={"FirstName": "FirstName"})
    house.app.work.run_until_idle(house.clock)
    with house.app.lake.read() as cursor:
        texts = cursor.execute(
            "SELECT text FROM lake.audience WHERE campaign_id = ? ORDER BY position", [campaign.campaign_id]
        ).fetchall()
    assert [text for (text,) in texts] == ["Hello Beau 0{{x}", "Hello Beau 1{{x}", "Hello Beau 2{{x}"]


def test_a_draft_is_kept_and_previewed_for_each_recipient(house: House):
    found = house.upload(contacts(3))
    draft = house.draft(found.list_id)
    saved = house.app.campaigns.composing.save(house.viewer, draft, house.now)
    assert house.campaign(saved.campaign_id).status is CampaignStatus.INACTIVE
    texts = [house.app.campaigns.composing.preview(house.viewer, draft, position).text for position in (0, 2, 99, -1)]
    assert texts == ["Hello Beau 0", "Hello Beau 2", "Hello Beau 2", "Hello Beau 0"]
    page = house.app.campaigns.composing.page(house.viewer, PageRequest(search="GREETING"))
    assert [item.campaign_id for item in page.items] == [saved.campaign_id]


def test_launching_twice_sends_once(house: House):
    found = house.upload(contacts(20))
    campaign = house.launch(found.list_id)
    with pytest.raises(InvalidTransition):
        house.app.campaigns.launching.launch(house.viewer, campaign.campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    house.app.work.run_until_idle(house.clock)
    assert house.simulator.journal.list_repeated() == []
    assert house.simulator.journal.count_accepted() == 20


def test_a_list_may_be_deleted_once_it_is_frozen(house: House):
    found = house.upload(contacts(20))
    campaign = house.launch(found.list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    house.app.lists.delete(house.viewer, found.list_id, house.now)
    house.app.work.run_until_idle(house.clock)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.COMPLETED
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).audience_count == 20


def test_a_campaign_whose_list_is_gone_is_a_draft_again_and_says_why(house: House):
    found = house.upload(contacts(20))
    saved = house.app.campaigns.composing.save(house.viewer, house.draft(found.list_id), house.now)
    house.app.lists.delete(house.viewer, found.list_id, house.now)
    with pytest.raises(InvalidInput, match="no longer exists"):
        house.app.campaigns.launching.launch(house.viewer, saved.campaign_id, house.now)


def test_the_account_s_rate_is_never_exceeded(tmp_path: Path):
    house = make_house(tmp_path, default_rate_tps=50)
    campaign = house.launch(house.upload(contacts(200)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)

    def ticking() -> "object":
        house.wait(timedelta(milliseconds=20))
        return house.now

    while house.app.sending.submitting.list_sendable(house.now):
        house.app.sending.submitting.run(campaign.campaign_id, ticking)
    moments = sorted(accepted.accepted_at for accepted in house.simulator.journal.list_accepted())
    assert len(moments) == 200
    seconds = [sum(begin <= moment < begin + timedelta(seconds=1) for moment in moments) for begin in moments]
    assert max(seconds) <= 50
    house.app.close()


def test_nothing_leaves_while_the_gateway_is_unavailable(house: House):
    campaign = house.launch(house.upload(contacts(100)).list_id)
    house.simulator.faults.unavailable = True
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    stop_after(house, 3)
    house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert (found.pending_count, found.unknown_count, found.balances) == (100, 0, True)


def test_a_silent_peer_leaves_messages_unknown_and_they_are_not_sent_again(house: House):
    campaign = house.launch(house.upload(contacts(100)).list_id)
    house.simulator.faults.silent = True
    house.app.work.run_until_idle(house.clock)
    house.simulator.faults.silent = False
    house.app.work.run_until_idle(house.clock)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert found.unknown_count == house.simulator.journal.count_accepted() == 100
    assert found.balances
    assert found.pending_count == 0
    assert house.simulator.journal.list_repeated() == []
    assert assert_all_agree(house, campaign.campaign_id) == 0


def test_bad_credentials_pause_the_campaign_and_say_so(house: House):
    campaign = house.launch(house.upload(contacts(100)).list_id)
    house.simulator.faults.bad_credentials = True
    house.app.work.run_until_idle(house.clock)
    stopped = house.campaign(campaign.campaign_id)
    assert (stopped.status, "credentials" in stopped.fault) == (CampaignStatus.PAUSED, True)
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).pending_count == 100


def test_a_throttling_gateway_gets_everything_in_the_end(house: House):
    slow = SimulatorGateway(house.app.settings.simulator_path, Behavior(seed=1, max_tps=100))
    house.app.accounts.gateways.get("simulator").gateway = slow
    campaign = house.launch(house.upload(contacts(300)).list_id)

    def ticking() -> "object":
        house.wait(timedelta(milliseconds=50))
        return house.now

    house.app.work.run_until_idle(ticking)
    found = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert (found.pending_count, found.balances) == (0, True)
    assert slow.journal.list_repeated() == []


def test_receipts_that_come_before_their_message_wait_for_it(house: House):
    campaign = house.launch(house.upload(contacts(50)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    messages = house.app.sending.submitting._tools.settling  # the step that is held back
    settle, messages.settle = messages.settle, lambda *_: None
    house.app.sending.submitting.run(campaign.campaign_id, house.clock)
    house.wait(timedelta(days=1))
    house.app.sending.receiving.collect(house.clock)
    early = house.app.sending.receiving.merge(house.clock)
    assert (early.merged_count, early.postponed_count > 0) == (0, True)
    messages.settle = settle
    # Tried again as soon as their messages are there, whatever they were put off to.
    house.app.work.run_until_idle(house.clock)
    assert house.app.sending.receiving.count_waiting() == 0


def test_receipts_of_nobody_are_given_up_after_three_days(house: House):
    campaign = house.launch(house.upload(contacts(50)).list_id)
    house.simulator.faults.silent = True
    house.app.work.run_until_idle(house.clock)
    house.wait(timedelta(hours=1))
    waiting = house.app.sending.receiving.collect(house.clock)
    house.app.sending.receiving.merge(house.clock)
    assert house.app.sending.receiving.count_waiting() == waiting > 0
    house.wait(timedelta(days=4))
    assert house.app.sending.receiving.merge(house.clock).abandoned_count == waiting
    assert house.app.sending.receiving.count_waiting() == 0
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).balances


def test_a_slow_account_gets_small_batches(house: House):
    with house.app.state.write() as session:
        accounts.set_rate(session, house.account.account_id, 20)
    campaign = house.launch(house.upload(contacts(250)).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    with house.app.lake.read() as cursor:
        rows = cursor.execute("SELECT count(*) FROM lake.audience GROUP BY batch_no ORDER BY batch_no").fetchall()
    assert [count for (count,) in rows] == [50] * 5


def stop_after(house: House, submits: int) -> None:
    """Ask sending to stop after the gateway has been tried a few times."""
    gateway = house.simulator
    attempt = gateway.submit
    tries = []

    def counting(messages, now, *rest: object):
        tries.append(1)
        if len(tries) >= submits:
            house.app.work.stop()
        return attempt(messages, now, *rest)

    gateway.submit = counting
