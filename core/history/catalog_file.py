"""The file of a catalog in SQLite, looked after from outside of DuckDB."""

import logging
import subprocess
import sys
from pathlib import Path

from core.errors import StorageError

TIMEOUT_S = 60
log = logging.getLogger(__name__)

# Not in this process: closing another handle on the file would end the locks that DuckDB's own SQLite holds on it.
_VACUUM = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
connection.execute("VACUUM")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
connection.close()
"""


def vacuum(path: Path) -> None:
    """Write the catalog anew without the pages it has let go. Raises: StorageError: SQLite did not, and says why."""
    command = [sys.executable, "-I", "-c", _VACUUM, str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as error:
        raise StorageError("The history's catalog was not tidied up in time.", hint="It is tried again.") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().rpartition("\n")[2]
        raise StorageError(f"The history's catalog was not tidied up: {reason}.", hint="It is tried again.") from error
