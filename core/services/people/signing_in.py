"""
Signing in and out, and the first visit.

Passwords are hashed with argon2id; sessions are random tokens of which only a SHA-256 is stored.
A wrong password, an unknown email and a person who may not come in take the same work and give the same error.
"""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core.domain.people.browsers import describe_agent, network_of
from core.domain.people.people import EMAIL_MAX, check_email, check_name
from core.domain.people.permissions import PRESETS, Viewer
from core.domain.reports.audit import Action, Subject
from core.errors import Forbidden, NotFound, WrongCredentials
from core.identifiers import new_id
from core.services.accounts.first_account import open_first_account
from core.services.people.mailing import digest, new_token
from core.services.people.passwords import Passwords
from core.services.people.throttling import FORGET_AFTER, record_failures, refuse_throttled
from core.state.engine.store import State
from core.state.people import links, sessions, users
from core.state.people.sessions import Browser
from core.state.reports import audit
from core.state.upkeep import installation

log = logging.getLogger(__name__)

# Who was tried, in the audit, where nobody has that email.
UNKNOWN_EMAIL = "an unknown email"
SETUP_TOKEN = "setup_token"  # noqa: S105 - the name of a setting
# A page is dozens of requests at once, and all of them ask the same. Short enough that whoever is sent away is gone
# within five seconds, also where another process has answered.
RECALLED = timedelta(seconds=1)
_RECALLED_MAX = 1_000


@dataclass(frozen=True)
class SetUp:
    """The first visit's form. *token* was printed in the terminal."""

    token: str
    name: str
    email: str
    password: str
    demo: bool = False


@dataclass(frozen=True)
class Device:
    """Somewhere a person is signed in. *browser* in words; *is_current*: it is the one that asks."""

    session_id: str
    browser: str
    address: str
    created_at: datetime
    active_at: datetime
    is_current: bool


@dataclass(frozen=True)
class TimeLeft:
    """
    How long a session goes on if nothing is done, and what ends it then.

    *warns*: it is time to tell the person, two minutes before or a quarter of a shorter idle time.
    """

    seconds: float
    ends_by: Literal["idle", "lifetime"]
    warns: bool


