"""
Answering late: a message that was called unknown has an answer after all, so it is sent, and its receipts find it.

Its gateway said so after its time, or a worker that knew was held up until another had taken the batch.

Nothing is sent again for it. While its batch is in the ledger it waits: what a batch has come to is written once, by
whoever settles it. Then it moves from the unknown ones in history to the messages, and the campaign's counts follow.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pyarrow.compute as pc

from core.domain.messages.messages import LateAnswer, LedgerState
from core.history.messages.answered_late import AnsweredLate
from core.services.leases import Leases
from core.services.sending.batch_history import make_messages
from core.state.campaigns import campaigns, late_answers, receipts
from core.state.campaigns.ledger import Outcome
from core.state.engine.store import State

log = logging.getLogger(__name__)

AT_ONCE = 2_000
# Settled ones are remembered for much longer than a worker could say one again.
KEPT_FOR = timedelta(days=14)


class AnsweringLate:
    """From the answer to the message in history."""

    def __init__(self, state: State, history: AnsweredLate, leases: Leases) -> None:
        self._state = state
        self._history = history
        self._leases = leases

    def settle(self, clock: Callable[[], datetime]) -> int:
        """Settle what is due, none while somebody else does; return how many messages are sent now."""
        with self._state.read() as session:
            if not late_answers.list_due(session, 1):
                return 0
        with self._leases.alone("late answers", clock) as lease:
            return self._settle(clock()) if lease else 0

    def forget(self, now: datetime) -> int:
        """Delete answers that came long ago; return how many."""
        with self._state.write() as session:
            return late_answers.delete_old(session, now - KEPT_FOR)

    def _settle(self, now: datetime) -> int:
        with self._state.read() as session:
            due = {answer.message_id: answer for answer in late_answers.list_due(session, AT_ONCE)}
        if not due:
            return 0
        self._move(due)
        # Also what was moved before by somebody who was killed before he could count it.
        sent = self._history.find_sent({message_id: answer.answered_at for message_id, answer in due.items()})
        with self._state.write() as session:
            new = late_answers.mark_settled(session, due)
            counts = Counter(campaign_id for message_id, campaign_id in sent.items() if message_id in new)
            for campaign_id, count in sorted(counts.items()):
                campaigns.lock_campaign(session, campaign_id)
                moved = {(LedgerState.UNKNOWN.value, ""): -count, (LedgerState.SENT.value, ""): count}
                campaigns.add_outcomes(session, campaign_id, moved)
            for gateway, ids in _by_gateway([due[message_id] for message_id in sent]).items():
                receipts.make_due_of(session, gateway, ids, now)
        log.info("answered_late_settled", extra={"sent": counts.total(), "not_found": len(due) - len(sent)})
        return counts.total()

    def _move(self, due: Mapping[str, LateAnswer]) -> None:
        unknown = self._history.find_unknown(due)
        for campaign_id in sorted(set(unknown["campaign_id"].to_pylist())):
            rows = unknown.filter(pc.equal(unknown["campaign_id"], campaign_id))
            with self._state.read() as session:
                campaign = campaigns.find_campaign(session, campaign_id)
            if campaign is not None:
                outcomes = [_outcome(due[message_id]) for message_id in rows["message_id"].to_pylist()]
                self._history.take(campaign_id, make_messages(campaign, rows, outcomes))


def _outcome(answer: LateAnswer) -> Outcome:
    return Outcome(
        answer.message_id,
        LedgerState.SENT,
        answer.answered_at,
        gateway_message_id=answer.gateway_message_id,
        gateway=answer.gateway,
    )


def _by_gateway(answers: Sequence[LateAnswer]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for answer in answers:
        found.setdefault(answer.gateway, []).append(answer.gateway_message_id)
    return found
