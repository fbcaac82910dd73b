"""Answers that came after their time."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LateAnswer, LedgerState
from core.state.accounts import accounts
from core.state.campaigns import campaigns, late_answers, ledger, receipts
from core.state.campaigns.ledger import Claim, Outcome
from core.state.engine.store import State
from core.state.upkeep.waiting import look
from tests.support.application.factories import NOW, make_account, make_campaign, make_receipt
from tests.support.stores.inbox import list_inbox

LATER = NOW + timedelta(days=1)
ANSWER = LateAnswer("simulator", "message-1", "theirs-1", NOW, ("part-1",))


@pytest.fixture
def unknown(state: State) -> State:
    """Return a store with a batch of one message by "simulator" of which nothing is known."""
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.ACTIVE, audience_count=1, launched_at=NOW))
        ledger.add_batches(session, "campaign-1", [(1, 1)])
        batch = ledger.lease_batch(session, "campaign-1", "one", NOW, LATER)
        ledger.claim(session, batch, [Claim("message-1", "+49179600001", "simulator")], NOW)
        ledger.record_outcomes(session, [Outcome("message-1", LedgerState.UNKNOWN, NOW)])
    return state


def is_waiting(session: Session) -> bool:
    return look(session.connection(), NOW).has_receipts


def test_it_waits_until_its_message_has_left_the_ledger_and_is_settled_once(unknown: State):
    with unknown.write() as session:
        late_answers.add_late_answers(session, [])
        late_answers.add_late_answers(session, [ANSWER, LateAnswer("simulator", "message-2", "theirs-2", NOW)])
        # The second is of no batch any more.
        assert [answer.message_id for answer in late_answers.list_due(session, 10)] == ["message-2"]
        assert late_answers.mark_settled(session, ["message-2"]) == {"message-2"}
        assert not is_waiting(session)
        ledger.settle_batch(session, "campaign-1-1")
        assert is_waiting(session)
        (due,) = late_answers.list_due(session, 10)
        assert (due.message_id, due.gateway, due.gateway_message_id, due.answered_at) == (
            "message-1",
            "simulator",
            "theirs-1",
            NOW,
        )
        assert late_answers.mark_settled(session, ["message-1", "message-2"]) == {"message-1"}
        # It comes again, as from a worker that did not hear that it was kept.
        late_answers.add_late_answers(session, [ANSWER])
        assert late_answers.list_due(session, 10) == ()
        assert not is_waiting(session)


def test_receipts_that_waited_for_it_are_due_again_those_of_its_parts_too(unknown: State):
    came = [make_receipt(gateway="simulator", gateway_message_id=each) for each in ("theirs-1", "part-1", "x")]
    with unknown.write() as session:
        receipts.add_receipts(session, came, NOW)
        receipts.postpone(session, [item.receipt_id for item in list_inbox(session, NOW, 9)], 0, LATER)
        late_answers.add_late_answers(session, [ANSWER])
        assert list_inbox(session, NOW, 9) == ()
        receipts.make_due_of(session, "another", ["theirs-1"], NOW)
        assert list_inbox(session, NOW, 9) == ()
        receipts.make_due_of(session, "simulator", ["theirs-1"], NOW)
        assert [item.receipt.gateway_message_id for item in list_inbox(session, NOW, 9)] == ["theirs-1"] * 2


def test_they_are_forgotten(unknown: State):
    with unknown.write() as session:
        late_answers.add_late_answers(session, [ANSWER])
        assert late_answers.delete_old(session, NOW) == 0
        assert late_answers.delete_old(session, LATER) == 1
