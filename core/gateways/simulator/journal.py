"""
The simulator's own durable log: what it accepted, and the receipts it owes.

It stands apart from Heliograph's stores, so that what was sent can be proved from outside. A
receiver may stand in it twice: that is exactly what it must be able to show.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.domain.accounts.pacing import Bucket
from core.doorways import NEXT_S, try_lock
from core.errors import StorageError, Unavailable

# A provider keeps what it took for some months; nobody proves anything by a simulator's for longer.
KEPT_FOR = timedelta(days=90)
# For who opens the file at the same time, and for who writes.
OPEN_TIMEOUT_S = 15.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS accepted (
    gateway_message_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    segment_count INTEGER NOT NULL,
    accepted_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (
    token INTEGER PRIMARY KEY,
    gateway_message_id TEXT NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT NOT NULL,
    due_us INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS receipts_due ON receipts (due_us) WHERE acknowledged = 0;
CREATE TABLE IF NOT EXISTS bucket (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), tokens REAL, updated_us INTEGER);
"""


@dataclass(frozen=True)
class Accepted:
    """A message the simulator took; never its text."""

    gateway_message_id: str
    message_id: str
    msisdn: str
    sender_id: str
    segment_count: int
    accepted_at: datetime


@dataclass(frozen=True)
class OwedReceipt:
    """A receipt to be reported from *due_at* on."""

    gateway_message_id: str
    state: str
    error_code: str
    due_at: datetime


class Journal:
    """The log in one SQLite file; threads and processes may share it."""

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

    def find_bucket(self) -> Bucket | None:
        """Return the token bucket that throttles, None before its first use."""
        rows = self._fetch_all("SELECT tokens, updated_us FROM bucket")
        return Bucket(rows[0][0], _moment(rows[0][1])) if rows else None

    def list_due(self, limit: int, now: datetime) -> list[tuple[int, OwedReceipt]]:
        """Return (token, receipt) of what is due and not acknowledged, by due time."""
        rows = self._fetch_all(
            "SELECT token, gateway_message_id, state, error_code, due_us FROM receipts"
            " WHERE acknowledged = 0 AND due_us <= ? ORDER BY due_us, token LIMIT ?",
            (_microseconds(now), limit),
        )
        return [(token, OwedReceipt(key, state, code, _moment(due))) for token, key, state, code, due in rows]

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Remember that these receipts are taken."""
        with self.write() as connection:
            connection.executemany("UPDATE receipts SET acknowledged = 1 WHERE token = ?", [(t,) for t in tokens])

    def forget(self, before: datetime) -> int:
        """Delete what was taken before then, with its receipts; return how many messages."""
        old = "SELECT gateway_message_id FROM accepted WHERE accepted_us < ?"
        with self.write() as connection:
            moment = (_microseconds(before),)
            connection.execute(f"DELETE FROM receipts WHERE gateway_message_id IN ({old})", moment)  # noqa: S608 - our own
            count = connection.execute("DELETE FROM accepted WHERE accepted_us < ?", moment).rowcount
        if count:
            # SQLite's own log still has them, until it is begun anew.
            self._fetch_all("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

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
            (_microseconds(since) if since else 0,),
        )
        return [(str(msisdn), int(count)) for msisdn, count in rows]

    def list_accepted(self) -> Iterator[Accepted]:
        """Yield what was taken, by time."""
        with self._reached() as connection:
            rows = connection.execute("SELECT * FROM accepted ORDER BY accepted_us, gateway_message_id")
            for key, message_id, msisdn, sender_id, segment_count, accepted in rows:
                yield Accepted(key, message_id, msisdn, sender_id, segment_count, _moment(accepted))

    def _fetch_all(self, query: str, values: Sequence[int] = ()) -> list[tuple[Any, ...]]:
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
            raise Unavailable(f"The simulator's log cannot be used: {error}.", gateway="simulator") from error

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _open(self._path)
        return connection


def forget_log(path: Path, now: datetime) -> int:
    """Delete what the log at *path* has kept for `KEPT_FOR`; return how many messages. Raises: StorageError."""
    if not path.exists():
        return 0
    try:
        return Journal(path).forget(now - KEPT_FOR)
    except Unavailable as error:
        raise StorageError("The simulator's log cannot be tidied up.", hint=error.hint) from error


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(path.parent):
            connection = sqlite3.connect(path, isolation_level=None, timeout=OPEN_TIMEOUT_S)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                # A killed process loses nothing with NORMAL, and power cuts are not what a simulator is for.
                connection.execute("PRAGMA synchronous=NORMAL")
                # What is deleted leaves the file, too.
                connection.execute("PRAGMA secure_delete=ON")
                connection.executescript(SCHEMA)
            except BaseException:
                connection.close()
                raise
            return connection
    except OSError as error:
        raise Unavailable(f"The simulator's log cannot be opened: {error.strerror}.", gateway="simulator") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    # SQLite does not wait when two switch a new file to WAL at once: one of them is told that it is locked. The
    # folder is what is locked, because closing a second handle on the file itself would end SQLite's own locks.
    descriptor = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + OPEN_TIMEOUT_S
    try:
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                # It takes some milliseconds: whoever is at it was stopped.
                raise Unavailable("The simulator's log is being opened by another process.", gateway="simulator")
            time.sleep(NEXT_S)
        yield
    finally:
        os.close(descriptor)


def add_accepted(connection: sqlite3.Connection, taken: Sequence[Accepted], owed: Sequence[OwedReceipt]) -> None:
    """Log messages and the receipts they will get, within the caller's transaction."""
    connection.executemany(
        "INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?)",
        [
            (a.gateway_message_id, a.message_id, a.msisdn, a.sender_id, a.segment_count, _microseconds(a.accepted_at))
            for a in taken
        ],
    )
    connection.executemany(
        "INSERT INTO receipts (gateway_message_id, state, error_code, due_us) VALUES (?, ?, ?, ?)",
        [(r.gateway_message_id, r.state, r.error_code, _microseconds(r.due_at)) for r in owed],
    )


def bring_forward(connection: sqlite3.Connection, by: timedelta) -> None:
    """Make every owed receipt due earlier, within the caller's transaction."""
    connection.execute(
        "UPDATE receipts SET due_us = due_us - ? WHERE acknowledged = 0", (by // timedelta(microseconds=1),)
    )


def set_bucket(connection: sqlite3.Connection, bucket: Bucket) -> None:
    """Store the token bucket within the caller's transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO bucket VALUES (1, ?, ?)", (bucket.tokens, _microseconds(bucket.updated_at))
    )


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
