"""
The queue for a SQLite file's write lock.

SQLite knows no queue: who finds its lock taken sleeps ever longer, up to a tenth of a second, and looks again. A thread
that writes without a pause has it back before a sleeper wakes, so that others waited for seconds, and between two
processes until they gave up. Here the threads of one process stand in a line, in which each is woken by the one before,
and the first of each process in a doorway (`core.doorways`), where it has to look again and again. What keeps two
writers apart is SQLite's own lock.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.doorways import NEXT_S, doorway

# Who stands in the doorway may have been stopped: whoever waits for so long goes past.
DOORWAY_S = 0.5


class WriteLine:
    """The line of one process's threads that write into a file: first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        # Each waits for a lock of its own, which whoever leaves lets go of.
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting_count(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def enter(self, timeout_s: float) -> bool:
        """Return once it is this thread's turn, which lasts until `leave`; False when it is not in time."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout_s):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # It came in the very moment that the patience was over.
        return True

    def leave(self) -> None:
        """Let the next thread have its turn; whoever has one does so, from whichever thread."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


def begin_write(connection: sqlite3.Connection, path: Path, timeout_s: float) -> bool:
    """
    Begin a transaction that writes into *path* as soon as this thread is the next; False when it is not in time.

    Raises: sqlite3.OperationalError: the file cannot be written at all.
    """
    deadline = time.monotonic() + timeout_s
    with doorway(path, min(DOORWAY_S, timeout_s)), _impatient(connection):
        while not _began(connection):
            if time.monotonic() >= deadline:
                return False
            time.sleep(NEXT_S)
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
