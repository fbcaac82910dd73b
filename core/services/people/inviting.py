"""Inviting people: they are Pending until they open the link in the mail and choose a password."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.people.access import Access, Act, check_act, check_grant
from core.domain.people.people import Person, UserStatus, check_email, check_name
from core.domain.people.permissions import Permission, Viewer, preset_of
from core.domain.reports.audit import Action, Subject
from core.errors import Conflict, InvalidInput, StorageError, TooManyAttempts, until
from core.identifiers import new_id
from core.services.people.mailing import Mailing, digest, new_token
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.people.links import Link, Purpose
from core.state.reports import audit

# One person's, first ones and repeated ones together: more is a mistake, or somebody who uses us to send spam.
MOST = 50
WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Invitation:
    """Who is invited, and to what."""

    name: str
    email: str
    permissions: frozenset[Permission]
    account_ids: frozenset[str] = field(default_factory=frozenset)


class Inviting:
    """From the name to the mail; `FollowingLinks` does the rest."""

    def __init__(self, state: State, mailing: Mailing, valid_h: int) -> None:
        """Take the store, who writes the mails, and the hours a link works."""
        self._state = state
        self._mailing = mailing
        self._valid = timedelta(hours=valid_h)

    def invite(self, viewer: Viewer, invitation: Invitation, now: datetime) -> Person:
        """
        Add the person as Pending and send the link.

        Raises:
            InvalidInput: name, email or permissions; somebody has this email already.
            Forbidden: a permission the viewer lacks. NotFound: an account that is not the viewer's.
            TooManyAttempts: `MOST` invitations within an hour.
            StorageError: the person was added, but the mail was not taken: resend the invitation. InvalidInput: nor
                will it ever be, to this address.
        """
        viewer.require(Permission.USERS)
        name, email = check_name(invitation.name), check_email(invitation.email)
        wanted = check_grant(viewer, Access(invitation.permissions, invitation.account_ids), Access())
        user_id, token = new_id(), new_token()
        new = users.NewUser(user_id, email, name, "", wanted.permissions, viewer.time_zone, UserStatus.PENDING)
        try:
            with self._state.write() as session:
                _count(session, viewer, now)
                users.add_user(session, new, now)
                users.set_access(session, user_id, wanted.permissions, wanted.account_ids)
                person = users.get_person(session, user_id)
                self._record(session, viewer, person, Action.PERSON_INVITED, token, now)
        except IntegrityError as error:
            raise _why(error) from error
        self._send(viewer, person, token, now)
        return person

    def resend(self, viewer: Viewer, user_id: str, now: datetime) -> Person:
        """
        Send a new link to somebody who is Pending; the earlier one works no more.

        Raises: NotFound: no such person. Forbidden: he or she may do more than the viewer.
            InvalidTransition: not Pending. TooManyAttempts, StorageError: as `invite`.
        """
        viewer.require(Permission.USERS)
        token = new_token()
        with self._state.write() as session:
            _count(session, viewer, now)
            # Before the person, as whoever accepts does it: otherwise the two could wait for each other.
            links.delete_links(session, user_id, Purpose.INVITATION)
            person = users.lock_person(session, user_id)
            check_act(viewer, person, Act.INVITE_AGAIN)
            self._record(session, viewer, person, Action.INVITATION_SENT_AGAIN, token, now)
        self._send(viewer, person, token, now)
        return person

    def _record(
        self, session: Session, viewer: Viewer, person: Person, action: Action, token: str, now: datetime
    ) -> None:
        link = Link(person.user_id, person.email, now + self._valid)
        links.add_link(session, digest(token), Purpose.INVITATION, link, now)
        subject = Subject("person", person.user_id, person.name)
        details = {"email": person.email, "permissions": preset_of(person.permissions)}
        audit.record(session, viewer, action, subject, now, details)

    def _send(self, viewer: Viewer, person: Person, token: str, now: datetime) -> None:
        # After the commit: a mail cannot be taken back, and no transaction waits for a mail server.
        try:
            self._mailing.send_invitation(person.email, person.name, viewer.name, token, now + self._valid)
        except StorageError as error:
            raise StorageError(
                f"{person.name} is Pending, but the invitation could not be sent.",
                hint="Close this and resend the invitation from the person's row in a few minutes.",
            ) from error
        except InvalidInput as error:
            raise InvalidInput(
                f"{person.name} is Pending, but no invitation can be sent: {error.message}",
                hint="Delete the person and invite them at another address.",
            ) from error


def _count(session: Session, viewer: Viewer, now: datetime) -> None:
    key = f"invitations:{viewer.user_id}"
    so_far = sessions.lock_attempts(session, key, now)
    if so_far.blocked_until <= now:
        so_far = sessions.Attempts(0, now + WINDOW)
    if so_far.failed_count >= MOST:
        raise TooManyAttempts(until(so_far.blocked_until, now), f"You sent {MOST} invitations within an hour.")
    sessions.record_failure(session, key, so_far.failed_count + 1, so_far.blocked_until)


def _why(error: IntegrityError) -> InvalidInput | Conflict:
    # The only other reference is to the accounts: one of them has gone since the viewer was asked.
    if "email" in str(error.orig):
        return InvalidInput(
            "Somebody already has this email.", hint="Search for it, and change that person's access.", field="email"
        )
    return Conflict("An account has changed in the meantime.")
