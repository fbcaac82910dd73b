"""The transactional store: one engine, read and write transactions, migrations."""

import functools
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.domain.words.folding import fold
from core.driver_errors import forget_values
from core.errors import AppError, InvalidInput, StorageError
from core.state.engine import write_queue
from core.state.engine.door import watch
from core.state.engine.sqlite_file import ReadOnly, SqliteFile

MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_TIMEOUT_MS = 15_000
# Set on a connection whose thread has its turn to write.
_HAS_TURN = "heliograph_turn"
# Whoever empties the log holds others up for as long as somebody reads.
SCRUB_TIMEOUT_MS = 500


class State:
    """
    The state store on SQLite or PostgreSQL.

    Transactions belong to use cases and stay short: none is ever open across a gateway call
    or a write to the lake.
    """

    def __init__(self, url: str) -> None:
        """Keep the SQLAlchemy *url*; nothing connects yet."""
        self.url = url
        self._engine = _make_engine(url)
        self._file = _file_of(self._engine)
        self._writing = self._engine.execution_options(heliograph_write=True)
        # All statements of a reading see the same moment, as they do on SQLite by themselves.
        postgres = self._engine.dialect.name == "postgresql"
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ") if postgres else self._engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """
        Open a transaction that only reads, all of it from one moment.

        Raises: StorageError: the store does not answer.
        """
        with self._guarded(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def ask(self) -> Iterator[Connection]:
        """
        Open the same as `read` without the ORM's books: for one question that is asked all the time.

        Raises: StorageError: the store does not answer.
        """
        with self._guarded(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """
        Open a transaction that commits at the end of the block and rolls back on any error.

        Raises: StorageError: the store does not answer, or has no room.
        """
        with self._guarded(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def tell_time(self) -> datetime:
        """
        Return what time it is for everybody who uses the store: a server's clock, or this machine's with a file.

        Raises: StorageError: the store does not answer.
        """
        if self._engine.dialect.name != "postgresql":
            return datetime.now(UTC)
        with self.ask() as connection:
            told: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return told.astimezone(UTC)

    def migrate(self) -> None:
        """
        Bring the schema to the newest version; harmless when it already is, or when others do so at the same time.

        Raises: StorageError: the store does not answer, or has no room.
        """
        # A tenth of a second, which most processes need not wait for.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        url = make_url(self.url)
        if url.drivername.startswith("sqlite") and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self._writing
        with _translated():
            command.upgrade(config, "head")

    def scrub(self) -> int:
        """
        Take what was deleted out of SQLite's log as well; PostgreSQL does so by itself.

        A log that somebody is reading is left for the next time. Returns: 0, as nothing is deleted by it.
        Raises: StorageError: the store does not answer.
        """
        if self._engine.dialect.name == "sqlite":
            # Past SQLAlchemy, which would begin a transaction, for whose end SQLite would wait.
            with _translated(), closing(self._engine.raw_connection()) as connection:
                try:
                    cursor = connection.cursor()
                    cursor.execute(f"PRAGMA busy_timeout={SCRUB_TIMEOUT_MS}")
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                    cursor.close()
                except sqlite3.Error as error:
                    raise _explained(error) from error
        return 0

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()
        if self._file:
            self._file.forget()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with _translated():
                yield
        except ReadOnly:
            if self._file:
                self._file.begin_closing()
            raise
        finally:
            if self._file:
                self._file.end_closing(self._engine)


def _make_engine(url: str) -> Engine:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    # A server may have closed the connection meanwhile; a file has not. Errors are logged, and what is bound may be a
    # number, a text or a password's hash: neither SQLAlchemy nor a driver quotes it.
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
    watch(engine)
    event.listen(engine, "handle_error", _forget_values)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        line = write_queue.WriteLine()
        event.listen(engine, "begin", functools.partial(_begin_sqlite, line))
        event.listen(engine, "checkin", functools.partial(_leave_line, line))
    return engine


def _forget_values(context: ExceptionContext) -> None:
    # Here, since not every log of a process is ours: Streamlit writes what a page did not catch by itself.
    forget_values(context.sqlalchemy_exception or context.original_exception)


def _file_of(engine: Engine) -> SqliteFile | None:
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        return None
    sqlite_file = SqliteFile(Path(database))
    sqlite_file.watch(engine)
    return sqlite_file


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` decides which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL, not NORMAL: a claim lost to a power cut would be a message sent twice.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What REPLACE removes fires the triggers that keep the audit, too.
    cursor.execute("PRAGMA recursive_triggers=ON")
    # What is deleted leaves the file, too: pages are not only let go, but emptied.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
    # SQLite's own knows A to Z only, so that somebody called Élise could not be found.
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.create_function("fold", 1, _fold, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _fold(text: str | None) -> str | None:
    return None if text is None else fold(text)


def _begin_sqlite(line: write_queue.WriteLine, connection: Connection) -> None:
    # A write transaction takes the lock at once: upgrading a read lock later fails under contention
    # without waiting for the busy timeout.
    if not connection.get_execution_options().get("heliograph_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    database = connection.engine.url.database
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    if not database or database == ":memory:":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    if not line.enter(BUSY_TIMEOUT_MS / 1000):
        raise _busy()
    # Until the connection is back in its pool, however the transaction ends.
    connection.info[_HAS_TURN] = True
    try:
        began = write_queue.begin_write(raw, Path(database), max(0.0, deadline - time.monotonic()))
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error
    if not began:
        raise _busy()


def _leave_line(line: write_queue.WriteLine, _connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    if record.info.pop(_HAS_TURN, False):
        line.leave()


def _busy() -> StorageError:
    return StorageError("The state store is busy.", hint="Try again in a moment.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise InvalidInput("A value is too long or cannot be stored.", hint="Type a shorter one.") from error
    except (OperationalError, InterfaceError) as error:
        raise _storage_error(error) from error
    except DatabaseError as error:
        # A file that is damaged, or no database at all, is just this; its other kinds are defects of ours.
        if type(error) is not DatabaseError:
            raise
        raise _storage_error(error) from error
    except PoolTimeoutError as error:
        raise _busy() from error


def _storage_error(error: DBAPIError) -> AppError:
    return _explained(error.orig or error)


def _explained(error: BaseException) -> AppError:
    reason = str(error)
    if "readonly database" in reason:
        return ReadOnly()
    if re.search(r"disk is full|No space left", reason):
        return StorageError("The state store cannot be written.", hint="Free disk space, then try again.")
    if "malformed" in reason or "not a database" in reason:
        return StorageError(
            f"The state store's file is damaged: {reason.splitlines()[0]}.",
            hint="Stop web and worker, put a backup in its place, and start them again: see docs/operations.md.",
        )
    if "locked" in reason:
        return _busy()
    return StorageError(f"The state store does not answer: {reason.splitlines()[0]}", hint="See docs/operations.md.")
