"""Following links: what people do with the links of an invitation and of a new email."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.people.people import Person, UserStatus, check_name
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.errors import AppError, Conflict, NotFound
from core.services.people.mailing import Mailing, digest
from core.services.people.passwords import Passwords
from core.services.people.signing_in import open_session
from core.state.engine.store import State
from core.state.people import links, users
from core.state.people.links import Link, Purpose
from core.state.people.sessions import Browser
from core.state.reports import audit

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Acceptance:
    """The invitation's form: the *token* of its link, and what the person chose."""

    token: str
    name: str
    password: str


class FollowingLinks:
    """Links that open a door, and the doors."""

    def __init__(self, state: State, passwords: Passwords, mailing: Mailing) -> None:
        """Take the store, who hashes, and who writes the mails."""
        self._state = state
        self._passwords = passwords
        self._mailing = mailing

    def find(self, token: str, now: datetime) -> Person:
        """Return who is invited. Raises: NotFound: the link is used, too old, withdrawn, or never was one."""
        with self._state.read() as session:
            return _invited(session, token, now)

    def accept(self, form: Acceptance, browser: Browser, now: datetime, replaced: str = "") -> str:
        """
        Let the person in: active, with name and password, and signed in; once.

        Returns: The new session's token; the one the browser sent, *replaced*, works no more.
        Raises: NotFound: as `find`. InvalidInput: name or password; the link can still be used.
        """
        person = self.find(form.token, now)
        name = check_name(form.name)
        password_hash = self._passwords.hash(form.password, name, person.email)
        with self._state.write() as session:
            person = _invited(session, form.token, now)
            if links.take_link(session, digest(form.token), Purpose.INVITATION, now) is None:
                raise _dead()
            links.delete_links(session, person.user_id)
            users.set_name(session, person.user_id, name)
            users.set_password_hash(session, person.user_id, password_hash)
            users.move_person(session, person.user_id, UserStatus.ACTIVE)
            session.flush()
            who = Viewer(person.user_id, name, person.email, address=browser.address)
            audit.record(session, who, Action.INVITATION_ACCEPTED, Subject("person", person.user_id, name), now)
            return open_session(session, person.user_id, browser, now, replaced)

    def find_email(self, token: str, now: datetime) -> Link:
        """Return the new email a link confirms. Raises: NotFound: it is used, too old, or never was one."""
        with self._state.read() as session:
            return _changing(session, token, now)[0]

    def confirm_email(self, token: str, address: str, now: datetime) -> str:
        """
        Let the person log in with the new email from now on; sessions stay. The old address is told.

        Returns: The new email.
        Raises: NotFound: as `find_email`. Conflict: somebody else has this email by now.
        """
        try:
            with self._state.write() as session:
                link, person = _changing(session, token, now)
                if links.take_link(session, digest(token), Purpose.EMAIL_CHANGE, now) is None:
                    raise _dead()
                users.set_email(session, person.user_id, link.email)
                links.delete_links(session, person.user_id)
                who = Viewer(person.user_id, person.name, link.email, address=address)
                subject = Subject("person", person.user_id, person.name)
                details = {"from": person.email, "to": link.email}
                audit.record(session, who, Action.EMAIL_CHANGED, subject, now, details)
        except IntegrityError as error:
            raise Conflict("This email belongs to somebody else.", hint="Choose another one.") from error
        try:
            self._mailing.tell_email_changed(person.email, person.name, link.email, now)
        except AppError as error:
            # The email is changed already, whether or not the mail arrives.
            _log.warning("mail_not_sent", extra={"reason": error.code})
        return link.email


def _invited(session: Session, token: str, now: datetime) -> Person:
    link = links.find_link(session, digest(token), Purpose.INVITATION, now)
    if link is None:
        raise _dead()
    person = users.get_person(session, link.user_id)
    if person.status is not UserStatus.PENDING or person.email != link.email.lower():
        raise _dead()
    return person


def _changing(session: Session, token: str, now: datetime) -> tuple[Link, Person]:
    link = links.find_link(session, digest(token), Purpose.EMAIL_CHANGE, now)
    if link is None:
        raise _dead()
    person = users.get_person(session, link.user_id)
    if person.status is not UserStatus.ACTIVE:
        raise _dead()
    return link, person


def _dead() -> NotFound:
    return NotFound(
        "This link no longer works.", hint="It works only once and for a limited time. Ask for another one."
    )