class SigningIn:
    """Who is behind a browser."""

    def __init__(
        self, state: State, *, idle_s: int, lifetime_s: int, rate_tps: int, hasher: PasswordHasher | None = None
    ) -> None:
        """Take the store, the limits of a session in seconds, and the rate of the first account."""
        self._state = state
        self._idle = timedelta(seconds=idle_s)
        self._lifetime = timedelta(seconds=lifetime_s)
        self._rate_tps = rate_tps
        self.passwords = Passwords(hasher)
        # By the digest of the token: whose it was, and when that was asked.
        self._recalled: dict[str, tuple[datetime, Viewer]] = {}

    def needs_setup(self) -> bool:
        """Return whether there is no user at all yet."""
        with self._state.read() as session:
            return users.count_users(session) == 0

    def new_setup_token(self) -> str:
        """Return a new one-time token for the first visit; an earlier one works no more. Only its digest is kept."""
        token = secrets.token_urlsafe(12)
        with self._state.write() as session:
            installation.set_setting(session, SETUP_TOKEN, digest(token))
        return token

    def set_up(self, form: SetUp, browser: Browser, now: datetime) -> str:
        """
        Create the first administrator and sign him or her in.

        Returns: The session's token.
        Raises: Forbidden: set up already, or the wrong token. InvalidInput: name, email or password.
            TooManyAttempts: wrong tokens from this address.
        """
        keys = (f"setup {attempt_keys('', browser.address)[1]}",)
        with self._state.read() as session:
            refuse_throttled(session, keys, now)
            right = _is_setup_token(session, form.token)
        if not right:
            with self._state.write() as session:
                record_failures(session, keys, now)
            raise _wrong_setup_token()
        # Only the right token gets as far as hashing, which is expensive by design.
        new = self.new_user(form.name, form.email, form.password)
        with self._state.write() as session:
            if not _is_setup_token(session, form.token):
                raise _wrong_setup_token()
            installation.delete_setting(session, SETUP_TOKEN)
            users.add_user(session, new, now)
            open_first_account(session, new.user_id, self._rate_tps, now)
            if form.demo:
                installation.request_demo(session, new.user_id, now)
            return open_session(session, new.user_id, browser, now)

    def new_user(self, name: str, email: str, password: str, preset: str = "Administrator") -> users.NewUser:
        """Check what was typed and return a person ready to be stored. Raises: InvalidInput."""
        return users.NewUser(
            user_id=new_id(),
            email=check_email(email),
            name=check_name(name),
            password_hash=self.passwords.hash(password, name, email),
            permissions=PRESETS[preset],
        )

    def sign_in(self, email: str, password: str, browser: Browser, now: datetime, replaced: str = "") -> str:
        """
        Return the token of a new session; the one the browser sent, *replaced*, works no more.

        Raises: WrongCredentials: no such person, not active, or another password.
            TooManyAttempts: this email or this browser's address failed too often a moment ago.
        """
        email = typed_email(email)
        keys = attempt_keys(email, browser.address)
        with self._state.read() as session:
            refuse_throttled(session, keys, now)
            found = users.find_credentials(session, email)
        # Outside any transaction: verifying takes tens of milliseconds by design.
        right = self.passwords.verify(found.password_hash if found else "", password)
        if found is None or not found.active or not right:
            with self._state.write() as session:
                record_failures(session, keys, now)
                stranger = Viewer("", "", "", address=browser.address)
                # What was typed is written down only where it is somebody's email: it may be a password.
                named = Subject("person", found.user_id if found else "", email if found else UNKNOWN_EMAIL)
                audit.record(session, stranger, Action.SIGN_IN_REFUSED, named, now)
            raise _wrong_credentials()
        stronger = self.passwords.stronger(found.password_hash, password)
        with self._state.write() as session:
            # Of many tries at once, the right one too has to be among the first.
            refuse_throttled(session, keys, now)
            if users.find_credentials(session, email, lock=True) != found:
                # Paused, or the password was changed, while this one was verified.
                raise _wrong_credentials()
            sessions.clear_attempts(session, keys[0])
            if stronger:
                users.set_password_hash(session, found.user_id, stronger)
            self._recalled.pop(digest(replaced), None)
            return open_session(session, found.user_id, browser, now, replaced)

    def identify(self, token: str | None, now: datetime) -> Viewer | None:
        """Return who is behind *token*, or None when the session is unknown, revoked, idle or too old."""
        if not token:
            return None
        token_hash = digest(token)
        with self._state.ask() as connection:
            found = sessions.find_viewer(connection, token_hash)
        if found is None or not self._is_live(found[0], now):
            self._recalled.pop(token_hash, None)
            return None
        if len(self._recalled) >= _RECALLED_MAX:
            self._recalled.clear()
        self._recalled[token_hash] = (now, found[1])
        return found[1]

    def recall(self, token: str, now: datetime) -> Viewer | None:
        """
        Return what `identify` said of *token* less than a second ago, or None when it has to be asked.

        Does not block. Whoever signs out here is forgotten at once.
        """
        found = self._recalled.get(digest(token)) if token else None
        return found[1] if found and timedelta(0) <= now - found[0] < RECALLED else None

    def time_left(self, token: str, now: datetime) -> TimeLeft | None:
        """Return how long the session goes on, or None when it has ended. No activity."""
        with self._state.read() as session:
            found = sessions.find_session(session, digest(token))
        if found is None or not self._is_live(found, now):
            return None
        idle, lifetime = self._idle - (now - found.active_at), self._lifetime - (now - found.created_at)
        left = min(idle, lifetime).total_seconds()
        warns = left <= min(120, self._idle.total_seconds() / 4)
        return TimeLeft(left, "idle" if idle <= lifetime else "lifetime", warns)

    def touch(self, token: str, now: datetime) -> None:
        """Record that the person did something; a session that has ended stays so."""
        with self._state.write() as session:
            found = sessions.find_session(session, digest(token))
            if found and self._is_live(found, now):
                sessions.record_activity(session, digest(token), now)

    def sign_out(self, token: str, now: datetime, address: str = "") -> None:
        """End the session; harmless when it has ended."""
        with self._ending() as session:
            found = sessions.find_viewer(session.connection(), digest(token))
            if found and sessions.revoke_session(session, digest(token), now):
                who = Viewer(found[1].user_id, found[1].name, found[1].email, address=address)
                audit.record(session, who, Action.SIGNED_OUT, Subject("person", who.user_id, who.name), now)

    def list_sessions(self, viewer: Viewer, token: str, now: datetime) -> tuple[Device, ...]:
        """Return where the viewer is signed in, the last active first; *token* is the asking browser's."""
        with self._state.read() as session:
            found = sessions.list_open(session, viewer.user_id, now - self._idle, now - self._lifetime)
        current = digest(token)
        return tuple(
            Device(
                session_id=one.session_id,
                browser=describe_agent(one.browser.agent),
                address=one.browser.address,
                created_at=one.created_at,
                active_at=one.active_at,
                is_current=one.token_hash == current,
            )
            for one in found
        )

    def revoke_session(self, viewer: Viewer, session_id: str, now: datetime) -> None:
        """End one of the viewer's sessions. Raises: NotFound: none of his or hers, or it has ended."""
        with self._ending() as session:
            if not sessions.revoke_by_id(session, viewer.user_id, session_id, now):
                raise NotFound("There is no such session.", hint="It may already have ended.")
            _record_revoked(session, viewer, 1, now)

    def revoke_others(self, viewer: Viewer, token: str, now: datetime) -> int:
        """End the viewer's sessions but for *token*'s; return how many."""
        with self._ending() as session:
            ended_count = sessions.revoke_all(session, viewer.user_id, now, but=digest(token))
            if ended_count:
                _record_revoked(session, viewer, ended_count, now)
        return ended_count

    def delete_ended(self, now: datetime) -> int:
        """
        Delete what lets nobody in any more, and return how many: sessions that have ended, links nobody used in time.

        Failures that hold nobody up go with them.
        """
        with self._state.write() as session:
            session_count = sessions.delete_ended(session, now, now - self._idle, now - self._lifetime)
            link_count = links.delete_expired(session, now)
            sessions.forget_attempts(session, now - FORGET_AFTER)
        if session_count or link_count:
            log.info("sessions_deleted", extra={"sessions": session_count, "links": link_count})
        return session_count + link_count

    @contextmanager
    def _ending(self) -> Iterator[Session]:
        """Open a transaction that ends sessions, and recall none of them afterwards."""
        with self._state.write() as session:
            yield session
        self._recalled.clear()

    def _is_live(self, found: sessions.SignedIn, now: datetime) -> bool:
        return now - found.active_at <= self._idle and now - found.created_at <= self._lifetime


