"""The message lake: DuckDB in this process over DuckLake, whose catalog and files all processes share."""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import duckdb

from core.config import Settings
from core.errors import StorageError
from core.history.catalog.identity import Identity, LakeRegister
from core.history.catalog.location import Location
from core.history.catalog.locks import WriterLock
from core.history.engine.door import Cursor, Instance
from core.history.engine.extensions import load_extensions
from core.history.engine.faults import explained, is_broken, is_conflict, is_lost
from core.history.engine.spill import Spill
from core.history.lake.schema import migrate
from core.turns import OneForAll

T = TypeVar("T")

WRITE_ATTEMPTS = 6
LOCK_TIMEOUT_S = 60.0
GATE_TIMEOUT_S = 0.5
# Between two looks of `ping` whether an open catalog is still the installation's.
LOOK_S = 5.0
_BACKOFF_FIRST_S, _BACKOFF_MOST_S = 0.05, 1.0

_log = logging.getLogger(__name__)


class Lake:
    """
    One per process and safe to share between threads: every call works on a cursor of its own.

    Nothing connects before the first call; the first one creates the lake or brings it up to date, if the catalog is
    the installation's (`core.history.catalog.identity`): else every call raises `StorageError` until it is.
    The tables are `lake.<name>` in SQL; schema.sql lists them.
    """

    def __init__(
        self, settings: Settings, register: LakeRegister | None = None, location: Location | None = None
    ) -> None:
        self._location = location or Location.of(settings)
        self._identity = Identity(self._location, register)
        self._memory_mib = settings.duckdb_memory_mib
        self._lock: WriterLock = self._location.lock()
        self._gate = self._location.gate()
        self._maintenance = self._location.maintenance_lock()
        self._opening = OneForAll()
        # Whoever opens waits for the writer's lock. Who holds that must not wait for who opens, so that forgetting an
        # instance has a lock of its own, which is held for nothing else.
        self._swapping = threading.Lock()
        self._connection: Instance | None = None
        self._opened = self._committed = 0
        self._look_at_s = 0.0

    @property
    def location(self) -> Location:
        """Where the lake is."""
        return self._location

    @property
    def changes(self) -> tuple[int, int]:
        """How often this process has opened the lake, and how often it has changed it."""
        return self._opened, self._committed

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """
        Give a cursor that sees one snapshot of the lake from its first query on, and cannot write.

        Raises: StorageError: the lake cannot be reached, or memory does not suffice.
        """
        connection = self._connect()
        with self._gate.enter(), self._cursor_of(connection) as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            try:
                yield cursor
            finally:
                _roll_back(cursor)

    def write(self, work: Callable[[Cursor], T]) -> T:
        """
        Run *work* in one transaction as the lake's only writer and commit it.

        The commit holds only if nothing was committed since *work* began, whatever became of the lock: so what *work*
        found missing, such as a batch's tag, is missing when its rows come in.

        Args:
            work: Runs again from the start after a conflict, and its caller may run it again after a
                commit of which nobody knows whether it happened: it looks first what is already there.

        Returns: What *work* returned.
        Raises: StorageError: no lock in time, conflicts without end, a full disk, no connection.
        """
        pause_s = _BACKOFF_FIRST_S
        for attempt in range(1, WRITE_ATTEMPTS):
            try:
                return self._write_once(work)
            except StorageError as error:
                if not (isinstance(error.__cause__, duckdb.Error) and is_conflict(error.__cause__)):
                    raise
                # With the error, so that a catalog somebody keeps locked costs a line and a count.
                _log.warning("lake_write_conflict", extra={"attempt": attempt}, exc_info=error)
            time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads writers, guards nothing
            pause_s = min(pause_s * 2, _BACKOFF_MOST_S)
        return self._write_once(work)

    def tend(self, work: Callable[[Cursor], T]) -> T:
        """
        Run *work* beside a writer: for what changes no table, such as deleting files nobody names.

        Raises: StorageError: as `read`.
        """
        with self._cursor() as cursor:
            return work(cursor)

    def idle(self, work: Callable[[], None]) -> None:
        """
        Run *work* while nobody writes the lake and nobody reads it; readers wait meanwhile.

        Raises: ReadersInside: one did not leave; *work* did not run. StorageError: as `write`.
        """
        self._connect()
        with self._lock.hold(LOCK_TIMEOUT_S), self._gate.closed(GATE_TIMEOUT_S):
            work()

    @contextmanager
    def try_maintenance(self) -> Iterator[bool]:
        """Hold the lock of whoever maintains the lake, if it is free; False when it is not."""
        self._connect()
        with self._maintenance.try_hold() as held:
            yield held

    @contextmanager
    def scratch(self, fill: Callable[[Cursor, str], object]) -> Iterator[str]:
        """
        Keep a table in this process's memory while the block runs; it spills to disk when large.

        Work that takes long, such as reading a file or rendering texts, goes here first, so that the
        writer's lock is held only for copying its rows.

        Args:
            fill: Creates the table; is given a cursor and the table's qualified name.

        Returns: The table's qualified name.
        Raises: StorageError: as `read`.
        """
        name = _new_scratch()
        with self._cursor() as cursor:
            try:
                with self._gate.enter():
                    fill(cursor, name)
                yield name
            finally:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")

    def keep_scratch(self, fill: Callable[[Cursor, str], object]) -> str:
        """Keep such a table until `drop_scratch`, or until this process opens the lake anew. Raises: as `scratch`."""
        name = _new_scratch()
        with self._cursor() as cursor, self._gate.enter():
            fill(cursor, name)
        return name

    def drop_scratch(self, name: str) -> None:
        """Forget a table that was kept; one that is gone with its instance is no error."""
        with self._cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")

    def ping(self) -> None:
        """Ask the catalog something small. Raises: StorageError: as `read`; or it cannot be written."""
        with self.read() as cursor:
            cursor.execute("SELECT count(*) FROM lake.schema_migrations").fetchall()
        # An instance that is open goes on for a while with what it knows of a file that was overwritten. Looking takes
        # another instance and a tenth of a second, and anybody may ask for health.
        if time.monotonic() >= self._look_at_s:
            self._identity.check()
            self._look_at_s = time.monotonic() + LOOK_S
        self._identity.catalog.check_writable()

    def adopt(self) -> None:
        """Take the catalog that is there for the installation's. Raises: StorageError: none, or damaged."""
        self._identity.adopt()

    def open_anew(self, instance_no: int) -> None:
        """Let the next call open another instance than this one: what it knows is of another catalog."""
        connection = self._connection
        if connection is not None and connection.number == instance_no:
            self._forget(connection)

    def close(self) -> None:
        """Close the DuckDB instance; a later call opens it again."""
        # Who waited only to hear that it cannot be opened has nothing to close.
        with suppress(StorageError), self._opening.hold():
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write_once(self, work: Callable[[Cursor], T]) -> T:
        # Opened first: it takes the same lock when it is the first of this process.
        connection = self._connect()
        with self._lock.hold(LOCK_TIMEOUT_S), self._cursor_of(connection) as cursor:
            try:
                return _transact(cursor, work)
            finally:
                # After an error too: a commit of which nobody knows may have happened.
                self._committed += 1

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with self._cursor_of(self._connect()) as cursor:
            yield cursor

    @contextmanager
    def _cursor_of(self, connection: Instance) -> Iterator[Cursor]:
        try:
            with explained(), connection.cursor() as cursor:
                yield cursor
        except StorageError as error:
            cause = error.__cause__
            if isinstance(cause, duckdb.Error) and (is_broken(cause) or is_lost(cause)):
                self._forget(connection)
                # Says what is wrong more exactly, if it is the catalog.
                self._identity.check(thoroughly=is_lost(cause))
            raise

    def _connect(self) -> Instance:
        with self._opening.hold():
            connection = self._connection
            if connection is not None and self._identity.is_replaced():
                self._forget(connection)
                connection = None
            if connection is None:
                connection = self._open()
                self._opened += 1
                with self._swapping:
                    self._connection = connection
            return connection

    def _forget(self, connection: Instance) -> None:
        """Let the next call open a new instance; calls that still run on the old one fail by themselves."""
        with self._swapping:
            if self._connection is connection:
                self._connection = None

    def _open(self) -> Instance:
        self._identity.check(thoroughly=True)
        self._location.make_folders()
        connection = Instance({"memory_limit": f"{self._memory_mib}MiB"}, self._make_spill())
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_spill(self) -> Spill:
        try:
            return Spill(self._location.spill_dir)
        except OSError as error:
            raise StorageError(
                f"{self._location.spill_dir} cannot be written: {error.strerror}.",
                hint="Make room, and let Heliograph write to its data folder.",
            ) from error

    def _prepare(self, connection: Instance) -> None:
        with explained():
            # Plain timestamps are UTC everywhere; aware ones that come in are turned by the session's zone.
            connection.set_up("SET GLOBAL TimeZone = 'UTC'")
            load_extensions(connection, *self._location.extensions)
            # A file never changes once it is there, and a large one is described by some hundred row groups.
            connection.set_up("SET GLOBAL parquet_metadata_cache = true")
            # DuckLake would try a commit again upon what others committed meanwhile, as long as it only adds rows. Here
            # whoever looked at an older snapshot has lost and does its work again: two cannot both find a tag missing.
            connection.set_up("SET GLOBAL ducklake_max_retry_count = 0")
            # Two processes that start at once must not both create the catalog.
            with self._lock.hold(LOCK_TIMEOUT_S), connection.cursor() as cursor:
                self._location.attach(connection, create=self._identity.begin(connection))
                connection.lock_down([self._location.files])
                applied = _transact(cursor, migrate)
                self._identity.finish()
        for name in applied:
            _log.info("lake_migrated", extra={"migration": name})


def _new_scratch() -> str:
    return f"memory.main.scratch_{uuid.uuid4().hex}"


def _transact(cursor: Cursor, work: Callable[[Cursor], T]) -> T:
    cursor.execute("BEGIN TRANSACTION")
    try:
        result = work(cursor)
        cursor.execute("COMMIT")
    except BaseException:
        _roll_back(cursor)
        raise
    return result


def _roll_back(cursor: Cursor) -> None:
    # A commit that failed has ended its transaction, and a broken instance has none; what made us roll
    # back is the error that counts.
    with suppress(duckdb.Error):
        cursor.execute("ROLLBACK")
