"""Receipts that name another part of a long message."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LedgerState
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger, part_ids, receipts
from core.state.campaigns.ledger import Claim, Outcome
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_campaign, make_receipt
from tests.support.stores.inbox import list_inbox

LATER = NOW + timedelta(days=1)
MESSAGES = {"message-1": ("last-1", ("first-1", "second-1")), "message-2": ("last-2", ())}


@pytest.fixture
def sent(state: State) -> State:
    """Return a store with a batch of two messages by "simulator", the first of three parts."""
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.ACTIVE, audience_count=2, launched_at=NOW))
        ledger.add_batches(session, "campaign-1", [(1, 2)])
        batch = ledger.lease_batch(session, "campaign-1", "one", NOW, LATER)
        numbers = {"message-1": "+49179600001", "message-2": "+49179600002"}
        ledger.claim(session, batch, [Claim(key, number, "simulator") for key, number in numbers.items()], NOW)
        record(session, MESSAGES)
    return state


def record(session: Session, messages: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    outcomes = [
        Outcome(message_id, LedgerState.SENT, NOW, "", theirs, part_ids=parts)
        for message_id, (theirs, parts) in messages.items()
    ]
    ledger.record_outcomes(session, outcomes)


def find_ids(session: Session) -> list[str]:
    return sorted(item.receipt.gateway_message_id for item in list_inbox(session, NOW, 100))


def test_a_receipt_of_any_part_is_the_message_s(sent: State):
    came = [
        *(make_receipt(gateway="simulator", gateway_message_id=each) for each in ("first-1", "last-1", "last-2", "x")),
        make_receipt(gateway="another", gateway_message_id="second-1"),
    ]
    with sent.write() as session:
        receipts.add_receipts(session, came, NOW)
        assert find_ids(session) == ["last-1", "last-1", "last-2", "second-1", "x"]


def test_what_waits_for_a_part_is_due_again_when_its_batch_comes(sent: State):
    came = [make_receipt(gateway="simulator", gateway_message_id=each) for each in ("second-1", "x")]
    with sent.write() as session:
        receipts.add_receipts(session, came, NOW)
        receipts.postpone(session, [item.receipt_id for item in list_inbox(session, NOW, 9)], 0, LATER)
        assert find_ids(session) == []
        receipts.make_due(session, "simulator", "campaign-1-1", NOW)
        assert find_ids(session) == ["last-1"]


def test_an_id_that_is_given_again_is_the_newest_message_s(sent: State):
    with sent.write() as session:
        record(session, {"message-2": ("last-2", ("first-1",))})
        receipts.add_receipts(session, [make_receipt(gateway="simulator", gateway_message_id="first-1")], NOW)
        assert find_ids(session) == ["last-2"]


def test_an_id_of_a_part_that_is_given_to_a_whole_message_is_that_message_s(sent: State):
    with sent.write() as session:
        # The gateway has begun to count anew.
        record(session, {"message-2": ("first-1", ())})
        came = [make_receipt(gateway="simulator", gateway_message_id=each) for each in ("first-1", "second-1")]
        receipts.add_receipts(session, came, NOW)
        assert find_ids(session) == ["first-1", "last-1"]


def test_they_are_forgotten(sent: State):
    with sent.write() as session:
        assert part_ids.delete_old(session, NOW) == 0
        assert part_ids.delete_old(session, LATER) == 2
        receipts.add_receipts(session, [make_receipt(gateway="simulator", gateway_message_id="first-1")], NOW)
        assert find_ids(session) == ["first-1"]
