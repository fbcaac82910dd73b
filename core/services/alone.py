"""Doing alone, of all workers, what two would do twice: under a lease that is kept alive meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from core.services.heartbeat import heartbeat, new_owner
from core.state import named_leases
from core.state.store import State


class Alone:
    """Leases by name, of *lease_s* seconds."""

    def __init__(self, state: State, lease_s: int) -> None:
        """Take the store and how long a lease lasts."""
        self._state = state
        self.lease = timedelta(seconds=lease_s)

    @contextmanager
    def hold(self, name: str, clock: Callable[[], datetime]) -> Iterator[str]:
        """Hold the lease called *name* while the block runs; give its owner's name, "" when somebody else holds it."""
        owner = new_owner()

        def renew() -> bool:
            with self._state.write() as session:
                return named_leases.renew(session, name, owner, clock() + self.lease)

        with self._state.write() as session:
            mine = named_leases.take(session, name, owner, clock(), clock() + self.lease)
        if not mine:
            yield ""
            return
        try:
            with heartbeat(renew, self.lease.total_seconds() / 3):
                yield owner
        finally:
            with self._state.write() as session:
                named_leases.release(session, name, owner)
