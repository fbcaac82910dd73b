"""
Linking: each reply is led to the message it answers, and so to its account and campaign.

A reply names no message: it is the newest one to that number by that gateway. It may be in the ledger still, so what
cannot be said yet is looked up again, ever more seldom, for a day.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.domain.messages.replies import Keyword
from core.history.messages.answering import AnsweredMessages, Asked
from core.services.leases import Lease, Leases
from core.services.sending.replying import follow_wishes
from core.state.accounts import accounts
from core.state.campaigns import campaigns, confirmations, replies
from core.state.campaigns.confirmations import StopConfirmation
from core.state.campaigns.replies import Answered, WaitingReply
from core.state.engine.store import State
from core.state.upkeep.waiting import Waiting

log = logging.getLogger(__name__)

# So many are looked up in one go: each of them is a question to the lake.
AT_ONCE = 100
# From so many on, one look for all of them comes first.
SEVERAL = 20
# A reply waits as long again as it has waited already, within these.
RETRY_FIRST, RETRY_MOST = timedelta(seconds=10), timedelta(hours=6)
GIVE_UP = timedelta(days=1)


@dataclass(frozen=True)
class LinkedReplies:
    """What one go did, in replies."""

    linked_count: int
    postponed_count: int
    abandoned_count: int


class Linking:
    """From the reply to the message it answers."""

    def __init__(self, state: State, history: AnsweredMessages, leases: Leases) -> None:
        self._state = state
        self._history = history
        self._leases = leases

    def is_due(self, waiting: Waiting, _now: datetime) -> bool:
        """Return whether `link` has anything to do; asked all the time, so it takes no lease."""
        return waiting.has_replies

    def link(self, clock: Callable[[], datetime]) -> LinkedReplies:
        """Look up what is due; nothing while somebody else does."""
        with self._state.read() as session:
            if not replies.is_any_due(session, clock()):
                return LinkedReplies(0, 0, 0)
        with self._leases.alone("replies", clock) as lease:
            return self._link(lease, clock()) if lease else LinkedReplies(0, 0, 0)

    def _link(self, lease: Lease, now: datetime) -> LinkedReplies:
        with self._state.read() as session:
            due = replies.list_due(session, now, AT_ONCE)
            # Before the lake is asked: what leaves the ledger meanwhile is in there already.
            flying = replies.find_in_flight(session, due)
        # One in the ledger has no page yet; it is waited for, as long as that is worth it.
        landed = [reply for reply in due if reply.reply_id not in flying]
        found = {
            reply.reply_id: flying[reply.reply_id] for reply in due if reply.reply_id in flying and _is_over(reply, now)
        }
        found |= self._look_up(landed, lease)
        return self._write(due, found, now)

    def _look_up(self, landed: Sequence[WaitingReply], lease: Lease) -> dict[str, Answered]:
        asked = [
            Asked(reply.gateway, reply.msisdn, reply.receiver, reply.received_at, reply.account_ids) for reply in landed
        ]
        recent = self._history.find_recent(asked) if len(asked) >= SEVERAL else {}
        found = dict[str, Answered]()
        for number, reply in enumerate(landed):
            lease.check()
            message = recent.get(number) or self._history.find(asked[number])
            if message:
                found[reply.reply_id] = Answered(message.message_id, message.account, message.campaign_id)
        return found

    def _write(self, due: Sequence[WaitingReply], found: dict[str, Answered], now: datetime) -> LinkedReplies:
        missed = [reply for reply in due if reply.reply_id not in found]
        over = [reply for reply in missed if _is_over(reply, now)]
        late = [reply for reply in missed if not _is_over(reply, now)]
        with self._state.write() as session:
            for reply in due:
                if answered := found.get(reply.reply_id):
                    replies.link(session, reply, answered)
                    _confirm(session, reply, answered, now)
                    if answered.account_id not in reply.account_ids:
                        # Nobody knew then that it was meant for this account, too.
                        follow_wishes(session, {(answered.account_id, reply.msisdn)}, now)
            for reply in late:
                replies.put_off(session, [reply.reply_id], now + _pause(reply, now))
            replies.put_off(session, [reply.reply_id for reply in over], None)
        if over:
            log.info("replies_without_message", extra={"count": len(over)})
        return LinkedReplies(len(found), len(late), len(over))


def _confirm(session: Session, reply: WaitingReply, answered: Answered, now: datetime) -> None:
    """Let who has said STOP to a message of an account be told that it is followed, if that account does so."""
    if reply.keyword is not Keyword.STOP or not accounts.get_account(session, answered.account_id).stop_confirmation:
        return
    campaign = campaigns.find_campaign(session, answered.campaign_id)
    # A machine may answer whatever it gets: what confirms a STOP is confirmed to nobody.
    if campaign is not None and not campaign.confirms_stop:
        wanted = StopConfirmation(reply.msisdn, answered.account_id, campaign.sender_id, now)
        confirmations.ask(session, wanted)


def _is_over(reply: WaitingReply, now: datetime) -> bool:
    return now - reply.stored_at >= GIVE_UP


def _pause(reply: WaitingReply, now: datetime) -> timedelta:
    return min(max(now - reply.stored_at, RETRY_FIRST), RETRY_MOST)
