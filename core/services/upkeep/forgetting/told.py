"""What people were told, and have heard by now."""

from datetime import datetime, timedelta

from core.state.engine.store import State
from core.state.people import notifications

# Whoever has not looked by then need not know any more; they name people by their email.
TOLD_AFTER = timedelta(days=90)


class ToldForgetting:
    """Deletes old notifications."""

    def __init__(self, state: State) -> None:
        self._state = state

    def forget_notifications(self, now: datetime) -> int:
        """Delete those that are old, read or not; return how many."""
        with self._state.write() as session:
            return notifications.delete_old(session, now - TOLD_AFTER)
