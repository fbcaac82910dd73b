"""
What was accepted, in a durable log of its own.

It stands apart from Heliograph's stores, so that what was sent can be proved from outside. A receiver may stand in it
twice: that is exactly what it must be able to show.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from core.doorways import NEXT_S, try_lock
from core.errors import Unavailable

# For who opens the file at the same time, and for who writes.
OPEN_TIMEOUT_S = 15.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accepted (
    gateway_message_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    segment_count INTEGER NOT NULL,
    accepted_us INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was taken; never its text."""

    gateway_message_id: str
    message_id: str
    msisdn: str
    sender_id: str
    segment_count: int
    accepted_at: datetime


class AcceptedLog:
    """The log in one SQLite file; threads and processes may share it. Whoever extends it adds tables of its own."""

    owner: ClassVar[str] = "simulator"
    schema: ClassVar[str] = ""
    # Pages of SQLite's own log after which they go into the file; its default.
    checkpoint_pages: ClassVar[int] = 1_000

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is made on first use."""
        self._path = path
        self._local = threading.local()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """
        Open a transaction; it is on disk, safe from a killed process, when the block has ended.

        Raises: Unavailable: the file cannot be used, and nothing of the block is in it.
        """
        with self._reached() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def count_accepted(self) -> int:
        """Return how many messages were taken."""
        return int(self._fetch_all("SELECT count(*) FROM accepted")[0][0])

    def list_repeated(self) -> list[tuple[str, int]]:
        """Return (message_id, times) of every message that was taken more than once: there should be none."""
        rows = self._fetch_all("SELECT message_id, count(*) FROM accepted GROUP BY message_id HAVING count(*) > 1")
        return [(str(message_id), int(count)) for message_id, count in rows]

    def list_repeated_receivers(self, since: datetime | None = None) -> list[tuple[str, int]]:
        """
        Return (msisdn, times) of every receiver of more than one message, by msisdn.

        Within one campaign there should be none; *since* leaves out what was taken before.
        """
        rows = self._fetch_all(
            "SELECT msisdn, count(*) FROM accepted WHERE accepted_us >= ?"
            " GROUP BY msisdn HAVING count(*) > 1 ORDER BY msisdn",
            (to_microseconds(since) if since else 0,),
        )
        return [(str(msisdn), int(count)) for msisdn, count in rows]

    def list_accepted(self) -> Iterator[Accepted]:
        """Yield what was taken, by time."""
        with self._reached() as connection:
            rows = connection.execute("SELECT * FROM accepted ORDER BY accepted_us, gateway_message_id")
            for key, message_id, msisdn, sender_id, segment_count, accepted in rows:
                yield Accepted(key, message_id, msisdn, sender_id, segment_count, to_moment(accepted))

    def forget(self, before: datetime) -> int:
        """Delete what was taken before then, with what belongs to it; return how many messages."""
        before_us = to_microseconds(before)
        with self.write() as connection:
            self._forget_what_belongs(connection, before_us)
            count = connection.execute("DELETE FROM accepted WHERE accepted_us < ?", (before_us,)).rowcount
        if count:
            # SQLite's own log still has them, until it is begun anew.
            self._fetch_all("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    def _forget_what_belongs(self, connection: sqlite3.Connection, before_us: int) -> None:
        """Delete from the tables of a log that extends this one."""

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            connection.close()

    def _fetch_all(self, query: str, values: Sequence[int | str] = ()) -> list[tuple[Any, ...]]:
        with self._reached() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _reached(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connect()
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            # These are defects of ours; trying again later would hide them.
            raise
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"The {self.owner}'s log cannot be used: {error}.", gateway=self.owner) from error

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._alone():
                connection = sqlite3.connect(self._path, isolation_level=None, timeout=OPEN_TIMEOUT_S)
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                    # A killed process loses nothing with NORMAL, and power cuts are not what it is for.
                    connection.execute("PRAGMA synchronous=NORMAL")
                    connection.execute(f"PRAGMA wal_autocheckpoint={self.checkpoint_pages}")
                    # What is deleted leaves the file, too.
                    connection.execute("PRAGMA secure_delete=ON")
                    connection.executescript(_SCHEMA + self.schema)
                except BaseException:
                    connection.close()
                    raise
                return connection
        except OSError as error:
            raise Unavailable(
                f"The {self.owner}'s log cannot be opened: {error.strerror}.", gateway=self.owner
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # SQLite does not wait when two switch a new file to WAL at once: one of them is told that it is locked. The
        # folder is what is locked, because closing a second handle on the file itself would end SQLite's own locks.
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        deadline = time.monotonic() + OPEN_TIMEOUT_S
        try:
            while not try_lock(descriptor):
                if time.monotonic() >= deadline:
                    # It takes some milliseconds: whoever is at it was stopped.
                    raise Unavailable(f"The {self.owner}'s log is being opened by another process.", gateway=self.owner)
                time.sleep(NEXT_S)
            yield
        finally:
            os.close(descriptor)


def log_accepted(connection: sqlite3.Connection, taken: Sequence[Accepted]) -> None:
    """Log messages within the caller's transaction."""
    connection.executemany(
        "INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?)",
        [
            (a.gateway_message_id, a.message_id, a.msisdn, a.sender_id, a.segment_count, to_microseconds(a.accepted_at))
            for a in taken
        ],
    )


def to_microseconds(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def to_moment(microseconds: int) -> datetime:
    """Return the moment so many microseconds after 1970, aware UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
