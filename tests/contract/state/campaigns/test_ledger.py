from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import Exclusion, LedgerState
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger, receipts
from core.state.campaigns.ledger import Batch, Claim, Outcome
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_campaign, make_receipt
from tests.support.stores.inbox import list_inbox

LEASE = timedelta(seconds=10)
UNTIL = NOW + LEASE
LATER = UNTIL + timedelta(seconds=1)


@pytest.fixture
def active(state: State) -> State:
    """Return a store with an active campaign of two batches, of 3 and 2 messages."""
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.ACTIVE, audience_count=5, launched_at=NOW))
        ledger.add_batches(session, "campaign-1", [(1, 3), (2, 2)])
    return state


def lease(session: Session, owner: str = "one", now=NOW) -> Batch | None:
    return ledger.lease_batch(session, "campaign-1", owner, now, now + LEASE)


def claims(batch: Batch) -> list[Claim]:
    return [
        Claim(f"message-{batch.batch_no}-{number}", f"+4917960{batch.batch_no}{number:04d}", "simulator")
        for number in range(batch.message_count)
    ]


def test_batches_are_leased_in_order_and_to_one_worker_each(active: State):
    with active.write() as session:
        first, second, third = lease(session, "one"), lease(session, "two"), lease(session, "three")
    assert first is not None
    assert second is not None
    assert (first.batch_no, second.batch_no, third) == (1, 2, None)


