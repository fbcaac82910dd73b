"""Keeping a lease alive while one long step runs."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import StorageError
from core.identifiers import new_id

log = logging.getLogger(__name__)


def new_owner() -> str:
    """Return a name for one run of one task: two runs never share a lease, not even in one process."""
    return f"{socket.gethostname()[:16]}:{os.getpid()}:{new_id()[-12:]}"


@contextmanager
def heartbeat(renew: Callable[[], bool], every_s: float) -> Iterator[None]:
    """
    Call *renew* every *every_s* seconds from a thread until the block ends.

    A renewal that fails is logged; whether the lease still stands is checked where it matters,
    in the transaction that finishes the work.
    """
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(renew, every_s, done), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(renew: Callable[[], bool], every_s: float, done: threading.Event) -> None:
    while not done.wait(every_s):
        try:
            if not renew():
                # The last step of the work ends its lease. It is lost only where the work goes on without it.
                if not done.wait(every_s):
                    log.warning("lease_lost")
                return
        except StorageError:
            log.warning("lease_renewal_failed", exc_info=True)
