"""What people were told, and has been heard by now."""

from datetime import datetime, timedelta

from core.state.accounts import departures
from core.state.campaigns import spending
from core.state.engine.store import State
from core.state.people import notifications

# Whoever has not looked by then need not know any more; they name people by their email.
TOLD_AFTER = timedelta(days=90)
# Longer than a campaign is sent: nobody is told twice of one budget.
SPENT_AFTER = timedelta(days=366)


# A limit looks back for a few seconds.
BOOKED_AFTER = timedelta(days=1)


class ToldForgetting:
    """Deletes old notifications, what was counted for months that are over, and logs of limits nobody uses."""

    def __init__(self, state: State) -> None:
        self._state = state

    def forget_spending(self, now: datetime) -> int:
        """Delete which budgets people were told of long ago, and what accounts spent then; return how many."""
        with self._state.write() as session:
            return spending.delete_old(session, now - SPENT_AFTER)

    def forget_departures(self, now: datetime) -> int:
        """Delete the logs of limits by which nothing has left for a day; return how many."""
        with self._state.write() as session:
            return departures.delete_old(session, now - BOOKED_AFTER)

    def forget_notifications(self, now: datetime) -> int:
        """Delete those that are old, read or not; return how many."""
        with self._state.write() as session:
            return notifications.delete_old(session, now - TOLD_AFTER)