def test_a_lease_that_ran_out_is_its_owners_until_somebody_takes_it(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        assert ledger.renew_batch(session, batch.batch_id, "one", UNTIL)
        assert not ledger.renew_batch(session, batch.batch_id, "two", UNTIL)
        # Its owner comes back after the lease ran out, and before anybody else.
        assert ledger.renew_batch(session, batch.batch_id, "one", LATER + LEASE)
        assert lease(session, "two", LATER) != batch
        assert lease(session, "three", LATER + LEASE + LEASE) == batch
        assert not ledger.renew_batch(session, batch.batch_id, "one", LATER + LEASE)
        # Nor is it the first one's again when the other has let go of it.
        ledger.release_batch(session, batch.batch_id, "three")
        assert not ledger.renew_batch(session, batch.batch_id, "one", LATER + LEASE)


def test_a_batch_given_back_is_free_at_once(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        ledger.release_batch(session, batch.batch_id, "two")
        assert lease(session, "two") != batch
        ledger.release_batch(session, batch.batch_id, "one")
        assert lease(session, "three") == batch


def test_no_receiver_is_claimed_twice(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        ledger.claim(session, batch, claims(batch), NOW)
    with pytest.raises(IntegrityError), active.write() as session:
        ledger.claim(session, batch, [Claim("another-id", claims(batch)[0].msisdn, "simulator")], NOW)
    with pytest.raises(IntegrityError), active.write() as session:
        ledger.claim(session, batch, [Claim(claims(batch)[0].message_id, "+491796999999", "simulator")], NOW)


def test_claims_a_dead_worker_left_are_unknown(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one, two, _ = claims(batch)
        ledger.claim(session, batch, [one, two], NOW)
        ledger.record_outcomes(session, [Outcome(one.message_id, LedgerState.SENT, NOW, "", "theirs-1")])
    with active.write() as session:
        assert lease(session, "two", LATER) == batch
        states = {item.message_id: item.state for item in ledger.list_recorded(session, batch.batch_id)}
        assert states == {one.message_id: LedgerState.SENT, two.message_id: LedgerState.UNKNOWN}
        assert ledger.list_claimed_ids(session, batch.batch_id) == {one.message_id, two.message_id}


def test_while_a_campaign_waits_the_claims_of_dead_workers_alone_are_given_up(active: State):
    with active.write() as session:
        dead, alive = lease(session, "dead"), lease(session, "alive")
        assert dead is not None
        assert alive is not None
        for batch in (dead, alive):
            ledger.claim(session, batch, claims(batch), NOW)
        assert ledger.renew_batch(session, alive.batch_id, "alive", LATER + LEASE)
        # While it is sent, whoever takes the batch sees to them.
        assert ledger.list_abandoned(session, LATER) == []
        campaigns.move_campaign(session, "campaign-1", CampaignStatus.PAUSED)
        assert ledger.list_abandoned(session, UNTIL) == []
        assert ledger.list_abandoned(session, LATER) == ["campaign-1"]
        assert ledger.give_up(session, "campaign-1", LATER) == dead.message_count
        assert ledger.list_abandoned(session, LATER) == []
    with active.write() as session:
        given_up, kept = (
            {item.state for item in ledger.list_recorded(session, batch.batch_id)} for batch in (dead, alive)
        )
        assert (given_up, kept) == ({LedgerState.UNKNOWN}, set())
        assert len(ledger.list_claimed_ids(session, alive.batch_id)) == alive.message_count
        assert not ledger.renew_batch(session, dead.batch_id, "dead", LATER + LEASE)
        assert ledger.renew_batch(session, alive.batch_id, "alive", LATER + LEASE)


@pytest.mark.parametrize(("theirs", "found"), [("theirs-1", "theirs-1"), ("", ""), (None, "")])
def test_what_a_provider_calls_a_message_is_never_our_id(active: State, theirs: str | None, found: str):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one = claims(batch)[0]
        ledger.claim(session, batch, [one], NOW)
        said = one.message_id if theirs is None else theirs
        ledger.record_outcomes(session, [Outcome(one.message_id, LedgerState.SENT, NOW, "", said)])
        assert ledger.find_gateway_message_id(session, batch.campaign_id) == found


def test_an_outcome_is_written_once(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one = claims(batch)[0]
        ledger.claim(session, batch, [one], NOW)
        ledger.record_outcomes(session, [Outcome(one.message_id, LedgerState.FAILED, NOW, "0x0B")])
        ledger.record_outcomes(session, [Outcome(one.message_id, LedgerState.SENT, NOW, "", "theirs-1")])
        (recorded,) = ledger.list_recorded(session, batch.batch_id)
    assert (recorded.state, recorded.error_code) == (LedgerState.FAILED, "0x0B")


def test_given_back_claims_are_pending_again_but_outcomes_stay(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one, two, _ = claims(batch)
        ledger.claim(session, batch, [one, two], NOW)
        ledger.record_outcomes(session, [Outcome(one.message_id, LedgerState.SENT, NOW, "", "theirs-1")])
        ledger.unclaim(session, [one.message_id, two.message_id])
        assert ledger.list_claimed_ids(session, batch.batch_id) == {one.message_id}


def test_in_flight_counts_add_up_at_every_step(active: State):
    def counts() -> ledger.InFlight:
        with active.read() as session:
            return ledger.count_in_flight(session, ["campaign-1"])["campaign-1"]

    assert counts() == ledger.InFlight(pending=5, sent=0, unknown=0, failed={}, excluded={})
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one, two, three = claims(batch)
        ledger.claim(session, batch, [one, two, three], NOW)
    assert counts() == ledger.InFlight(pending=5, sent=0, unknown=0, failed={}, excluded={})
    with active.write() as session:
        outcomes = [
            Outcome(one.message_id, LedgerState.SENT, NOW, "", "theirs-1"),
            Outcome(two.message_id, LedgerState.FAILED, NOW, "0x0B"),
            Outcome(three.message_id, LedgerState.UNKNOWN, NOW),
        ]
        ledger.record_outcomes(session, outcomes)
    assert counts() == ledger.InFlight(pending=2, sent=1, unknown=1, failed={"0x0B": 1}, excluded={})
    with active.write() as session:
        assert ledger.settle_batch(session, batch.batch_id)
    assert counts() == ledger.InFlight(pending=2, sent=0, unknown=0, failed={}, excluded={})


def test_who_said_stop_is_excluded_with_the_reason_and_never_claimed(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        one, two, _ = claims(batch)
        ledger.exclude(session, batch, [one, two], Exclusion.SUPPRESSED, NOW)
        assert ledger.list_claimed_ids(session, batch.batch_id) == {one.message_id, two.message_id}
        recorded = {(item.state, item.error_code) for item in ledger.list_recorded(session, batch.batch_id)}
        flying = ledger.count_in_flight(session, ["campaign-1"])["campaign-1"]
    assert recorded == {(LedgerState.EXCLUDED, "suppressed")}
    assert flying == ledger.InFlight(pending=3, sent=0, unknown=0, failed={}, excluded={"suppressed": 2})


def test_a_batch_is_settled_once(active: State):
    with active.write() as session:
        batch = lease(session)
        assert batch is not None
        assert ledger.settle_batch(session, batch.batch_id)
        assert not ledger.settle_batch(session, batch.batch_id)
        assert ledger.count_batches(session, "campaign-1") == 1


def test_only_active_campaigns_with_a_free_batch_are_sendable(active: State):
    with active.write() as session:
        assert ledger.list_sendable(session, NOW) == ["campaign-1"]
        lease(session, "one")
        lease(session, "two")
        assert ledger.list_sendable(session, NOW) == []
        assert ledger.list_sendable(session, LATER) == ["campaign-1"]
        campaigns.move_campaign(session, "campaign-1", CampaignStatus.PAUSED)
        assert ledger.list_sendable(session, LATER) == []


def test_receipts_wait_until_they_are_due_and_leave_when_merged(state: State):
    many = [make_receipt(gateway_message_id=f"theirs-{number}") for number in range(2_500)]
    with state.write() as session:
        receipts.add_receipts(session, many, NOW)
        receipts.add_receipts(session, [], NOW)
    with state.write() as session:
        due = list_inbox(session, NOW, 10_000)
        assert [item.receipt for item in due] == many
        receipts.postpone(session, [item.receipt_id for item in due[:2_000]], 0, LATER)
        receipts.delete_receipts(session, [item.receipt_id for item in due[2_000:]])
    with state.read() as session:
        assert receipts.count_waiting(session) == 2_000
        assert list_inbox(session, NOW, 10) == ()
        again = list_inbox(session, LATER, 7)
    assert len(again) == 7
    assert all(item.try_count == 1 and item.received_at == NOW for item in again)


def test_receipts_that_found_no_message_come_after_all_others(state: State):
    def list_due(now: datetime, limit: int) -> list[str]:
        with state.read() as session:
            return [item.receipt.gateway_message_id for item in list_inbox(session, now, limit)]

    def add(*names: str, now: datetime) -> None:
        with state.write() as session:
            receipts.add_receipts(session, [make_receipt(gateway_message_id=name) for name in names], now)

    add("stray-1", "stray-2", now=NOW)
    with state.write() as session:
        receipts.postpone(session, [item.receipt_id for item in list_inbox(session, NOW, 10)], 0, NOW)
    add("first-1", "first-2", now=LATER)
    assert list_due(LATER, 3) == ["first-1", "first-2", "stray-1"]
    assert list_due(LATER, 2) == ["first-1", "first-2"]
    assert list_due(NOW, 10) == ["stray-1", "stray-2"]
    with state.read() as session:
        assert receipts.is_any_due(session, NOW)


def add_another_campaign(session: Session, status: CampaignStatus) -> None:
    campaigns.add_campaign(
        session,
        make_campaign(campaign_id="campaign-2", name="Another", status=status, audience_count=1, launched_at=NOW),
    )
    ledger.add_batches(session, "campaign-2", [(1, 1), (2, 1)])


def test_a_campaign_waits_for_a_thread_until_one_of_its_batches_is_worked_on(active: State):
    with active.write() as session:
        assert not ledger.do_others_wait(session, "campaign-1", NOW)
        add_another_campaign(session, CampaignStatus.ACTIVE)
        assert ledger.do_others_wait(session, "campaign-1", NOW)
        ledger.lease_batch(session, "campaign-2", "one", NOW, UNTIL)
        assert not ledger.do_others_wait(session, "campaign-1", NOW)
        # Whoever worked on it has died.
        assert ledger.do_others_wait(session, "campaign-1", LATER)


def test_a_campaign_that_is_not_active_waits_for_nobody(active: State):
    with active.write() as session:
        add_another_campaign(session, CampaignStatus.PAUSED)
        assert not ledger.do_others_wait(session, "campaign-1", NOW)
