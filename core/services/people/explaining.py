"""Explaining why something is closed: what is missing, and who can help."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.people.people import Person
from core.domain.people.permissions import Permission, Viewer
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.people import users

HELPERS = 3


@dataclass(frozen=True)
class Helper:
    """Somebody to ask."""

    name: str
    email: str


@dataclass(frozen=True)
class ClosedSending:
    """Why somebody cannot send: each of the viewer's accounts with its reason, and who can change that."""

    reasons: tuple[tuple[Account, str], ...]
    helpers: tuple[Helper, ...]


class Explaining:
    """Answers that name people and accounts only to those whom they concern."""

    def __init__(self, state: State) -> None:
        self._state = state

    def closed_sending(self, viewer: Viewer) -> ClosedSending | None:
        """
        Return why the viewer has no account to send from, None when there is one.

        Raises: Forbidden: with such an account the viewer could not send either.
        """
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            mine = accounts.list_accounts(session, viewer.account_ids)
            if any(account.can_send for account in mine):
                return None
            others = _list_others(session, viewer)
            theirs = frozenset[str]().union(*(person.account_ids for person in others))
            sending = frozenset(item.account_id for item in accounts.list_accounts(session, theirs) if item.can_send)
        return ClosedSending(tuple((account, account.closed_because) for account in mine), _helpers(others, sending))

    def helpers(self, viewer: Viewer) -> tuple[Helper, ...]:
        """Return who can change what the viewer may do: for anybody who is signed in."""
        with self._state.read() as session:
            return _helpers(_list_others(session, viewer), frozenset(viewer.account_ids))

    def without_account(self, viewer: Viewer) -> tuple[Helper, ...] | None:
        """Return who can add the viewer to a traffic account, None when there is one: for anybody who is signed in."""
        if viewer.account_ids:
            return None
        with self._state.read() as session:
            others = _list_others(session, viewer)
        return _helpers(others, frozenset[str]().union(*(person.account_ids for person in others)))


def _list_others(session: Session, viewer: Viewer) -> list[Person]:
    return [person for person in users.list_active(session) if person.user_id != viewer.user_id]


def _helpers(people: list[Person], wanted: frozenset[str]) -> tuple[Helper, ...]:
    """Return who can add somebody to one of these accounts, or open one; those who do nothing else first."""
    able = [
        person
        for person in people
        if person.is_administrator or (Permission.USERS in person.permissions and person.account_ids & wanted)
    ]
    able.sort(key=lambda person: person.is_administrator)
    return tuple(Helper(person.name, person.email) for person in able[:HELPERS])