def open_session(session: Session, user_id: str, browser: Browser, now: datetime, replaced: str = "") -> str:
    """
    Sign the person in and write it down; return the session's new token.

    It is never one that the browser brought along: that one, *replaced*, works no more. Raises: NotFound: not active.
    """
    viewer = users.find_viewer(session, user_id)
    if viewer is None:
        raise NotFound("There is no such person.")
    if replaced:
        sessions.revoke_session(session, digest(replaced), now)
    token = new_token()
    sessions.add_session(session, digest(token), user_id, now, browser)
    who = Viewer(user_id, viewer.name, viewer.email, address=browser.address)
    audit.record(session, who, Action.SIGNED_IN, Subject("person", user_id, viewer.name), now)
    return token


def attempt_keys(email: str, address: str) -> tuple[str, str]:
    """
    Return what failures to sign in are counted by: the email first, then where they come from.

    Of the email only a digest: what was typed may have been a password. Of an IPv6 address its network: whoever has one
    can choose among all of its addresses.
    """
    return (f"email:{digest(email)}", f"address:{network_of(address)}")


def typed_email(email: str) -> str:
    """Return what was typed as an email as the store has it; what no email holds is left out, not refused."""
    return "".join(character for character in email.strip() if character.isprintable())[:EMAIL_MAX].lower()


def _wrong_credentials() -> WrongCredentials:
    return WrongCredentials("Email or password is wrong.", hint="Check both and try again.")


def _record_revoked(session: Session, viewer: Viewer, count: int, now: datetime) -> None:
    subject = Subject("person", viewer.user_id, viewer.name)
    audit.record(session, viewer, Action.SESSION_REVOKED, subject, now, {"sessions": str(count)})


def _is_setup_token(session: Session, token: str) -> bool:
    if users.count_users(session):
        raise Forbidden("Heliograph is already set up.", hint="Log in.")
    expected = installation.find_setting(session, SETUP_TOKEN) or ""
    return bool(expected) and secrets.compare_digest(expected, digest(token.strip()))


def _wrong_setup_token() -> Forbidden:
    return Forbidden("The setup token is wrong.", hint="Copy it from the terminal that runs Heliograph.", field="token")
