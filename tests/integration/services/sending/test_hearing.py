"""What gateways hear unasked is kept whole, or not at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.domain.campaigns.campaigns import Reconciliation
from core.domain.messages.messages import Reply
from core.errors import StorageError
from core.services.sending.hearing import Hearing
from core.services.sending.replying import keep_replies
from core.state.tables.gateway_models import ReplyRow
from tests.support.application.factories import make_receipt
from tests.support.application.house import House, contacts


def make_reply(house: House, reference: str = "their-1") -> Reply:
    return Reply("simulator", "+491796000001", "HELIOGRAPH", "STOP", house.now, reference)


def count_replies(house: House) -> int:
    with house.app.state.read() as session:
        return session.scalar(select(func.count()).select_from(ReplyRow))


@pytest.fixture
def hearing(house: House) -> Hearing:
    return Hearing(house.app.state, house.clock, keep_replies)


def test_receipts_come_into_history_and_replies_are_kept(house: House, hearing: Hearing):
    house.launch(house.upload(contacts(2)).list_id)
    house.app.work.run_until_idle(house.clock)
    theirs = [each.gateway_message_id for each in house.simulator.journal.list_accepted()]
    told = [make_receipt(gateway_message_id=key, done_at=house.now) for key in theirs]
    for _ in range(2):
        hearing.store(told, [make_reply(house)])
    assert (house.app.sending.receiving.count_waiting(), count_replies(house)) == (2, 1)
    assert house.app.sending.receiving.merge(house.clock).merged_count == 2
    assert house.app.reports.reporting.traffic(house.viewer, house.everything()).delivered == 2


def test_who_says_stop_is_excluded_from_the_next_launch_and_who_says_start_is_back(house: House, hearing: Hearing):
    def launch(name: str) -> Reconciliation:
        campaign = house.launch(house.upload(contacts(3), name=name).list_id)
        house.app.work.run_until_idle(house.clock)
        return house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)

    assert launch("First").sent_count == 3
    hearing.store([], [make_reply(house)])
    stopped = launch("Second")
    assert (stopped.sent_count, dict(stopped.excluded)) == (2, {"suppressed": 1})
    house.wait(timedelta(minutes=1))
    hearing.store([], [replace(make_reply(house, "their-2"), text="Start")])
    assert launch("Third").sent_count == 3


def test_nothing_is_kept_of_what_the_store_did_not_take_whole(house: House):
    def break_down(*_: object) -> None:
        raise StorageError("The state store cannot be written.")

    broken = Hearing(house.app.state, house.clock, break_down)
    with pytest.raises(StorageError):
        broken.store([make_receipt()], [make_reply(house)])
    assert (house.app.sending.receiving.count_waiting(), count_replies(house)) == (0, 0)


def test_the_application_gives_its_gateways_an_inbox_that_keeps_both(house: House):
    inbox = house.app.accounts.gateways._tools.inbox
    inbox.store([make_receipt()], [make_reply(house)])
    assert (house.app.sending.receiving.count_waiting(), count_replies(house)) == (1, 1)
