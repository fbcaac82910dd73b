"""What limits were held by: what accounts spent in months that are over, and logs of rates nobody uses."""

from datetime import datetime, timedelta

from core.state.accounts import departures
from core.state.campaigns import spending
from core.state.engine.store import State

# Longer than a campaign is sent: nobody is told twice of one budget.
SPENT_AFTER = timedelta(days=366)
# A rate looks back for a few seconds.
BOOKED_AFTER = timedelta(days=1)


class LimitForgetting:
    """Deletes what budgets and rates do not need any more."""

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
