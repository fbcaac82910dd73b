"""One writer of the lake at a time: writers that collide fail, and readers never wait for a writer."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg

from core.errors import StorageError

# Any number of our own: it names the lake's writer among the advisory locks of the catalog's database.
_ADVISORY_KEY = 0x48454C494F
_POLL_FIRST_S, _POLL_MOST_S = 0.002, 0.05


class WriterLock(Protocol):
    """Held by the one thread of one process that writes; its death lets go."""

    def hold(self, timeout_s: float) -> AbstractContextManager[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free within *timeout_s*."""


class FileLock:
    """A lock file beside a catalog on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def hold(self, timeout_s: float) -> Iterator[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free within *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        # Every holder opens the file anew: the lock then also keeps threads of one process apart.
        with self._path.open("a") as file:
            pause_s = _POLL_FIRST_S
            while not _try_lock(file.fileno()):
                if time.monotonic() >= deadline:
                    raise _busy(timeout_s)
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, _POLL_MOST_S)
            yield


class AdvisoryLock:
    """An advisory lock in the PostgreSQL database that holds the catalog."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @contextmanager
    def hold(self, timeout_s: float) -> Iterator[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free in time, or no connection."""
        try:
            connection = psycopg.connect(self._dsn, autocommit=True)
        except psycopg.Error as error:
            raise _unreachable() from error
        # A connection of its own for every write: when its holder dies, the server lets go of the lock.
        with connection:
            try:
                connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(timeout_s * 1000)}ms"])
                connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_KEY])
            except psycopg.errors.LockNotAvailable as error:
                raise _busy(timeout_s) from error
            except psycopg.Error as error:
                raise _unreachable() from error
            yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(timeout_s: float) -> StorageError:
    return StorageError(
        f"The message history was being written to for more than {timeout_s:.0f} seconds.",
        hint="Try again in a minute.",
    )


def _unreachable() -> StorageError:
    return StorageError(
        "The catalog of the message history could not be reached.",
        hint="Check that the PostgreSQL server of HELIOGRAPH_LAKE_CATALOG runs.",
    )
