"""
Leases: of all workers one does a thing, and another takes over when that one dies.

Whoever takes a lease writes a name and an end of time into the state store, which a thread puts off while the work goes
on. One that comes back after another has taken over finds another's name there, and ends nothing.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from core.errors import StorageError
from core.identifiers import new_id
from core.state.engine.store import State
from core.state.tables import named_leases

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class Take(Protocol):
    """Takes the lease of *subject* for *owner*, or puts off the end of his own; False when somebody else has it."""

    def __call__(  # noqa: D102
        self, session: Session, subject: str, /, owner: str, now: datetime, until: datetime
    ) -> bool: ...


class Renew(Protocol):
    """Puts off the end of *owner*'s lease of *subject*; False when it is somebody else's by now."""

    def __call__(self, session: Session, subject: str, /, owner: str, until: datetime) -> bool: ...  # noqa: D102


class Stopped(StorageError):
    """The worker ends. What it was at is given back, and waits for the next one."""

    def __init__(self) -> None:
        super().__init__(
            "The worker is stopping.", hint="Another one will continue, or this one when it is started again."
        )


@dataclass(frozen=True)
class Lease:
    """
    One's own hold on a thing; *owner* is the name it goes by in the store.

    *renew* puts off its end, in the transaction that writes what came of the work: nothing may be written if it returns
    False, since somebody else has the lease or has ended the work. *check* raises `Stopped` when the worker ends: to be
    called between two steps of what takes long.
    """

    owner: str
    renew: Callable[[Session], bool]
    check: Callable[[], None]


class Leases:
    """The leases of one process, each of *lease_s* seconds from now; all its work ends when `stop` is set."""

    def __init__(self, state: State, lease_s: int) -> None:
        """Take the store and how long a lease lasts."""
        self._state = state
        self.stop = threading.Event()
        self.lasts = timedelta(seconds=lease_s)

    @contextmanager
    def hold(self, subject: str, clock: Clock, take: Take, renew: Renew | None = None) -> Iterator[Lease | None]:
        """
        Hold the lease of *subject* while the block runs; give None when somebody else has it, or the work is done.

        `Stopped` within the block gives the lease back at once, and goes no further.

        Args:
            subject: The id of what is worked on.
            clock: What time it is.
            take: Takes the lease; again for what is one's own, unless there is a *renew*.
            renew: Puts off its end. Needed where who has lost the lease must not get it back when it is free again.
        """
        owner = new_owner()

        def put_off(session: Session) -> bool:
            if renew is not None:
                return renew(session, subject, owner, clock() + self.lasts)
            return take(session, subject, owner, clock(), clock() + self.lasts)

        with self._state.write() as session:
            mine = take(session, subject, owner, clock(), clock() + self.lasts)
        if not mine:
            yield None
            return
        try:
            with self.keep(put_off):
                yield Lease(owner, put_off, self.check)
        except Stopped:
            with self._state.write() as session:
                take(session, subject, owner, clock(), clock())
            log.info("work_given_back", extra={"subject": subject})

    @contextmanager
    def alone(self, name: str, clock: Clock) -> Iterator[Lease | None]:
        """Do the same under a name, for what has no row of its own, and let go of it at the end."""
        with self.hold(name, clock, named_leases.take, named_leases.renew) as lease:
            try:
                yield lease
            finally:
                if lease:
                    with self._state.write() as session:
                        named_leases.release(session, name, lease.owner)

    @contextmanager
    def keep(self, renew: Callable[[Session], bool]) -> Iterator[None]:
        """
        Call *renew* three times a lease, each in a transaction of its own, from a thread until the block ends.

        A renewal that fails is logged; whether the lease still stands is checked where it matters, in the transaction
        that ends the work.
        """

        def renew_apart() -> bool:
            with self._state.write() as session:
                return renew(session)

        done = threading.Event()
        every_s = self.lasts.total_seconds() / 3
        thread = threading.Thread(target=beat, args=(renew_apart, every_s, done), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def check(self) -> None:
        """Raise `Stopped` when the worker ends."""
        if self.stop.is_set():
            raise Stopped


def new_owner() -> str:
    """Return a name for one run of one task: two runs never share a lease, not even in one process."""
    return f"{socket.gethostname()[:16]}:{os.getpid()}:{new_id()[-12:]}"


def beat(renew: Callable[[], bool], every_s: float, done: threading.Event) -> None:
    """Call *renew* every so many seconds until *done*, or until the lease is somebody else's."""
    while not done.wait(every_s):
        try:
            if not renew():
                # The last step of the work ends its lease. It is lost only where the work goes on without it.
                if not done.wait(every_s):
                    log.warning("lease_lost")
                return
        except StorageError:
            log.warning("lease_renewal_failed", exc_info=True)
