"""
The queue for a SQLite file's write lock.

SQLite knows no queue: who finds its lock taken sleeps ever longer, up to a tenth of a second, and looks again. A thread
that writes without a pause has it back before a sleeper wakes, so that others waited for seconds, and between two
processes until they gave up. Here whoever writes next stands in a doorway (`core.doorways`); what keeps two writers
apart is SQLite's own lock.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.doorways import NEXT_S, doorway

# Who stands in the doorway may have been stopped: whoever waits for so long goes past.
DOORWAY_S = 0.5


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
