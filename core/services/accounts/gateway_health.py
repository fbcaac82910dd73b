"""
The health of gateways: one by which nothing can be sent lets its campaigns wait, says why, and lets them go on.

A refusal that a person has to see to counts at once, an outage once it has lasted. Campaigns whose account has another
gateway that works go on by that one. Whether a gateway is back is seen by its own connections, or by connecting anew.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.gateways.gateways import GatewaySetup, say_takes_nothing
from core.errors import AppError, NotFound, StorageError
from core.gateways.gateways import Gateways
from core.services.leases import Leases
from core.state.accounts import gateways
from core.state.accounts.gateways import HealthReport
from core.state.campaigns import holding
from core.state.engine.store import State

log = logging.getLogger(__name__)

# An outage that lasts so long is one that people should know of.
LASTED = timedelta(seconds=20)
# Since the last refusal: so long another gateway is asked first, if there is one.
AVOIDED = timedelta(seconds=5)
# How long what the state store says of others is believed.
LOOK = timedelta(seconds=2)
# Looks at those that fail come in about so many seconds: what is due a little later is due now.
EARLY = timedelta(seconds=2)


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
        self._worked: dict[str, datetime] = {}
        self._refused: dict[str, datetime] = {}
        self._reports: Mapping[str, HealthReport] = {}
        self._tested: Mapping[str, datetime | None] = {}
        # The version that each was last seen to work in, by this process.
        self._proven: dict[str, int] = {}
        self._looked_at: datetime | None = None
        self._lock = threading.Lock()

    def choose(self, first: str, second: str, now: datetime) -> str:
        """Return by which of the two to send: the *first*, unless nothing can be sent by it and the *second* works."""
        self._look(now)
        if second and self._is_avoided(first, now) and not self._is_avoided(second, now):
            return second
        return first

    def took(self, name: str, now: datetime) -> None:
        """Take that the gateway has taken messages. Raises: StorageError."""
        with self._lock:
            self._outages.pop(name, None)
            self._worked[name] = now
            known = self._reports.get(name)
        if known and (known.is_failing or known.is_doubtful):
            self.recover(name, now)
        self.prove(name, now)

    def prove(self, name: str, now: datetime) -> None:
        """Take that the gateway works as it is set up now, which a connection proves, too."""
        version = self._connected.find_version(name)
        if version is None or self._proven.get(name) == version:
            return
        try:
            with self._state.write() as session:
                gateways.set_proven(session, name, version, now)
        except StorageError as error:
            # What came of the messages is more important, and is still to be written. The next ones prove it, too.
            log.warning("gateway_not_proven", extra={"gateway": name, "reason": error.message})
            return
        self._proven[name] = version

    def find_last(self, name: str) -> tuple[datetime | None, datetime | None]:
        """Return when this process last saw the gateway work, and when it refused: None where it has worked since."""
        with self._lock:
            worked, refused = self._worked.get(name), self._refused.get(name)
        return worked, refused if refused and (worked is None or refused > worked) else None

    def refused(self, name: str, fault: str, now: datetime, *, needs_person: bool) -> None:
        """
        Take that the gateway as a whole has taken nothing, *fault* saying why.

        Its campaigns wait from now on if that *needs_person*, or has lasted. Raises: StorageError.
        """
        self._connected.tally.note_fault(name, fault, now)
        with self._lock:
            self._refused[name] = now
            outage = self._outages.setdefault(name, _Outage(now, now))
            if not timedelta(0) <= now - outage.last_at < LASTED:
                # Nothing was tried for so long, or the clock was set back: it is another one.
                outage.since = now
            outage.last_at = now
            has_lasted = now - outage.since >= LASTED
        if needs_person or has_lasted:
            self._fail(name, fault, now, needs_person=needs_person)

    def recover(self, name: str, now: datetime, *, is_guess: bool = False) -> None:
        """
        Take that it works again, and let the campaigns go on that wait for it, if they are to.

        It is a guess where it has connected and taken no message yet: some providers do that, and take nothing. Each
        time it fails again after such a guess, it is longer until the next, so that campaigns do not go on and wait
        three times a minute. Raises: NotFound.
        """
        with self._state.write() as session:
            gateways.lock_gateway(session, name)
            is_news = gateways.set_working(session, name, now, is_guess=is_guess)
            held = holding.list_held(session, name)
            count = sum(holding.let_go(session, campaign_id, now) for campaign_id in held)
        with self._lock:
            self._outages.pop(name, None)
            self._worked[name] = now
            self._reports = {**self._reports, name: HealthReport(False, is_guess and is_news, None)}
            self._looked_at = None
        if is_news:
            log.info("gateway_works_again", extra={"gateway": name, "campaigns": count})

    def tested(self, name: str, now: datetime) -> None:
        """Take that a person's test has gone well: no worker waits any longer to try it. Raises: NotFound."""
        with self._state.write() as session:
            gateways.set_tested(session, name, now)

    def test_failed(self, name: str, fault: str, now: datetime) -> None:
        """Take that a person's test has failed, *fault* saying why: of one that nobody has seen work that is said."""
        with self._state.write() as session:
            gateways.set_test_failed(session, name, fault, now)

    def probe(self, clock: Callable[[], datetime]) -> None:
        """Look whether the gateways that fail are back; nothing while somebody else does."""
        with self._state.read() as session:
            failing = gateways.list_failing(session)
        with self._leases.alone("gateway probes", clock) as lease:
            for setup in failing if lease else ():
                if not setup.needs_person and _is_due(setup, clock()):
                    self._probe(setup, clock)

    def _probe(self, setup: GatewaySetup, clock: Callable[[], datetime]) -> None:
        name = setup.name
        try:
            if self._is_back(name):
                self.recover(name, clock(), is_guess=True)
                return
        except StorageError:
            raise
        except AppError as error:
            self._connected.tally.note_fault(name, error.message, clock())
            log.info("gateway_still_fails", extra={"gateway": name, "reason": error.message})
        with self._state.write() as session:
            gateways.put_probe_off(session, name, clock())

    def _is_back(self, name: str) -> bool:
        """Return whether it is connected. Raises: AppError: in words, why it cannot be."""
        links = self._connected.get(name).links()
        if links:
            return any(link.is_bound for link in links)
        self._try_connection(name)
        return True

    def _fail(self, name: str, fault: str, now: datetime, *, needs_person: bool) -> None:
        with self._state.write() as session:
            try:
                setup = gateways.lock_gateway(session, name).setup
            except NotFound:
                # Deleted meanwhile: nobody waits for it.
                return
            gateways.set_failing(session, name, fault, now, needs_person=needs_person)
            words = f"{say_takes_nothing(name, fault)}\n{_what_follows(setup, needs_person=needs_person)}"
            affected = holding.list_affected(session, name)
            count = sum(holding.hold(session, campaign_id, name, words) for campaign_id in affected)
        with self._lock:
            self._reports = {**self._reports, name: HealthReport(True, False, None)}
            self._looked_at = None
        if count:
            facts = {"gateway": name, "campaigns": count, "reason": fault, "needs_person": needs_person}
            log.warning("gateway_fails", extra=facts)

    def _is_avoided(self, name: str, now: datetime) -> bool:
        with self._lock:
            outage, known = self._outages.get(name), self._reports.get(name)
        seen = outage is not None and timedelta(0) <= now - outage.last_at < AVOIDED
        return seen or (known is not None and known.is_failing)

    def _look(self, now: datetime) -> None:
        """See how the gateways are, as others have written; what a person has just tested is tried at once."""
        with self._lock:
            if self._looked_at is not None and timedelta(0) <= now - self._looked_at < LOOK:
                return
            self._looked_at = now
        try:
            with self._state.read() as session:
                reports = gateways.list_reports(session)
        except StorageError as error:
            # Whoever sends hears of it when something is to be written; until then, what was seen last counts.
            log.warning("health_not_looked_up", extra={"reason": error.message})
            return
        with self._lock:
            tested = [name for name, each in reports.items() if each.tested_at != self._tested.get(name)]
            self._reports, self._tested = reports, {name: each.tested_at for name, each in reports.items()}
        for name in tested:
            self._connected.try_now(name)


def _is_due(setup: GatewaySetup, now: datetime) -> bool:
    # One that is further ahead than it can be is from before the clock was set back.
    return setup.probe_at is None or not EARLY < setup.probe_at - now <= gateways.PROBE_MOST


def _what_follows(setup: GatewaySetup, *, needs_person: bool) -> str:
    if needs_person:
        return "An administrator has to see to the gateway; then resume sending."
    if setup.resumes:
        return "Sending goes on by itself when the gateway is back."
    return "Resume sending when the gateway is back."
