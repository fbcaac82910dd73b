"""
Hearing: what gateways are told unasked, receipts and replies, is kept before their providers hear that it was.

Receipts go into the inbox, from which `receiving` merges them into history.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from core.domain.messages.messages import LateAnswer, Receipt, Reply
from core.domain.messages.strays import Stray
from core.gateways.tally import Tally
from core.services.sending.stray_reports import StrayReports
from core.state.campaigns.late_answers import add_late_answers
from core.state.campaigns.receipts import add_receipts
from core.state.engine.store import State

log = logging.getLogger(__name__)


class KeepReplies(Protocol):
    """Keeps what people sent back, within the transaction that is open; the same one that comes again, once."""

    def __call__(self, session: Session, replies: Sequence[Reply], now: datetime, /) -> None: ...  # noqa: D102


class Hearing:
    """The inbox of all gateways; see `core.gateways.base.Inbox`. Threads share it."""

    def __init__(
        self, state: State, clock: Callable[[], datetime], keep_replies: KeepReplies, tally: Tally | None = None
    ) -> None:
        """Take the store, the clock, what becomes of replies, and what counts what comes."""
        self.strays = StrayReports(state)
        self._state = state
        self._clock = clock
        self._keep_replies = keep_replies
        self._tally = tally or Tally()

    def store(
        self, receipts: Sequence[Receipt], replies: Sequence[Reply], late_answers: Sequence[LateAnswer] = ()
    ) -> None:
        """Keep all of it or nothing. Raises: StorageError: nothing of it is kept."""
        now = self._clock()
        with self._state.write() as session:
            add_receipts(session, receipts, now)
            self._keep_replies(session, replies, now)
            add_late_answers(session, late_answers)
        self._tally.count_receipts(Counter(receipt.gateway for receipt in receipts))
        log.debug("heard", extra={"receipts": len(receipts), "replies": len(replies)})

    def keep_stray(self, stray: Stray, count: int = 1) -> None:
        """Keep what can be read as neither, to be looked at by a person; so many like it came."""
        self.strays.keep([stray], count - 1)
