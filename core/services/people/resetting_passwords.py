"""Resetting passwords: a new one for who has forgotten the old one, by a link that is sent by email and works once."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.domain.people.people import Person, UserStatus, check_email
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.errors import AppError, NotFound
from core.services.people.mailing import Mailing, digest, new_token
from core.services.people.passwords import Passwords
from core.services.people.signing_in import UNKNOWN_EMAIL, attempt_keys, typed_email
from core.services.people.throttling import record_failures, refuse_throttled
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.people.links import Link, Purpose
from core.state.reports import audit

_log = logging.getLogger(__name__)


class ResettingPasswords:
    """Forgot Password."""

    def __init__(self, state: State, passwords: Passwords, mailing: Mailing, link_min: int) -> None:
        """Take the store, who hashes, who writes the mails, and for how many minutes a link works."""
        self._state = state
        self._passwords = passwords
        self._mailing = mailing
        self._link = timedelta(minutes=link_min)

    @property
    def detour(self) -> str:
        """Where a mail is when no mail server is set, one sentence; "" where it is on its way."""
        return self._mailing.detour

    def ask(self, email: str, address: str, now: datetime) -> None:
        """
        Count the request; `deliver` does the rest, after the answer.

        Nothing here depends on whether there is such a person, so the answer and its time tell nothing.
        Raises: TooManyAttempts: too often for this email, or from this *address*. InvalidInput: no email.
        """
        check_email(email)
        keys = tuple(f"reset {key}" for key in attempt_keys(typed_email(email), address))
        with self._state.read() as session:
            refuse_throttled(session, keys, now)
        with self._state.write() as session:
            record_failures(session, keys, now)

    def deliver(self, email: str, address: str, now: datetime) -> None:
        """Send the link if an active person has this email. Never raises: nobody waits for the answer any more."""
        try:
            self._deliver(typed_email(email), address, now)
        except AppError as error:
            _log.warning("reset_not_sent", extra={"reason": error.code})

    def find(self, token: str, now: datetime) -> Person:
        """Return whose password a link sets. Raises: NotFound: it is used, too old, or never was one."""
        with self._state.read() as session:
            return self._owner(session, token, now)

    def use(self, token: str, password: str, address: str, now: datetime) -> None:
        """
        Set the password, once; every session of the person ends, and so do his or her other links.

        Raises: NotFound: as `find`. InvalidInput: the password is too weak; the link can still be used.
        """
        person = self.find(token, now)
        password_hash = self._passwords.hash(password, person.name, person.email)
        with self._state.write() as session:
            person = self._owner(session, token, now)
            if links.take_link(session, digest(token), Purpose.PASSWORD_RESET, now) is None:
                raise _dead()
            users.set_password_hash(session, person.user_id, password_hash)
            sessions.revoke_all(session, person.user_id, now)
            links.delete_links(session, person.user_id)
            for key in (attempt_keys(person.email, "")[0], f"reset {attempt_keys(person.email, '')[0]}"):
                sessions.clear_attempts(session, key)
            who = Viewer(person.user_id, person.name, person.email, address=address)
            subject = Subject("person", person.user_id, person.name)
            audit.record(session, who, Action.PASSWORD_CHANGED, subject, now, {"by": "link"})
        try:
            self._mailing.tell_password_changed(person.email, person.name, now)
        except AppError as error:
            # The password is changed already, whether or not the mail arrives.
            _log.warning("mail_not_sent", extra={"reason": error.code})

    def _deliver(self, email: str, address: str, now: datetime) -> None:
        token = new_token()
        with self._state.write() as session:
            user_id = users.find_user_id(session, email) if email else None
            person = users.get_person(session, user_id) if user_id else None
            # What was typed is written down only where it is somebody's email: it may be anything.
            subject = Subject("person", person.user_id if person else "", email if person else UNKNOWN_EMAIL)
            stranger = Viewer("", "", "", address=address)
            audit.record(session, stranger, Action.PASSWORD_RESET_ASKED, subject, now)
            if person is None or person.status is not UserStatus.ACTIVE:
                return
            link = Link(person.user_id, person.email, now + self._link)
            links.add_link(session, digest(token), Purpose.PASSWORD_RESET, link, now)
        self._mailing.send_reset(person.email, person.name, token, link.expires_at)

    def _owner(self, session: Session, token: str, now: datetime) -> Person:
        link = links.find_link(session, digest(token), Purpose.PASSWORD_RESET, now)
        if link is None:
            raise _dead()
        person = users.get_person(session, link.user_id)
        # Whoever reads mail at an address that is not the person's any more does not get in.
        if person.status is not UserStatus.ACTIVE or person.email != link.email.lower():
            raise _dead()
        return person


def _dead() -> NotFound:
    return NotFound("This link no longer works.", hint="It works only once and for a short time. Request a new one.")
