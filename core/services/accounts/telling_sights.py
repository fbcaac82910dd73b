"""
Telling sights: each process writes down what it sees of its gateways, for the web process, which holds no connections.

It is written every two seconds while it changes, and every ten seconds else, so that one that was killed is missed.
"""

import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

from core.domain.gateways.sights import GatewaySight, InUse, LinkState, ProcessSight
from core.errors import StorageError
from core.gateways.gateways import Gateways
from core.identifiers import new_id
from core.services.accounts.gateway_health import GatewayHealth
from core.state.accounts import sights
from core.state.engine.store import State

log = logging.getLogger(__name__)

# Between two looks, and between two times that the same is told.
LOOK_S, REPEAT_S = 2.0, 10.0
# What a process told is believed for so long: one that lives has told it again by then.
BELIEVED = timedelta(seconds=30)
# Over how long messages and receipts a second are counted.
RATE_S = 10.0
_SOME_TIME = datetime.min.replace(tzinfo=UTC)

_Look = tuple[Sequence[LinkState], InUse, int]


class TellingSights:
    """One per process. Only one thread calls it."""

    def __init__(
        self,
        state: State,
        connected: Gateways,
        health: GatewayHealth,
        clock: Callable[[], datetime],
        steady_s: Callable[[], float] = monotonic,
    ) -> None:
        """Take the store, the gateways of this process, who is told that one works, and two clocks."""
        self._state = state
        self._connected = connected
        self._health = health
        self._clock = clock
        self._steady_s = steady_s
        self._process = f"{socket.gethostname()[:16]}:{os.getpid()}:{new_id()[-12:]}"
        # Each look of the last seconds: when, and the counts by gateway.
        self._counts = deque[tuple[float, Mapping[str, tuple[int, int]]]]()
        self._looked_at_s = self._told_at_s = -RATE_S
        self._told: ProcessSight | None = None

    def tell_as_worker(self) -> None:
        """Tell it if it is time to; called about every second. Raises: StorageError."""
        self._tell(is_worker=True)

    def keep_telling(self, stop: threading.Event) -> None:
        """Tell what comes to a process that is no worker until *stop* is set; for a thread of its own."""
        while not stop.wait(LOOK_S):
            try:
                self._tell(is_worker=False)
            except StorageError as error:
                log.warning("sights_not_told", extra={"reason": error.message})

    def end(self) -> None:
        """Forget what was told: this process ends."""
        if self._told is None:
            return
        try:
            with self._state.write() as session:
                sights.delete_sight(session, self._process)
        except StorageError as error:
            # It is not believed for long.
            log.warning("sights_not_forgotten", extra={"reason": error.message})

    def forget_gone(self, now: datetime) -> int:
        """Delete what processes told that are gone; return of how many."""
        with self._state.write() as session:
            return sights.delete_sights(session, now - BELIEVED * 2, now + BELIEVED * 2)

    def _tell(self, *, is_worker: bool) -> None:
        now_s = self._steady_s()
        if now_s - self._looked_at_s < LOOK_S:
            return
        self._looked_at_s, now = now_s, self._clock()
        # Another process may have built one to look something up by it: it keeps no connection and sends nothing.
        found = self._connected.look() if is_worker else {}
        for name, (links, _, _) in found.items():
            if any(link.is_bound for link in links):
                self._health.prove(name, now)
        sight = ProcessSight(self._process, is_worker, now, self._see(found, now_s))
        has_changed = _comparable(sight) != _comparable(self._told)
        if has_changed or (is_worker and now_s - self._told_at_s >= REPEAT_S):
            with self._state.write() as session:
                sights.write_sight(session, sight)
            self._told, self._told_at_s = sight, now_s

    def _see(self, found: Mapping[str, _Look], now_s: float) -> Mapping[str, GatewaySight]:
        tally = self._connected.tally
        counts = tally.counts()
        self._counts.append((now_s, counts))
        while len(self._counts) > 1 and now_s - self._counts[1][0] >= RATE_S:
            self._counts.popleft()
        began_s, before = self._counts[0]
        took_s = max(now_s - began_s, LOOK_S)
        seen = dict[str, GatewaySight]()
        for name in {*found, *counts}:
            links, in_use, _ = found.get(name, ((), InUse(), 0))
            rates = [
                round((last - first) / took_s, 1)
                for first, last in zip(before.get(name, (0, 0)), counts.get(name, (0, 0)), strict=True)
            ]
            seen[name] = GatewaySight(
                tuple(links), in_use, rates[0], rates[1], tally.list_faults(name), *self._health.find_last(name)
            )
        return seen


def _comparable(sight: ProcessSight | None) -> object:
    """
    Return what is news if it is another.

    When a link came to its state is reckoned anew each time, a little off; and one that works does so all the time.
    """
    if sight is None:
        return {}
    return {
        name: replace(each, links=tuple(replace(link, since=_SOME_TIME) for link in each.links), worked_at=None)
        for name, each in sight.gateways.items()
    }
