"""Managing people: who is there, what they may do, and whether they may come in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.people.access import Access, Act, check_act, check_change
from core.domain.people.people import Person, UserStatus, check_name
from core.domain.people.permissions import Permission, Viewer, preset_of
from core.domain.reports.audit import Action, Subject
from core.domain.reports.paging import Page, PageRequest
from core.errors import Conflict, Forbidden
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.reports import audit


@dataclass(frozen=True)
class Change:
    """What a person is called and may do from now on. *account_ids*: among those of whoever changes it."""

    name: str
    permissions: frozenset[Permission]
    account_ids: frozenset[str] = field(default_factory=frozenset)


class ManagingPeople:
    """
    The people of one company: whoever manages users sees all of them, docs/decisions/0013-people-and-access.md.

    Every method raises Forbidden without the permission Users, and NotFound for somebody who is not there.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def page(self, viewer: Viewer, request: PageRequest) -> Page[Person]:
        """Return a page of the people whose name or email contains the search; `users.SORTABLE` are the orders."""
        viewer.require(Permission.USERS)
        with self._state.read() as session:
            return users.page_people(session, request)

    def get(self, viewer: Viewer, user_id: str) -> Person:
        """Return the person."""
        viewer.require(Permission.USERS)
        with self._state.read() as session:
            return users.get_person(session, user_id)

    def change(self, viewer: Viewer, user_id: str, change: Change, now: datetime) -> Person:
        """
        Replace name, permissions and accounts; what is taken is gone with the person's next click.

        Accounts that are not the viewer's stay.

        Raises: InvalidInput: the name, or no permission. Forbidden: more than the viewer has, somebody who may do
            more, or the last administrator. NotFound: an account that is not the viewer's.
        """
        viewer.require(Permission.USERS)
        name = check_name(change.name)
        try:
            with self._state.write() as session:
                administrators = users.lock_administrators(session)
                person = users.lock_person(session, user_id)
                wanted = check_change(viewer, person, name, Access(change.permissions, change.account_ids))
                if wanted.permissions != person.permissions:
                    _keep_one(administrators, person)
                users.set_name(session, user_id, name)
                users.set_access(session, user_id, wanted.permissions, wanted.account_ids)
                changed = users.get_person(session, user_id)
                if details := _differences(session, person, changed):
                    audit.record(session, viewer, Action.PERSON_CHANGED, _subject(changed), now, details)
        except IntegrityError as error:
            raise Conflict("An account has changed in the meantime.") from error
        return changed

    def deactivate(self, viewer: Viewer, user_id: str, now: datetime) -> Person:
        """
        Let the person not come in for now: sessions and links end at once.

        Raises: Forbidden: oneself, somebody who may do more, or the last administrator. InvalidTransition: Inactive.
        """

        def end(session: Session, _: Person) -> None:
            users.move_person(session, user_id, UserStatus.INACTIVE)
            sessions.revoke_all(session, user_id, now)

        return self._end(viewer, user_id, Act.DEACTIVATE, end, now)

    def activate(self, viewer: Viewer, user_id: str, now: datetime) -> Person:
        """
        Let the person come in again; without a password he or she is Pending, and needs another invitation.

        Raises: Forbidden: somebody who may do more. InvalidTransition: not Inactive.
        """
        viewer.require(Permission.USERS)
        with self._state.write() as session:
            person = users.lock_person(session, user_id)
            check_act(viewer, person, Act.ACTIVATE)
            to = UserStatus.ACTIVE if person.has_password else UserStatus.PENDING
            users.move_person(session, user_id, to)
            audit.record(session, viewer, Action.PERSON_ACTIVATED, _subject(person), now, {"status": to})
            return users.get_person(session, user_id)

    def delete(self, viewer: Viewer, user_id: str, now: datetime) -> Person:
        """
        Remove the person with sessions, links and settings; lists and campaigns stay. Returns: who it was.

        Raises: Forbidden: oneself, somebody who may do more, or the last administrator.
        """

        def end(session: Session, _: Person) -> None:
            # What the session row says would go with the person anyway; on its own it ends before.
            sessions.revoke_all(session, user_id, now)
            users.delete_person(session, user_id)

        return self._end(viewer, user_id, Act.DELETE, end, now)

    def _end(
        self, viewer: Viewer, user_id: str, act: Act, end: Callable[[Session, Person], None], now: datetime
    ) -> Person:
        viewer.require(Permission.USERS)
        with self._state.write() as session:
            # Before the person, as whoever uses a link does it: otherwise the two could wait for each other.
            links.delete_links(session, user_id)
            administrators = users.lock_administrators(session)
            person = users.lock_person(session, user_id)
            check_act(viewer, person, act)
            _keep_one(administrators, person)
            end(session, person)
            audit.record(session, viewer, _ACTIONS[act], _subject(person), now, {"email": person.email})
        return person


_ACTIONS = {Act.DEACTIVATE: Action.PERSON_DEACTIVATED, Act.DELETE: Action.PERSON_DELETED}


def _keep_one(administrators: frozenset[str], person: Person) -> None:
    if administrators == {person.user_id}:
        raise Forbidden(
            f"{person.name} is the last active administrator.", hint="Make somebody else an administrator first."
        )


def _subject(person: Person) -> Subject:
    return Subject("person", person.user_id, person.name)


def _differences(session: Session, before: Person, after: Person) -> dict[str, str]:
    """Return in words what has changed, {} for nothing."""
    found = {}
    if before.name != after.name:
        found["name"] = f"{before.name} → {after.name}"
    if before.permissions != after.permissions:
        found["permissions"] = f"{_in_words(before)} → {_in_words(after)}"
    for words, ids in (
        ("accounts added", after.account_ids - before.account_ids),
        ("accounts removed", before.account_ids - after.account_ids),
    ):
        if ids:
            found[words] = ", ".join(item.name for item in accounts.list_accounts(session, ids))
    return found


def _in_words(person: Person) -> str:
    preset = preset_of(person.permissions)
    return preset if preset != "Custom" else ", ".join(sorted(person.permissions))
