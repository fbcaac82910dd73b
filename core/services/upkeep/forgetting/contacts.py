"""Contacts that belong to nothing: of Quick Sends taken back, and of lists whose deletion was once left half done."""

from datetime import UTC, datetime
from uuid import UUID

from core.history.audience.contacts import ContactStore
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.upkeep import installation, keeping

# Set where the state store comes from a version that deleted a list's row first: when it was last heard of before.
UNKNOWN_BEFORE = "contacts_unknown_before"
_BY_TIME = 7


class ContactForgetting:
    """Deletes what is marked as nobody's; once only, it looks for what lies there without a mark."""

    def __init__(self, state: State, contacts: ContactStore) -> None:
        self._state = state
        self._contacts = contacts

    def forget_left(self, _now: datetime) -> int:
        """Delete contacts that belong to nothing; return of how many ids."""
        self._mark_unknown()
        count = 0
        while left := self._list_left():
            for list_id in left:
                self._forget(list_id)
            count += len(left)
        return count

    def _forget(self, list_id: str) -> None:
        def is_left() -> bool:
            # A Quick Send that is sent once more has its id again.
            with self._state.read() as session:
                return keeping.are_left(session, list_id)

        self._contacts.delete(list_id, is_left)
        with self._state.write() as session:
            keeping.forget_left_contacts(session, list_id)

    def _list_left(self) -> list[str]:
        with self._state.read() as session:
            return keeping.list_left_contacts(session)

    def _mark_unknown(self) -> None:
        with self._state.read() as session:
            before = installation.find_setting(session, UNKNOWN_BEFORE)
        if before is None:
            return
        # The lake first: what is stored meanwhile has its row already.
        there = self._contacts.list_ids()
        with self._state.write() as session:
            known = {*lists.list_ids(session), *campaigns.list_ids(session)}
            unknown = [each for each in there - known if _is_from_before(each, datetime.fromisoformat(before))]
            keeping.leave_contacts(session, unknown)
            installation.delete_setting(session, UNKNOWN_BEFORE)


def _is_from_before(list_id: str, moment: datetime) -> bool:
    """
    Whether the id was given before then. One without a time is a Quick Send's from before ids were derived.

    A state store put back from a backup knows nothing of younger lists: they may be somebody's.
    """
    try:
        found = UUID(list_id)
    except ValueError:
        return False
    return found.version != _BY_TIME or datetime.fromtimestamp((found.int >> 80) / 1_000, UTC) < moment
