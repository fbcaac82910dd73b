"""
Signing in and out, and the first visit.

Passwords are hashed with argon2id; sessions are random tokens of which only a SHA-256 is stored.
A wrong password and an unknown email take the same work and give the same error.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from core.domain.permissions import PRESETS, Viewer
from core.errors import Forbidden, InvalidInput, TooManyAttempts, WrongCredentials, until
from core.services.first_account import open_first_account
from core.services.identifiers import new_id
from core.state import installation, sessions, users
from core.state.store import State

SETUP_TOKEN = "setup_token"  # noqa: S105 - the name of a setting
FREE_FAILURES = 5
LONGEST_WAIT_S = 900
# Failures count together while less than this lies between them. People behind one address add up otherwise,
# until every mistake of one of them locks out all.
FORGET_AFTER = timedelta(hours=1)
PASSWORD_RULES = (
    (r".{8,}", "at least 8 characters"),
    (r"[A-Z]", "an upper case letter"),
    (r"[a-z]", "a lower case letter"),
    (r"\d", "a number"),
    (r"[^A-Za-z0-9]", "a special character"),
)
PASSWORD_MAX = 200


@dataclass(frozen=True)
class SetUp:
    """The first visit's form. *token* was printed in the terminal."""

    token: str
    name: str
    email: str
    password: str
    demo: bool = False


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
        self._hasher = hasher or PasswordHasher()
        # Verified when there is no such person, so that an unknown email costs as much time.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def needs_setup(self) -> bool:
        """Return whether there is no user at all yet."""
        with self._state.read() as session:
            return users.count_users(session) == 0

    def setup_token(self) -> str:
        """Return the one-time token of the first visit, made on first use."""
        with self._state.write() as session:
            token = installation.find_setting(session, SETUP_TOKEN)
            if token is None:
                token = secrets.token_urlsafe(12)
                installation.set_setting(session, SETUP_TOKEN, token)
        return token

    def set_up(self, form: SetUp, now: datetime) -> str:
        """
        Create the first administrator and sign him or her in.

        Returns: The session's token.
        Raises: Forbidden: set up already, or the wrong token. InvalidInput: name, email or password.
        """
        with self._state.read() as session:
            _check_setup(session, form.token)
        # Only the right token gets as far as hashing, which is expensive by design.
        new = self.new_user(form.name, form.email, form.password)
        token = secrets.token_urlsafe(32)
        with self._state.write() as session:
            _check_setup(session, form.token)
            installation.delete_setting(session, SETUP_TOKEN)
            users.add_user(session, new, now)
            open_first_account(session, new.user_id, self._rate_tps, now)
            sessions.add_session(session, _digest(token), new.user_id, now)
            if form.demo:
                installation.request_demo(session, new.user_id, now)
        return token

    def new_user(self, name: str, email: str, password: str, preset: str = "Administrator") -> users.NewUser:
        """Check what was typed and return a person ready to be stored. Raises: InvalidInput."""
        return users.NewUser(
            user_id=new_id(),
            email=check_email(email),
            name=check_name(name),
            password_hash=self._hasher.hash(check_password(password)),
            permissions=PRESETS[preset],
        )

    def sign_in(self, email: str, password: str, address: str, now: datetime) -> str:
        """
        Return the token of a new session.

        Raises: WrongCredentials: no such person, not active, or another password.
            TooManyAttempts: this email or this *address* failed too often a moment ago.
        """
        keys = (f"email:{email.strip().lower()[:254]}", f"address:{address}")
        with self._state.read() as session:
            _refuse_throttled(session, keys, now)
            found = users.find_credentials(session, email.strip())
        # Outside any transaction: verifying takes tens of milliseconds by design.
        right = self._verify(found.password_hash if found else self._nobody, password)
        if found is None or not found.active or not right:
            with self._state.write() as session:
                _record_failures(session, keys, now)
            raise WrongCredentials("Email or password is wrong.", hint="Check both and try again.")
        token = secrets.token_urlsafe(32)
        stronger = self._hasher.hash(password) if self._hasher.check_needs_rehash(found.password_hash) else ""
        with self._state.write() as session:
            sessions.clear_attempts(session, keys[0])
            if stronger:
                users.set_password_hash(session, found.user_id, stronger)
            sessions.add_session(session, _digest(token), found.user_id, now)
        return token

    def identify(self, token: str | None, now: datetime) -> Viewer | None:
        """Return who is behind *token*, or None when the session is unknown, revoked, idle or too old."""
        if not token:
            return None
        with self._state.read() as session:
            found = sessions.find_session(session, _digest(token))
            return users.find_viewer(session, found.user_id) if found and self._is_live(found, now) else None

    def touch(self, token: str, now: datetime) -> None:
        """Record that the person did something; a session that has ended stays so."""
        with self._state.write() as session:
            found = sessions.find_session(session, _digest(token))
            if found and self._is_live(found, now):
                sessions.record_activity(session, _digest(token), now)

    def sign_out(self, token: str, now: datetime) -> None:
        """End the session."""
        with self._state.write() as session:
            sessions.revoke_session(session, _digest(token), now)

    def _is_live(self, found: sessions.SignedIn, now: datetime) -> bool:
        return now - found.active_at <= self._idle and now - found.created_at <= self._lifetime

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password[:PASSWORD_MAX])
        except (VerificationError, InvalidHashError):
            return False


def check_name(name: str) -> str:
    """Return the tidied name. Raises: InvalidInput."""
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 100 or not tidy.isprintable():
        raise InvalidInput("The name needs 1 to 100 characters.", hint="Enter your name.", field="name")
    return tidy


def check_email(email: str) -> str:
    """Return the tidied email. Raises: InvalidInput."""
    tidy = email.strip()
    if len(tidy) > 254 or not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f.]+", tidy):
        raise InvalidInput("This is not an email address.", hint="For example ada@example.com.", field="email")
    return tidy


def check_password(password: str) -> str:
    """Return the password unchanged. Raises: InvalidInput: it breaks the guide's rule; says which part."""
    missing = [words for pattern, words in PASSWORD_RULES if not re.search(pattern, password, re.DOTALL)]
    if missing:
        raise InvalidInput("The password is too weak.", hint=f"It needs {', '.join(missing)}.", field="password")
    if len(password) > PASSWORD_MAX:
        raise InvalidInput(
            f"The password is longer than {PASSWORD_MAX} characters.", hint="Take a shorter one.", field="password"
        )
    return password


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check_setup(session: Session, token: str) -> None:
    if users.count_users(session):
        raise Forbidden("Heliograph is set up already.", hint="Log in.")
    expected = installation.find_setting(session, SETUP_TOKEN) or ""
    if not expected or not secrets.compare_digest(expected.encode(), token.strip().encode()):
        raise Forbidden(
            "The setup token is wrong.", hint="Copy it from the terminal that runs Heliograph.", field="token"
        )


def _refuse_throttled(session: Session, keys: tuple[str, ...], now: datetime) -> None:
    for key in keys:
        attempts = sessions.find_attempts(session, key)
        if attempts and attempts.blocked_until > now:
            raise TooManyAttempts(until(attempts.blocked_until, now))


def _record_failures(session: Session, keys: tuple[str, ...], now: datetime) -> None:
    sessions.forget_attempts(session, now - FORGET_AFTER)
    for key in keys:
        before = sessions.find_attempts(session, key)
        failed_count = (before.failed_count if before else 0) + 1
        over = min(failed_count - FREE_FAILURES, 16)
        wait_s = min(LONGEST_WAIT_S, 2**over) if over > 0 else 0
        sessions.record_failure(session, key, failed_count, now + timedelta(seconds=wait_s))
