"""After the clock was set back nothing waits for the old time."""

from datetime import timedelta

from sqlalchemy import select

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.replies import Keyword
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger, receipts, replies
from core.state.campaigns.replies import HeardReply
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.people.links import Link, Purpose
from core.state.tables.models import ReceiptRow
from core.state.tables.people_models import AttemptRow, SessionRow
from core.state.upkeep.mending import Furthest, mend_times
from tests.support.application.factories import NOW, make_account, make_campaign, make_receipt, make_reply, make_user
from tests.support.stores.inbox import list_inbox

LEASE = timedelta(seconds=15)
FURTHEST = Furthest(
    lease=LEASE,
    receipt=timedelta(hours=4),
    reply=timedelta(hours=12),
    attempt=timedelta(hours=1),
    export=timedelta(days=1),
    invitation=timedelta(days=7),
    link=timedelta(hours=1),
)
# The clock stood there when everything was stored; now it is NOW.
THEN = NOW + timedelta(hours=3)


def test_a_dead_worker_s_lease_from_before_runs_out_and_a_live_one_is_renewed(state: State):
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.ACTIVE, audience_count=2, launched_at=NOW))
        ledger.add_batches(session, "campaign-1", [(1, 1), (2, 1)])
        dead = ledger.lease_batch(session, "campaign-1", "dead", THEN, THEN + LEASE)
        alive = ledger.lease_batch(session, "campaign-1", "alive", THEN, THEN + LEASE)
        assert dead is not None
        assert alive is not None
        assert mend_times(session, NOW, FURTHEST) == 2
        assert ledger.lease_batch(session, "campaign-1", "another", NOW, NOW + LEASE) is None
        later = NOW + LEASE * 2
        assert ledger.renew_batch(session, alive.batch_id, "alive", later + LEASE)
        assert ledger.lease_batch(session, "campaign-1", "another", later, later + LEASE) == dead
        assert mend_times(session, later, FURTHEST) == 0


def test_receipts_are_due_and_nobody_is_locked_out_or_in_for_longer(state: State):
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        receipts.add_receipts(session, [make_receipt(), make_receipt(gateway_message_id="stray")], THEN)
        _, stray = list_inbox(session, THEN, 10)
        receipts.postpone(session, [stray.receipt_id], 0, THEN + FURTHEST.receipt)
        said = make_reply(received_at=THEN)
        replies.add_replies(session, [HeardReply(said, "+491796000001", Keyword.NONE, ())], THEN)
        sessions.add_session(session, "token", "user-1", THEN)
        sessions.record_failure(session, "somebody", 9, THEN + timedelta(minutes=15))
        assert mend_times(session, NOW, FURTHEST) == 6
    with state.read() as session:
        assert (len(list_inbox(session, NOW, 10)), len(replies.list_due(session, NOW, 10))) == (2, 1)
        assert session.scalar(select(SessionRow.active_at)) == session.scalar(select(SessionRow.created_at)) == NOW
        assert session.scalar(select(AttemptRow.blocked_until)) == NOW + FURTHEST.attempt


def test_a_link_opens_its_door_for_no_longer_than_one_of_its_kind(state: State):
    lifetimes = {
        Purpose.INVITATION: FURTHEST.invitation,
        Purpose.PASSWORD_RESET: FURTHEST.link,
        Purpose.EMAIL_CHANGE: FURTHEST.link,
    }
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        for purpose, lifetime in lifetimes.items():
            links.add_link(session, purpose, purpose, Link("user-1", "ada@example.com", THEN + lifetime), THEN)
        assert mend_times(session, NOW, FURTHEST) == len(lifetimes)
        for purpose, lifetime in lifetimes.items():
            assert links.find_link(session, purpose, purpose, NOW + lifetime / 2) is not None
            assert links.find_link(session, purpose, purpose, NOW + lifetime) is None
        assert mend_times(session, NOW, FURTHEST) == 0


def test_what_can_be_so_stays_so(state: State):
    with state.write() as session:
        receipts.add_receipts(session, [make_receipt()], NOW)
        (waiting,) = list_inbox(session, NOW, 10)
        receipts.postpone(session, [waiting.receipt_id], 0, NOW + FURTHEST.receipt)
        sessions.record_failure(session, "somebody", 9, NOW + timedelta(minutes=15))
        assert mend_times(session, NOW, FURTHEST) == 0
        # Another worker read its clock a moment later.
        assert mend_times(session, NOW - timedelta(seconds=2), FURTHEST) == 0
        assert session.scalar(select(ReceiptRow.due_at)) == NOW + FURTHEST.receipt
