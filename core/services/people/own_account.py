"""
One's own account: what a person says of himself or herself, and keeps secret.

No method takes anybody's id: whoever asks is the one it is about.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.domain.numbering.msisdn import parse_msisdn
from core.domain.people.notifications import Tag
from core.domain.people.passwords import check_password
from core.domain.people.people import LANGUAGES, Person, SmsSettings, check_email, check_name
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.texts.sender_id import parse_sender_id
from core.domain.times.time_zones import check_time_zone
from core.errors import AppError, Conflict, InvalidInput, InvalidMsisdn, StorageError, WrongCredentials
from core.files.pictures import digest_of
from core.services.people.mailing import Mailing, digest, new_token
from core.services.people.passwords import Passwords
from core.services.people.throttling import record_failures, refuse_throttled
from core.state.engine.store import State
from core.state.people import links, notifications, sessions, users
from core.state.people.links import Link, Purpose
from core.state.reports import audit

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Profile:
    """What the General tab holds, but for email and picture. *phone* as it was typed, "" for none."""

    name: str
    phone: str
    language: str
    time_zone: str


@dataclass(frozen=True)
class NewPassword:
    """What the Password reset tab holds."""

    current: str
    new: str
    confirm: str


# Returns what is kept of a picture, or raises InvalidInput.
Draw = Callable[[bytes], bytes]


class OwnAccount:
    """The Settings screen's services."""

    def __init__(self, state: State, mailing: Mailing, passwords: Passwords, link_min: int, draw: Draw) -> None:
        """Take the store, who writes mails, verifies passwords and draws, and how many minutes a link works."""
        self._state = state
        self._mailing = mailing
        self._passwords = passwords
        self._link = timedelta(minutes=link_min)
        self._draw = draw

    def get(self, viewer: Viewer) -> Person:
        """Return the viewer as a person."""
        with self._state.read() as session:
            return users.get_person(session, viewer.user_id)

    def change_profile(self, viewer: Viewer, profile: Profile, now: datetime) -> bool:
        """
        Replace name, phone, language and time zone; return whether anything is new.

        Raises: InvalidInput: one of them cannot be; *field* says which.
        """
        new = {
            "name": check_name(profile.name),
            "phone": _check_phone(profile.phone),
            "language": _check_language(profile.language),
            "time_zone": check_time_zone(profile.time_zone),
        }
        with self._state.write() as session:
            person = users.get_person(session, viewer.user_id)
            changed = _list_changed(person, new)
            if changed:
                users.set_profile(session, viewer.user_id, **new)
                _record_changed(session, viewer, ", ".join(changed), now)
        return bool(changed)

    def change_sms_settings(self, viewer: Viewer, settings: SmsSettings, now: datetime) -> bool:
        """
        Replace what the viewer's new messages begin with; return whether anything is new.

        Raises: InvalidSenderId: *sender_id* is neither "" nor a sender ID.
        """
        sender_id = settings.sender_id.strip()
        new = SmsSettings(settings.simplifies, parse_sender_id(sender_id) if sender_id else "")
        with self._state.write() as session:
            before = users.get_person(session, viewer.user_id).sms
            if new != before:
                users.set_sms_settings(session, viewer.user_id, new)
                _record_changed(session, viewer, "SMS settings", now)
        return new != before

    def draw_avatar(self, content: bytes) -> bytes:
        """Return the picture as `set_avatar` would keep it. Raises: InvalidInput: as `draw_portrait`."""
        return self._draw(content)

    def set_avatar(self, viewer: Viewer, content: bytes, now: datetime) -> None:
        """Draw the picture anew and keep that. Raises: InvalidInput: as `draw_portrait`."""
        # Outside the transaction: it may take a second.
        portrait = self._draw(content)
        with self._state.write() as session:
            users.get_person(session, viewer.user_id)
            users.set_avatar(session, viewer.user_id, portrait, digest_of(portrait))
            _record_changed(session, viewer, "picture", now)

    def delete_avatar(self, viewer: Viewer, now: datetime) -> None:
        """Forget the viewer's picture; harmless without one."""
        with self._state.write() as session:
            if users.find_avatar_digest(session, viewer.user_id):
                users.delete_avatar(session, viewer.user_id)
                _record_changed(session, viewer, "picture", now)

    def find_avatar(self, viewer: Viewer) -> bytes | None:
        """Return the viewer's picture, a square PNG, or None."""
        with self._state.read() as session:
            found = users.find_avatar(session, viewer.user_id)
        return found[0] if found else None

    def find_avatar_digest(self, viewer: Viewer) -> str:
        """Return what changes with the viewer's picture, "" without one: it is asked for every page."""
        with self._state.read() as session:
            return users.find_avatar_digest(session, viewer.user_id)

    def find_email_change(self, viewer: Viewer, now: datetime) -> Link | None:
        """Return the change that waits to be confirmed from the new address, or None."""
        with self._state.read() as session:
            return links.find_pending(session, viewer.user_id, Purpose.EMAIL_CHANGE, now)

    def ask_email_change(self, viewer: Viewer, email: str, password: str, now: datetime) -> None:
        """
        Send a link to the new address; until it is opened, the email stays as it is.

        Whether somebody else has the address is not told: there, a mail says so to its owner.

        Raises: InvalidInput: no email, or the viewer's own. WrongCredentials: not the current password.
            TooManyAttempts: wrong passwords, or too many such mails. StorageError: the mail was not taken.
        """
        new, token = check_email(email).lower(), new_token()
        link = Link(viewer.user_id, new, now + self._link)
        if self.get(viewer).email == new:
            raise InvalidInput("This is already your email.", hint="Enter another one to change it.", field="email")
        with self._with_current(viewer, password, now) as (session, person):
            # Each counts as a failed attempt would, so that nobody is sent mails without end.
            record_failures(session, (f"email-change:{viewer.user_id}",), now)
            owner_id = users.find_user_id(session, new)
            # Where the address is taken nobody learns the token, and all that can be seen is the same.
            links.add_link(session, digest(token), Purpose.EMAIL_CHANGE, link, now)
            audit.record(session, viewer, Action.EMAIL_CHANGE_ASKED, _subject(viewer), now, {"email": new})
        try:
            if owner_id:
                self._mailing.tell_email_taken(new)
            else:
                self._mailing.send_email_confirmation(new, person.name, token, link.expires_at)
        except (StorageError, InvalidInput):
            self._withdraw(viewer)
            raise
        with self._state.write() as session:
            text = f"Confirm your new email {new}: open the link in the mail we sent there."
            notifications.notify(session, viewer.user_id, Tag.EMAIL_CONFIRM, text, now)

    def withdraw_email_change(self, viewer: Viewer, now: datetime) -> None:
        """Make the link to the new address work no more; harmless when none waits."""
        if self._withdraw(viewer):
            with self._state.write() as session:
                _record_changed(session, viewer, "email change withdrawn", now)

    def change_password(self, viewer: Viewer, wanted: NewPassword, token: str, now: datetime) -> int:
        """
        Replace the password; end all the viewer's sessions but the one of *token*, and make all links work no more.

        Returns: How many sessions ended.
        Raises: InvalidInput: the new one is too weak, is the current one, or is not the same twice.
            WrongCredentials: not the current password. TooManyAttempts. Conflict: it was changed in between.
        """
        person = self.get(viewer)
        _check_new(wanted, person)
        with self._with_current(viewer, wanted.current, now, becomes=wanted.new) as (session, _):
            ended_count = sessions.revoke_all(session, viewer.user_id, now, but=digest(token))
            links.delete_links(session, viewer.user_id)
            details = {"sessions ended": str(ended_count)}
            audit.record(session, viewer, Action.PASSWORD_CHANGED, _subject(viewer), now, details)
        try:
            self._mailing.tell_password_changed(person.email, person.name, now)
        except AppError as error:
            # It is changed all the same.
            _log.warning("password_change_not_told", extra={"user_id": viewer.user_id, "reason": error.code})
        return ended_count

    @contextmanager
    def _with_current(
        self, viewer: Viewer, password: str, now: datetime, *, becomes: str = ""
    ) -> Iterator[tuple[Session, Person]]:
        """Open a transaction for whoever knows the current password; store the one it *becomes*, if any."""
        # Counted apart from log-ins: who sits at somebody's open session must not lock the owner out.
        keys = (f"current-password:{viewer.user_id}",)
        with self._state.read() as session:
            refuse_throttled(session, keys, now)
            email = users.get_person(session, viewer.user_id).email
            found = users.find_credentials(session, email)
        # Hashing takes tens of milliseconds by design, so it is done outside.
        if found is None or not self._passwords.verify(found.password_hash, password):
            with self._state.write() as session:
                record_failures(session, keys, now)
            raise WrongCredentials("The current password is wrong.", hint="Check it and try again.", field="current")
        new_hash = self._passwords.hash(becomes) if becomes else ""
        with self._state.write() as session:
            # Of many tries at once, the right one too has to be among the first.
            refuse_throttled(session, keys, now)
            if users.find_credentials(session, email, lock=True) != found:
                raise Conflict("Your account was changed in the meantime.", hint="Reload the page and try again.")
            sessions.clear_attempts(session, keys[0])
            if new_hash:
                users.set_password_hash(session, viewer.user_id, new_hash)
            yield session, users.get_person(session, viewer.user_id)

    def _withdraw(self, viewer: Viewer) -> bool:
        with self._state.write() as session:
            return links.delete_links(session, viewer.user_id, Purpose.EMAIL_CHANGE) > 0


def _check_phone(text: str) -> str:
    try:
        return parse_msisdn(text) if text.strip() else ""
    except InvalidMsisdn as error:
        raise InvalidInput(error.message, hint=error.hint, field="phone") from error


def _check_language(code: str) -> str:
    if code not in LANGUAGES:
        raise InvalidInput(
            "Heliograph is not available in this language.", hint="Choose one from the list.", field="language"
        )
    return code


def _check_new(wanted: NewPassword, person: Person) -> None:
    if wanted.new != wanted.confirm:
        raise InvalidInput("The two new passwords differ.", hint="Type it again.", field="confirm")
    check_password(wanted.new, person.name, person.email)
    if wanted.new == wanted.current:
        raise InvalidInput("This is already your password.", hint="Choose another one.", field="password")


def _list_changed(person: Person, new: Mapping[str, str]) -> list[str]:
    return [name.replace("_", " ") for name, value in new.items() if getattr(person, name) != value]


def _record_changed(session: Session, viewer: Viewer, what: str, now: datetime) -> None:
    audit.record(session, viewer, Action.PROFILE_CHANGED, _subject(viewer), now, {"changed": what})


def _subject(viewer: Viewer) -> Subject:
    return Subject("person", viewer.user_id, viewer.name)
