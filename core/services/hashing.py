"""Passwords at rest: argon2id, and the same work whoever is asked for."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.domain import passwords


class Passwords:
    """Hashes and verifies. Both take tens of milliseconds and 64 MiB by design: never inside a transaction."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Take a *hasher*, by default with the parameters of RFC 9106's low-memory profile."""
        self._hasher = hasher or PasswordHasher()
        # Verified when there is nothing to verify, so that no password costs as much time as a wrong one.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    @property
    def parameters(self) -> str:
        """The cost in words, for whoever measures it."""
        hasher = self._hasher
        return f"argon2id, {hasher.memory_cost} KiB, {hasher.time_cost} passes, {hasher.parallelism} lanes"

    def hash(self, password: str, *about: str) -> str:
        """
        Return the hash of a new password.

        Raises: InvalidInput: it is too weak, or made of what others know *about* the person.
        """
        return self._hasher.hash(passwords.check_password(password, *about))

    def verify(self, password_hash: str, password: str) -> bool:
        """Return whether it is the password; without a *password_hash* ("") it never is, after as much work."""
        try:
            right = self._hasher.verify(password_hash or self._nobody, password[: passwords.MAX])
        except (VerificationError, InvalidHashError):
            return False
        return right and bool(password_hash)

    def stronger(self, password_hash: str, password: str) -> str:
        """Return a new hash of the verified *password* when the cost has grown since, else ""."""
        return self._hasher.hash(password) if self._hasher.check_needs_rehash(password_hash) else ""
