"""What people sent back: words of persons, which nobody needs for ever."""

from datetime import datetime, timedelta

from core.state.campaigns import confirmations, replies
from core.state.engine.store import State


class ReplyForgetting:
    """Deletes old replies; what a STOP among them has set stays, as the person's wish does."""

    def __init__(self, state: State, keep: timedelta) -> None:
        """Take the store, and how long a reply is kept."""
        self._state = state
        self._keep = keep

    def forget_replies(self, now: datetime) -> int:
        """Delete those whose time is over; return how many."""
        with self._state.write() as session:
            confirmations.forget_told(session, now - 2 * confirmations.ONCE_IN)
            return replies.delete_replies(session, now - self._keep)
