"""
The health of gateways: one by which nothing can be sent lets its campaigns wait, says why, and lets them go on.

A refusal that a person has to see to counts at once, an outage once it has lasted. Campaigns whose account has another
gateway that works go on by that one. Whether a gateway is back is seen by its own connections, or by connecting anew.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.gateways.gateways import GatewaySetup
from core.errors import AppError, NotFound, StorageError
from core.gateways.gateways import Gateways
from core.services.leases import Leases
from core.state.accounts import gateways
from core.state.campaigns import holding
from core.state.engine.store import State

log = logging.getLogger(__name__)

# An outage that lasts so long is one that people should know of.
LASTED = timedelta(seconds=20)
# Since the last refusal: so long another gateway is asked first, if there is one.
AVOIDED = timedelta(seconds=5)
# How long what the state store says of others is believed.
LOOK = timedelta(seconds=2)


class TryConnection(Protocol):
    """Connects to a gateway anew, and raises an `AppError` where that fails."""

    def __call__(self, name: str, /) -> str: ...  # noqa: D102


@dataclass
class _Outage:
    since: datetime
    last_at: datetime


class GatewayHealth:
    """One per process: what its threads have seen of the gateways, and what is written of them for everybody."""

    def __init__(self, state: State, connected: Gateways, try_connection: TryConnection, leases: Leases) -> None:
        """Take the store, the gateways of this process, who connects to one anew, and the leases of probing."""
        self._state = state
        self._connected = connected
        self._try_connection = try_connection
        self._leases = leases
        self._outages: dict[str, _Outage] = {}
        self._failing: frozenset[str] = frozenset()
        self._looked_at: datetime | None = None
        self._lock = threading.Lock()

    def choose(self, first: str, second: str, now: datetime) -> str:
        """Return by which of the two to send: the *first*, unless nothing can be sent by it and the *second* works."""
        if second and self._is_avoided(first, now) and not self._is_avoided(second, now):
            return second
        return first

    def took(self, name: str, now: datetime) -> None:
        """Take that the gateway has taken messages. Raises: StorageError."""
        with self._lock:
            self._outages.pop(name, None)
            is_known_to_fail = name in self._failing
        if is_known_to_fail:
            self.recover(name, now)

    def refused(self, name: str, fault: str, now: datetime, *, needs_person: bool) -> None:
        """
        Take that the gateway as a whole has taken nothing, *fault* saying why.

        Its campaigns wait from now on if that *needs_person*, or has lasted. Raises: StorageError.
        """
        with self._lock:
            outage = self._outages.setdefault(name, _Outage(now, now))
            if not timedelta(0) <= now - outage.last_at < LASTED:
                # Nothing was tried for so long, or the clock was set back: it is another one.
                outage.since = now
            outage.last_at = now
            has_lasted = now - outage.since >= LASTED
        if needs_person or has_lasted:
            self._fail(name, fault, now, needs_person=needs_person)

    def recover(self, name: str, now: datetime) -> None:
        """Take that it works again, and let the campaigns go on that wait for it, if they are to. Raises: NotFound."""
        with self._state.write() as session:
            setup = gateways.lock_gateway(session, name).setup
            is_news = gateways.set_working(session, name)
            held = holding.list_held(session, name) if setup.resumes else []
            count = sum(holding.let_go(session, campaign_id, now) for campaign_id in held)
        with self._lock:
            self._outages.pop(name, None)
            self._failing -= {name}
        if is_news:
            log.info("gateway_works_again", extra={"gateway": name, "campaigns": count})

    def probe(self, clock: Callable[[], datetime]) -> None:
        """Look whether the gateways that fail are back; nothing while somebody else does."""
        with self._state.read() as session:
            failing = gateways.list_failing(session)
        with self._leases.alone("gateway probes", clock) as lease:
            for setup in failing if lease else ():
                if not setup.needs_person:
                    self._probe(setup, clock)

    def _probe(self, setup: GatewaySetup, clock: Callable[[], datetime]) -> None:
        try:
            links = self._connected.get(setup.name).links()
            if links:
                if not any(link.state == "bound" for link in links):
                    return
            else:
                self._try_connection(setup.name)
            self.recover(setup.name, clock())
        except StorageError:
            raise
        except AppError as error:
            log.info("gateway_still_fails", extra={"gateway": setup.name, "reason": error.message})

    def _fail(self, name: str, fault: str, now: datetime, *, needs_person: bool) -> None:
        with self._state.write() as session:
            try:
                setup = gateways.lock_gateway(session, name).setup
            except NotFound:
                # Deleted meanwhile: nobody waits for it.
                return
            gateways.set_failing(session, name, fault, now, needs_person=needs_person)
            words = f"{fault} {_what_follows(setup, needs_person=needs_person)}"
            affected = holding.list_affected(session, name)
            count = sum(holding.hold(session, campaign_id, name, words) for campaign_id in affected)
        with self._lock:
            self._failing |= {name}
        if count:
            facts = {"gateway": name, "campaigns": count, "reason": fault, "needs_person": needs_person}
            log.warning("gateway_fails", extra=facts)

    def _is_avoided(self, name: str, now: datetime) -> bool:
        with self._lock:
            outage = self._outages.get(name)
            seen = outage is not None and timedelta(0) <= now - outage.last_at < AVOIDED
            is_fresh = self._looked_at is not None and timedelta(0) <= now - self._looked_at < LOOK
            if seen or is_fresh:
                return seen or name in self._failing
        with self._state.read() as session:
            failing = frozenset(setup.name for setup in gateways.list_failing(session))
        with self._lock:
            self._failing, self._looked_at = failing, now
        return name in failing


def _what_follows(setup: GatewaySetup, *, needs_person: bool) -> str:
    if needs_person:
        return "An administrator has to see to the gateway; then resume the campaign."
    if setup.resumes:
        return "The campaign goes on by itself when the gateway is back."
    return "Resume the campaign when the gateway is back."
