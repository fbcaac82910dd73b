"""Locking a SQLite file for a while: `python -m core.proving.locking FILE SECONDS`, as another program would do it."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from core.proving.processes import REPOSITORY

# The lock is asked for while others write all the time.
_PATIENCE_S = 60.0


def lock_apart(path: Path, seconds: float) -> bool:
    """Let another process lock the file for so many seconds, and wait for that; False when it did not get the lock."""
    command = [sys.executable, "-m", __name__, str(path), str(seconds)]
    with subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True) as process:  # noqa: S603 - our own
        try:
            return process.wait(seconds + 2 * _PATIENCE_S) == 0
        finally:
            process.kill()


def lock(path: Path, seconds: float) -> None:
    """Lock the file for so many seconds."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    lock(Path(sys.argv[1]), float(sys.argv[2]))
