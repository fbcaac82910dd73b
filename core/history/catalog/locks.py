"""One writer of the lake at a time: writers that collide fail, and readers never wait for a writer."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Protocol

import psycopg

from core.domain.words.counting import count_of
from core.doorways import doorway, try_lock
from core.errors import StorageError

# Any numbers of our own: they name the lake's writer, and whoever maintains it, among the advisory locks of the
# catalog's database.
WRITER_KEY = 0x48454C494F
MAINTENANCE_KEY = WRITER_KEY + 1
# Who stands in the doorway of the writer's lock may have been stopped: whoever waits for so long goes past. Longer than
# most writes last, so that who comes last does not get it first.
DOORWAY_S = 2.0
# A reader waits for so long at a closed gate. Closing takes half a second, and what is done behind it a minute at most:
# who still has it closed was stopped.
GATE_PATIENCE_S = 70.0
# Between two looks of who is next: a write takes many times as long.
_LOOK_S = 0.003


class WriterLock(Protocol):
    """Held by the one thread of one process that writes; its death lets go."""

    def hold(self, timeout_s: float) -> AbstractContextManager[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free within *timeout_s*."""

    def try_hold(self) -> AbstractContextManager[bool]:
        """Hold the lock if it is free now; tells whether it is held. Raises: StorageError: no connection."""


class FileLock:
    """A lock file beside a catalog on this machine; those who wait for it take turns (`core.doorways`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def hold(self, timeout_s: float) -> Iterator[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free within *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        # Every holder opens the file anew: the lock then also keeps threads of one process apart.
        with _opened(self._path) as file:
            with doorway(self._path, min(DOORWAY_S, timeout_s)):
                while not try_lock(file.fileno()):
                    if time.monotonic() >= deadline:
                        raise _busy(timeout_s)
                    time.sleep(_LOOK_S)
            yield

    @contextmanager
    def try_hold(self) -> Iterator[bool]:
        """Hold the lock if it is free now; tells whether it is held."""
        with _opened(self._path) as file:
            yield try_lock(file.fileno())


class AdvisoryLock:
    """
    An advisory lock in the PostgreSQL database that holds the catalog.

    It keeps writers from working in vain and no more: its session may end before the write does. What keeps two writers
    apart is the commit itself (`Lake`).
    """

    def __init__(self, dsn: str, key: int = WRITER_KEY) -> None:
        self._dsn = dsn
        self._key = key

    @contextmanager
    def hold(self, timeout_s: float) -> Iterator[None]:
        """Wait for the lock and hold it. Raises: StorageError: not free in time, or no connection."""
        with self._session() as connection:
            try:
                connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(timeout_s * 1000)}ms"])
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._key])
            except psycopg.errors.LockNotAvailable as error:
                raise _busy(timeout_s) from error
            except psycopg.Error as error:
                raise unreachable() from error
            yield

    @contextmanager
    def try_hold(self) -> Iterator[bool]:
        """Hold the lock if it is free now; tells whether it is held. Raises: StorageError: no connection."""
        with self._session() as connection:
            try:
                row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [self._key]).fetchone()
            except psycopg.Error as error:
                raise unreachable() from error
            yield bool(row and row[0])

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """
        Give a connection of its own: when its holder dies, the server lets go of the lock.

        The lock is a transaction's, so that a pooler keeps lock and connection together, and the server is asked to
        wait for as long as the write takes.
        """
        try:
            connection = psycopg.connect(self._dsn)
        except psycopg.Error as error:
            raise unreachable() from error
        try:
            try:
                connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            except psycopg.Error as error:
                raise unreachable() from error
            yield connection
        finally:
            # Nothing is to be kept, and what was done under the lock does not fail because its session has ended.
            with suppress(psycopg.Error):
                connection.rollback()
            connection.close()


class ReaderGate(Protocol):
    """Readers go in and out; it is closed while the catalog is to be nobody's but its holder's."""

    def enter(self) -> AbstractContextManager[None]:
        """Stay inside while the block runs. Raises: StorageError: closed for more than `GATE_PATIENCE_S`."""

    def closed(self, timeout_s: float) -> AbstractContextManager[None]:
        """Keep readers out while the block runs. Raises: ReadersInside: some did not leave within *timeout_s*."""


class ReadersInside(StorageError):
    """The catalog cannot be written anew because somebody reads it."""

    def __init__(self) -> None:
        super().__init__("Somebody is reading much of the message history.", hint="Try again when they have finished.")


class FileGate:
    """
    A gate for the readers of a catalog in SQLite.

    What was deleted stays in SQLite's log for as long as somebody reads what was there before. Whoever closes the gate
    stands in the door first, so that those who come later wait for a moment, and those inside run dry.
    """

    def __init__(self, folder: Path) -> None:
        self._door, self._room = folder / "door.lock", folder / "readers.lock"

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Stay inside while the block runs. Raises: StorageError: closed for more than `GATE_PATIENCE_S`."""
        deadline = time.monotonic() + GATE_PATIENCE_S
        with _opened(self._room) as room:
            with _opened(self._door) as door:
                for file in (door, room):
                    while not try_lock(file.fileno(), shared=True):
                        if time.monotonic() >= deadline:
                            raise _closed()
                        time.sleep(_LOOK_S)
            yield

    @contextmanager
    def closed(self, timeout_s: float) -> Iterator[None]:
        """Keep readers out while the block runs. Raises: ReadersInside: some did not leave within *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        with _opened(self._door) as door, _opened(self._room) as room:
            for file in (door, room):
                while not try_lock(file.fileno()):
                    if time.monotonic() >= deadline:
                        raise ReadersInside
                    time.sleep(_LOOK_S)
            yield


class OpenGate:
    """A gate for a catalog in PostgreSQL, which sees to its files itself: nobody waits."""

    def enter(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def closed(self, timeout_s: float) -> AbstractContextManager[None]:  # noqa: ARG002 - nobody is waited for
        """Do nothing."""
        return nullcontext()


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened: {error.strerror}.", hint="Let Heliograph read and write its data folder."
        ) from error


def _busy(timeout_s: float) -> StorageError:
    return StorageError(
        f"The message history was being written to for more than {count_of(round(timeout_s), 'second', 'seconds')}.",
        hint="Try again in a minute.",
    )


def _closed() -> StorageError:
    waited = count_of(round(GATE_PATIENCE_S), "second", "seconds")
    return StorageError(
        f"The message history has been closed for {waited} by a worker that maintains it.",
        hint="Try again in a minute. If it stays so, that worker was stopped: let it go on, or end it.",
    )


def unreachable() -> StorageError:
    """Return the error for a server that does not answer, without what it said, which may hold a password."""
    return StorageError(
        "The catalog of the message history could not be reached.",
        hint="Check that the PostgreSQL server of HELIOGRAPH_LAKE_CATALOG runs.",
    )
