"""The SMSC's own durable log: what it accepted, whole and in parts, and what it still has to deliver."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from core.gateways.simulator.accepted import Accepted, AcceptedLog, log_accepted, to_microseconds, to_moment
from core.gateways.smsc.assembly import LoggedPart
from core.gateways.smsc.submits import Part

_MICROSECOND = timedelta(microseconds=1)
_PART_COLUMNS = "gateway_message_id, first_id, system_id, sender_id, msisdn, reference, total, number, accepted_us"


class Delivery(NamedTuple):
    """
    A deliver_sm to be sent from *due_us* on: a receipt, or a reply, which has a *text* and no *state*.

    It is a row of the log as it stands there, with times in microseconds since 1970: it is written and read as often as
    messages are. *gateway_message_id* is that of the message it belongs to; *header* the user data header of a part of
    a long reply; *token* 0 before it is logged.
    """

    system_id: str
    gateway_message_id: str
    msisdn: str
    sender_id: str
    submitted_us: int
    due_us: int
    state: str = ""
    error_code: str = ""
    text: str = ""
    header: bytes = b""
    token: int = 0


_DELIVERY_COLUMNS = ", ".join(Delivery._fields)
# SQLite gives the token.
_MARKS = ", ".join("NULLIF(?, 0)" if name == "token" else "?" for name in Delivery._fields)
_INSERT_DELIVERY = f"INSERT INTO deliveries ({_DELIVERY_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - our own


@dataclass
class Changes:
    """What is to be logged together. *put_off* are tokens of deliveries that come again when they are due."""

    accepted: list[Accepted] = field(default_factory=list)
    parts: list[LoggedPart] = field(default_factory=list)
    owed: list[Delivery] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    put_off: list[tuple[int, datetime]] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.accepted or self.parts or self.owed or self.acknowledged or self.put_off)


class SmscJournal(AcceptedLog):
    """
    What the SMSC accepted: a message counts in `accepted` once it is whole; its parts are noted as they come.

    The `message_id` of a message is the digest of its receiver and its text (`submits.digest_of`); its
    `gateway_message_id` is that of the first of its parts that came.
    """

    owner = "SMSC"
    # 40 MiB: moving pages waits for the disk, and most of them change many times in a second.
    checkpoint_pages = 10_000
    schema = """
CREATE TABLE IF NOT EXISTS parts (
    gateway_message_id TEXT PRIMARY KEY,
    first_id TEXT NOT NULL,
    system_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    reference INTEGER NOT NULL,
    total INTEGER NOT NULL,
    number INTEGER NOT NULL,
    accepted_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    token INTEGER PRIMARY KEY,
    system_id TEXT NOT NULL,
    gateway_message_id TEXT NOT NULL,
    msisdn TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    submitted_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT NOT NULL,
    text TEXT NOT NULL,
    header BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (system_id, due_us) WHERE acknowledged = 0;
"""

    def record(self, changes: Changes) -> None:
        """Log all of it, durably, or nothing. Raises: Unavailable: nothing of it."""
        with self.write() as connection:
            log_accepted(connection, changes.accepted)
            _log_parts(connection, changes.parts)
            connection.executemany(_INSERT_DELIVERY, changes.owed)
            acknowledged = [(token,) for token in changes.acknowledged]
            connection.executemany("UPDATE deliveries SET acknowledged = 1 WHERE token = ?", acknowledged)
            put_off = [(to_microseconds(due_at), token) for token, due_at in changes.put_off]
            connection.executemany("UPDATE deliveries SET due_us = ? WHERE token = ?", put_off)

    def list_due(self, system_id: str, limit: int, now: datetime) -> list[Delivery]:
        """Return what is due to the binds of *system_id* and not acknowledged, by due time."""
        rows = self._fetch_all(
            f"SELECT {_DELIVERY_COLUMNS} FROM deliveries"  # noqa: S608 - our own
            " WHERE acknowledged = 0 AND system_id = ? AND due_us <= ? ORDER BY due_us, token LIMIT ?",
            (system_id, to_microseconds(now), limit),
        )
        return [Delivery._make(row) for row in rows]

    def count_owed(self) -> int:
        """Return how many receipts and replies are not acknowledged."""
        return int(self._fetch_all("SELECT count(*) FROM deliveries WHERE acknowledged = 0")[0][0])

    def count_acknowledged(self) -> int:
        """Return how many receipts and replies the other side has taken."""
        return int(self._fetch_all("SELECT count(*) FROM deliveries WHERE acknowledged = 1")[0][0])

    def bring_forward(self, by: timedelta) -> None:
        """Make all that is owed due earlier: the clock was set back by so much."""
        with self.write() as connection:
            connection.execute(
                "UPDATE deliveries SET due_us = due_us - ? WHERE acknowledged = 0", (by // _MICROSECOND,)
            )

    def find_latest(self) -> tuple[int, datetime] | None:
        """Return the highest id that was given, and when the last message was taken; None before the first."""
        rows = self._fetch_all(
            "SELECT max(id), max(us) FROM (SELECT max(gateway_message_id) AS id, max(accepted_us) AS us FROM accepted"
            " UNION ALL SELECT max(gateway_message_id), max(accepted_us) FROM parts)"
        )
        return None if rows[0][0] is None else (int(rows[0][0]), to_moment(rows[0][1]))

    def list_unfinished(self) -> Iterator[LoggedPart]:
        """Yield the parts of messages that are not whole, by time."""
        rows = self._fetch_all(
            f"SELECT {_PART_COLUMNS} FROM parts"  # noqa: S608 - our own
            " WHERE first_id NOT IN (SELECT gateway_message_id FROM accepted) ORDER BY accepted_us, gateway_message_id"
        )
        for key, first, system_id, sender_id, msisdn, reference, total, number, accepted in rows:
            part = Part(reference, total, number)
            yield LoggedPart(key, first, system_id, sender_id, msisdn, part, to_moment(accepted))

    def count_unfinished(self) -> int:
        """Return how many messages are not whole."""
        return len({each.first_id for each in self.list_unfinished()})

    def list_repeated_parts(self) -> list[tuple[str, int, int]]:
        """Return (msisdn, number, times) of every part that a message got more than once: there should be none."""
        rows = self._fetch_all(
            "SELECT msisdn, number, count(*) FROM parts GROUP BY first_id, msisdn, number HAVING count(*) > 1"
            " ORDER BY msisdn, number"
        )
        return [(str(msisdn), int(number), int(count)) for msisdn, number, count in rows]

    def _forget_what_belongs(self, connection: sqlite3.Connection, before_us: int) -> None:
        connection.execute("DELETE FROM parts WHERE accepted_us < ?", (before_us,))
        connection.execute("DELETE FROM deliveries WHERE submitted_us < ?", (before_us,))


def _log_parts(connection: sqlite3.Connection, parts: Sequence[LoggedPart]) -> None:
    connection.executemany(
        "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                each.gateway_message_id,
                each.first_id,
                each.system_id,
                each.sender_id,
                each.msisdn,
                *each.part,
                to_microseconds(each.accepted_at),
            )
            for each in parts
        ],
    )
