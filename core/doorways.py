"""
Doorways: who waits for a lock has it before who has just let it go.

Neither a lock on a file nor SQLite knows a queue: who finds it taken sleeps and looks again, and a thread that lets go
and comes back at once has it before a sleeper wakes. Whoever wants a lock next therefore stands in a doorway beside it
that only one fits into, and looks often; the others look, more seldom, whether the doorway is free. It is thrift only:
what keeps two apart is the lock behind it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Between two looks, of who stands in the doorway and of those behind.
NEXT_S, BEHIND_S = 0.001, 0.005


@contextmanager
def doorway(lock: Path, patience_s: float) -> Iterator[None]:
    """
    Stand in the doorway of the *lock* at that path while the block runs, as soon as it is free.

    Who stands there may have been stopped: whoever has waited for *patience_s* goes past.
    """
    deadline = time.monotonic() + patience_s
    try:
        door = os.open(_beside(lock), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        # A folder that cannot be written: what the lock itself says of that is what the caller should hear.
        yield
        return
    try:
        while not _has_room(door) and time.monotonic() < deadline:
            time.sleep(BEHIND_S)
        yield
    finally:
        os.close(door)


def is_someone_in(lock: Path) -> bool:
    """Return whether somebody stands in the doorway of the *lock* at that path."""
    with _beside(lock).open("a") as file:
        return not _has_room(file.fileno())


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """
    Lock an open file for oneself alone, or *shared* with others who do so; False when somebody else stands in the way.

    Raises: OSError: no such locks here.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_room(door: int) -> bool:
    try:
        return try_lock(door)
    except OSError:
        # A file system without such locks: then there is no queue.
        return True


def _beside(lock: Path) -> Path:
    # Not the file itself: closing a second handle on a database would end SQLite's own locks.
    return lock.with_name(f"{lock.name}-turn")
