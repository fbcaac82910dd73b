"""
The gateways of a process: built on first use, anew when they were set up otherwise, kept open, closed at the end.

How a gateway is set up stands in the state store, and is changed by another process than those that send. Each look
there tells the versions of all of them: a worker's pulse looks anyway and passes on what it saw, others look here.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.domain.gateways.gateways import Connection
from core.domain.gateways.sights import InUse, LinkState
from core.errors import AppError, ConfigurationError, InvalidInput, NotFound, StorageError, Unavailable
from core.gateways.base import Gateway, Observed
from core.gateways.kinds import GatewayTools
from core.gateways.registry import KINDS
from core.gateways.tally import Tally

log = logging.getLogger(__name__)

# A change is noticed after this long.
LOOK_S = 1.0
# What has left is given so long to be answered when the process ends. Supervisors do not wait much longer.
CLOSE_S = 8.0


class Connections(Protocol):
    """Where gateways find how they are set up."""

    def list_versions(self) -> Mapping[str, int]:
        """Return the version of each gateway there is, by name. Raises: StorageError."""
        ...

    def open_connection(self, name: str) -> Connection:
        """Return what the gateway connects by. Raises: NotFound. ConfigurationError: no key opens its secrets."""
        ...


@dataclass(frozen=True)
class _Built:
    gateway: Observed
    version: int


class Gateways:
    """The gateways of this process. Threads share it."""

    def __init__(
        self, connections: Connections, tools: GatewayTools, steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Take who knows how they are set up, what they are built with, and a clock in seconds that nobody sets."""
        self._connections = connections
        self._tools = tools
        self._steady_s = steady_s
        self._built: dict[str, _Built] = {}
        self._versions: Mapping[str, int] = {}
        self._looked_at_s: float | None = None
        self._is_closed = False
        # Why each could not be kept open when that was tried last, "" where it could.
        self._faults: dict[str, str] = {}
        # Held for no longer than it takes to look something up.
        self._lock = threading.Lock()
        # Held while one of that name is built and another closed, for which its answers are waited for.
        self._turns: dict[str, threading.Lock] = {}

    def note(self, versions: Mapping[str, int]) -> None:
        """Take what somebody has just read: the version of each gateway there is."""
        with self._lock:
            self._versions, self._looked_at_s = versions, self._steady_s()

    def get(self, name: str) -> Observed:
        """
        Return the gateway as it is set up now, or was a second ago.

        One that is set up otherwise by now is closed first, after the answers to what has left by it are in.
        Raises: ConfigurationError: there is none of that name, or it cannot be built. Unavailable: the process ends.
            StorageError: the state store does not answer.
        """
        version = self._find_version(name)
        known = self._find_built(name, version)
        if known:
            return known.gateway
        with self._lock:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            # Somebody else may have built it meanwhile.
            known = self._find_built(name, version)
            return known.gateway if known else self._rebuild(name)

    def find(self, name: str) -> Gateway | None:
        """Return the gateway as it was last built here, None if it was not: for those who cannot wait for another."""
        with self._lock:
            known = self._built.get(name)
        return known.gateway if known else None

    def keep_open(self) -> None:
        """Let every gateway there is connect and stay so (`Gateway.keep_open`), and close those that are no more."""
        with self._lock:
            versions, gone = self._versions, [name for name in self._built if name not in self._versions]
        for name in gone:
            self._drop(name)
        for name in versions:
            try:
                self.get(name).keep_open()
                fault = ""
            except AppError as error:
                # The others must not wait for this one.
                fault = error.message
            if fault and fault != self._faults.get(name):
                # Tried again and again, and said once.
                log.warning("gateway_not_open", extra={"gateway": name, "reason": fault})
                self._tools.tally.note_fault(name, fault, self._tools.clock())
            self._faults[name] = fault

    @property
    def tally(self) -> Tally:
        """What comes and goes by the gateways of this process."""
        return self._tools.tally

    def look(self) -> Mapping[str, tuple[Sequence[LinkState], InUse, int]]:
        """Return of each gateway of this process its connections, how much is on its way, and its version."""
        with self._lock:
            built = dict(self._built)
        return {name: (*_look_at(each.gateway), each.version) for name, each in built.items()}

    def try_now(self, name: str) -> None:
        """Let what the gateway has put off until later be tried at once, if this process has it."""
        known = self.find(name)
        if known is not None:
            known.try_now()

    def close_all(self, within_s: float = CLOSE_S) -> None:
        """Close all of them at the same time, for no longer than *within_s*; none is built any more."""
        with self._lock:
            self._is_closed = True
            built, self._built = self._built, {}
        closing = {
            name: threading.Thread(target=_close, args=(name, each.gateway), name=f"closing {name}", daemon=True)
            for name, each in built.items()
        }
        for thread in closing.values():
            thread.start()
        until_s = self._steady_s() + within_s
        for name, thread in closing.items():
            thread.join(max(0.0, until_s - self._steady_s()))
            if thread.is_alive():
                log.error("gateway_not_closed", extra={"gateway": name, "seconds": within_s})

    def find_version(self, name: str) -> int | None:
        """Return in which version the gateway was built here, None where it was not."""
        with self._lock:
            known = self._built.get(name)
        return known.version if known else None

    def _find_version(self, name: str) -> int | None:
        """Return the version as of a second ago at most, None where there is no such gateway."""
        with self._lock:
            now_s = self._steady_s()
            is_fresh = self._looked_at_s is not None and 0 <= now_s - self._looked_at_s < LOOK_S
            if is_fresh:
                return self._versions.get(name)
            # Others go by what is known while this thread looks.
            self._looked_at_s = now_s
        try:
            self.note(self._connections.list_versions())
        except StorageError:
            with self._lock:
                self._looked_at_s = None
            raise
        return self._versions.get(name)

    def _find_built(self, name: str, version: int | None) -> _Built | None:
        with self._lock:
            if self._is_closed:
                raise Unavailable("Heliograph is stopping.", gateway=name)
            known = self._built.get(name)
        # Whoever built it may have read a newer one than was seen here.
        return known if known and version is not None and known.version >= version else None

    def _rebuild(self, name: str) -> Observed:
        """Build it, in the place of another that is closed first."""
        self._drop(name)
        try:
            # Asked even where a look saw none of the name: it may be newer.
            connection = self._connections.open_connection(name)
        except NotFound as error:
            raise ConfigurationError(error.message, hint="Choose another one for the account.") from error
        kind = KINDS.get(connection.kind)
        if kind is None:
            raise ConfigurationError(
                f"The gateway {name!r} is of a kind that this version does not know: {connection.kind!r}.",
                hint=f"There are: {', '.join(KINDS)}.",
            )
        try:
            built = _Built(
                Observed(kind.build(connection, self._tools), connection.kind, self._tools.tally), connection.version
            )
        except InvalidInput as error:
            # Set up before this version looked at it so closely.
            raise ConfigurationError(error.message, hint=error.hint) from error
        with self._lock:
            is_late = self._is_closed
            if not is_late:
                self._built[name] = built
                self._versions = {**self._versions, name: built.version}
        if is_late:
            _close(name, built.gateway)
            raise Unavailable("Heliograph is stopping.", gateway=name)
        log.info("gateway_built", extra={"gateway": name, "kind": connection.kind, "version": connection.version})
        return built.gateway

    def _drop(self, name: str) -> None:
        with self._lock:
            known = self._built.pop(name, None)
        if known:
            _close(name, known.gateway)


def _look_at(gateway: Gateway) -> tuple[Sequence[LinkState], InUse]:
    links, in_use = gateway.links(), gateway.in_use()
    # Each was asked at its own moment; what people see beside each other must add up.
    return links, replace(in_use, count=sum(link.in_flight for link in links)) if links else in_use


def _close(name: str, gateway: Gateway) -> None:
    try:
        gateway.close()
    except Exception:
        # Its place is another's already, or the process ends.
        log.exception("gateway_close_failed", extra={"gateway": name})
