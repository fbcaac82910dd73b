"""
Callbacks: which gateway's provider tells something, and what becomes of it.

Whose token is whose is kept in memory, so that a forged one asks no store, however often it comes.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.strays import Stray
from core.errors import AppError, StorageError
from core.gateways.base import Inbox
from core.gateways.callbacks import ReadCallback
from core.gateways.registry import KINDS
from core.services.accounts.connecting_gateways import ConnectingGateways, hash_token

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownCallback:
    """A gateway whose provider may report. *read* is None where that cannot be read now, for want of a key, say."""

    gateway: str
    version: int
    read: ReadCallback | None


class Callbacks:
    """The callbacks of all gateways. Threads share it."""

    def __init__(
        self, connecting: ConnectingGateways, inbox: Inbox, steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Take who knows the gateways, where what is heard is kept, and a clock in seconds that nobody sets."""
        self._connecting = connecting
        self._inbox = inbox
        self._steady_s = steady_s
        self._known: Mapping[str, KnownCallback] = {}
        self._looked_at_s: float | None = None
        self._lock = threading.Lock()

    def find(self, token: str) -> KnownCallback | None:
        """Return whose provider knows this *token*, as of the last `look`; None for nobody's. Asks no store."""
        # How long it takes tells at most how a hash begins, which nobody can turn into a token.
        return self._known.get(hash_token(token))

    def age_s(self) -> float:
        """Return how many seconds ago the last look was; without an end when there was none."""
        return float("inf") if self._looked_at_s is None else self._steady_s() - self._looked_at_s

    def look(self) -> None:
        """Read anew whose provider knows which token, and how each of them speaks. Raises: StorageError."""
        with self._lock:
            looked_at_s = self._steady_s()
            before = self._known
            known = {
                callback_hash: _keep(before.get(callback_hash), name, version) or self._make(name, version)
                for callback_hash, (name, version) in self._connecting.list_callbacks().items()
            }
            self._known = {each: callback for each, callback in known.items() if callback is not None}
            self._looked_at_s = looked_at_s

    def store(self, receipts: Sequence[Receipt], replies: Sequence[Reply]) -> None:
        """Keep all of it durably, in one commit. Raises: StorageError: nothing of it is kept."""
        self._inbox.store(receipts, replies)

    def keep_stray(self, stray: Stray) -> None:
        """Keep what can be read as neither, to be looked at by a person."""
        self._inbox.keep_stray(stray)

    def _make(self, name: str, version: int) -> KnownCallback | None:
        """Return what reads the gateway's callbacks; None where its kind has none."""
        try:
            connection = self._connecting.open_connection(name)
            kind = KINDS.get(connection.kind)
            make_reader = kind.make_reader if kind else None
            return KnownCallback(name, version, make_reader(connection)) if make_reader else None
        except StorageError:
            raise
        except AppError as error:
            log.warning("callbacks_not_readable", extra={"gateway": name, "reason": error.message})
            return KnownCallback(name, version, None)


def _keep(before: KnownCallback | None, name: str, version: int) -> KnownCallback | None:
    """Return *before* if it is still good. One that could not be read is not: there may be a key by now."""
    is_good = before is not None and (before.gateway, before.version) == (name, version) and before.read is not None
    return before if is_good else None
