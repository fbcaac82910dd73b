"""The people of campaigns that are over: frozen audiences, numbers of Quick Sends, and texts of tests."""

from datetime import datetime, timedelta

from core.history.audience.audience_store import AudienceStore
from core.history.audience.contacts import ContactStore
from core.state.engine.store import State
from core.state.upkeep import keeping

# Whoever freezes or sends may be held up that long and still write; nothing goes before.
LEAST = timedelta(hours=1)


class AudienceForgetting:
    """Counts stay, and what was sent stays in the history; who else was on a list, and each one's text, does not."""

    def __init__(self, state: State, audiences: AudienceStore, contacts: ContactStore, keep: timedelta) -> None:
        """Take the stores, and how long an audience is kept once its campaign is over."""
        self._state = state
        self._audiences = audiences
        self._contacts = contacts
        self._keep = max(keep, LEAST)

    def forget_audiences(self, now: datetime) -> int:
        """Delete the audiences whose time is over; return of how many campaigns."""
        count = 0
        while marked := self._mark(now):
            self._audiences.forget(marked)
            with self._state.write() as session:
                keeping.forget_audiences(session, marked)
            count += len(marked)
        return count

    def forget_numbers(self, now: datetime) -> int:
        """Delete the numbers of Quick Sends that wait for nothing any more; return of how many."""
        count = 0
        while over := self._list_numbers(now):
            for campaign_id in over:
                self._contacts.delete(campaign_id)
            with self._state.write() as session:
                keeping.forget_numbers(session, over)
            count += len(over)
        return count

    def forget_test_texts(self, now: datetime) -> int:
        """Empty the texts of tests, which are one recipient's, when his or her own would go; return how many."""
        with self._state.write() as session:
            return keeping.forget_test_texts(session, now - self._keep)

    def _mark(self, now: datetime) -> list[str]:
        with self._state.write() as session:
            return keeping.mark_audiences(session, now - self._keep, now)

    def _list_numbers(self, now: datetime) -> list[str]:
        with self._state.read() as session:
            return keeping.list_numbers_over(session, now - LEAST)
