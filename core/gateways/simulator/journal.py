"""The simulator's own durable log: what it accepted, and the receipts it owes."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from core.errors import StorageError, Unavailable
from core.gateways.simulator.accepted import Accepted, AcceptedLog, log_accepted, to_microseconds, to_moment
from core.gateways.simulator.throttling import Bucket

# A provider keeps what it took for some months; nobody proves anything by a simulator's for longer.
KEPT_FOR = timedelta(days=90)

SCHEMA = """
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


class OwedReceipt(NamedTuple):
    """A receipt to be reported from *due_at* on."""

    gateway_message_id: str
    state: str
    error_code: str
    due_at: datetime


class Journal(AcceptedLog):
    """What the simulator accepted, the receipts it owes and the bucket it throttles by."""

    schema = SCHEMA

    def find_bucket(self) -> Bucket | None:
        """Return the token bucket that throttles, None before its first use."""
        rows = self._fetch_all("SELECT tokens, updated_us FROM bucket")
        return Bucket(rows[0][0], to_moment(rows[0][1])) if rows else None

    def list_due(self, limit: int, now: datetime) -> list[tuple[int, OwedReceipt]]:
        """Return (token, receipt) of what is due and not acknowledged, by due time."""
        rows = self._fetch_all(
            "SELECT token, gateway_message_id, state, error_code, due_us FROM receipts"
            " WHERE acknowledged = 0 AND due_us <= ? ORDER BY due_us, token LIMIT ?",
            (to_microseconds(now), limit),
        )
        return [(token, OwedReceipt(key, state, code, to_moment(due))) for token, key, state, code, due in rows]

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Remember that these receipts are taken."""
        with self.write() as connection:
            connection.executemany("UPDATE receipts SET acknowledged = 1 WHERE token = ?", [(t,) for t in tokens])

    def _forget_what_belongs(self, connection: sqlite3.Connection, before_us: int) -> None:
        connection.execute(
            "DELETE FROM receipts WHERE gateway_message_id IN"
            " (SELECT gateway_message_id FROM accepted WHERE accepted_us < ?)",
            (before_us,),
        )


def forget_log(path: Path, now: datetime) -> int:
    """Delete what the log at *path* has kept for `KEPT_FOR`; return how many messages. Raises: StorageError."""
    if not path.exists():
        return 0
    try:
        return Journal(path).forget(now - KEPT_FOR)
    except Unavailable as error:
        raise StorageError("The simulator's log cannot be tidied up.", hint=error.hint) from error


def add_accepted(connection: sqlite3.Connection, taken: Sequence[Accepted], owed: Sequence[OwedReceipt]) -> None:
    """Log messages and the receipts they will get, within the caller's transaction."""
    log_accepted(connection, taken)
    connection.executemany(
        "INSERT INTO receipts (gateway_message_id, state, error_code, due_us) VALUES (?, ?, ?, ?)",
        [(r.gateway_message_id, r.state, r.error_code, to_microseconds(r.due_at)) for r in owed],
    )


def bring_forward(connection: sqlite3.Connection, by: timedelta) -> None:
    """Make every owed receipt due earlier, within the caller's transaction."""
    connection.execute(
        "UPDATE receipts SET due_us = due_us - ? WHERE acknowledged = 0", (by // timedelta(microseconds=1),)
    )


def set_bucket(connection: sqlite3.Connection, bucket: Bucket) -> None:
    """Store the token bucket within the caller's transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO bucket VALUES (1, ?, ?)", (bucket.tokens, to_microseconds(bucket.updated_at))
    )
