"""Passwords at rest: argon2id, and the same work whoever is asked for, a few at a time."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.domain.people import passwords
from core.errors import Busy

# At once in this process: each takes 64 MiB and a core.
HASHING_MAX = 4
# Who comes when so many wait already would wait for seconds: he or she is told so instead.
WAITING_MAX = 32
RETRY_AFTER_S = 5


class HashingQueue:
    """So many at a time, and so many who wait for it; the next one is refused."""

    def __init__(self, at_once: int = HASHING_MAX, waiting: int = WAITING_MAX) -> None:
        """Take how many may work and how many may wait."""
        self._inside = threading.BoundedSemaphore(at_once + waiting)
        self._work = threading.BoundedSemaphore(at_once)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Work as soon as few enough do. Raises: Busy: too many wait already."""
        if not self._inside.acquire(blocking=False):
            raise Busy(RETRY_AFTER_S, "Too many people are logging in right now.")
        try:
            with self._work:
                yield
        finally:
            self._inside.release()


class Passwords:
    """
    Hashes and verifies. Both take tens of milliseconds and 64 MiB by design: never inside a transaction.

    Whoever asks waits until few enough do so, from whatever page. Raises: Busy: too many wait already.
    """

    def __init__(self, hasher: PasswordHasher | None = None, queue: HashingQueue | None = None) -> None:
        """Take a *hasher*, by default with the parameters of RFC 9106's low-memory profile, and who may use it."""
        self._hasher = hasher or PasswordHasher()
        self._queue = queue or HashingQueue()
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
        passwords.check_password(password, *about)
        with self._queue.take():
            return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        """Return whether it is the password; without a *password_hash* ("") it never is, after as much work."""
        try:
            # What is too long to be anybody's costs as much as the rest, and no more.
            with self._queue.take():
                right = self._hasher.verify(password_hash or self._nobody, _bytes(password)[: 4 * passwords.MAX])
        except (VerificationError, InvalidHashError):
            return False
        return right and bool(password_hash) and len(password) <= passwords.MAX

    def stronger(self, password_hash: str, password: str) -> str:
        """Return a new hash of the verified *password* when the cost has grown since, else ""."""
        if not self._hasher.check_needs_rehash(password_hash):
            return ""
        with self._queue.take():
            return self._hasher.hash(password)


def _bytes(password: str) -> bytes:
    # Half of a surrogate pair is no text and nobody's password, but no reason to fall over either.
    return password.encode("utf-8", "surrogatepass")
