"""
Taking turns at a SQLite file's write lock.

SQLite knows no queue: who finds its lock taken sleeps ever longer, up to a tenth of a second, and looks again. A thread
that writes without a pause has it back before a sleeper wakes, so that others waited for seconds, and between two
processes until they gave up. Here whoever writes next stands in a doorway that only one fits into: who has just written
cannot pass him. The doorway is thrift only; what keeps two writers apart is SQLite's own lock.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Between two looks, of who stands in the doorway and of those behind.
NEXT_S, BEHIND_S = 0.001, 0.005
# Who stands there may have been stopped: whoever waits for so long goes past.
DOORWAY_S = 0.5


def begin_write(connection: sqlite3.Connection, path: Path, timeout_s: float) -> bool:
    """
    Begin a transaction that writes into *path* as soon as it is this thread's turn; False when it is not in time.

    Raises: sqlite3.OperationalError: the file cannot be written at all.
    """
    deadline = time.monotonic() + timeout_s
    with _doorway(path, min(DOORWAY_S, timeout_s)), _impatient(connection):
        while not _began(connection):
            if time.monotonic() >= deadline:
                return False
            time.sleep(NEXT_S)
    return True


def is_someone_next(path: Path) -> bool:
    """Return whether somebody stands in the doorway of *path*."""
    with _beside(path).open("a") as file:
        return not _try_lock(file.fileno())


@contextmanager
def _doorway(path: Path, patience_s: float) -> Iterator[None]:
    deadline = time.monotonic() + patience_s
    try:
        door = os.open(_beside(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        # A folder that cannot be written: what SQLite says of that is what the caller should hear.
        yield
        return
    try:
        while not _try_lock(door) and time.monotonic() < deadline:
            time.sleep(BEHIND_S)
        yield
    finally:
        os.close(door)


def _beside(path: Path) -> Path:
    # Not the file itself: closing a second handle on that would end SQLite's own locks.
    return path.with_name(f"{path.name}-turn")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without such locks: then there is no queue.
        return True
    return True


@contextmanager
def _impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Let SQLite say at once that its lock is taken."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience_ms}")


def _began(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        # The low byte says what, the others why.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
