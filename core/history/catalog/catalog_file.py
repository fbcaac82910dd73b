"""The file of a catalog in SQLite, looked after from outside of DuckDB."""

import logging
import subprocess
import sys
from pathlib import Path

from core.errors import StorageError

TIMEOUT_S = 60
log = logging.getLogger(__name__)

# Not in this process: closing another handle on the file would end the locks that DuckDB's own SQLite holds on it.
_TIDY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchall()
connection.close()
"""
_EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"


def vacuum(path: Path) -> None:
    """Write the catalog anew without the pages it has let go. Raises: StorageError: SQLite did not, and says why."""
    _tidy(path, "VACUUM", _EMPTY_LOG)


def empty_log(path: Path) -> None:
    """Put what is in the catalog's log into its file, which then is all there is. Raises: StorageError: as `vacuum`."""
    _tidy(path, _EMPTY_LOG)


def _tidy(path: Path, *statements: str) -> None:
    command = [sys.executable, "-I", "-c", _TIDY, str(path), *statements]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as error:
        raise StorageError("The history's catalog was not tidied up in time.", hint="It is tried again.") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().rpartition("\n")[2]
        raise StorageError(f"The history's catalog was not tidied up: {reason}.", hint="It is tried again.") from error
