"""The witness: what the log says of whoever took the messages. It knows nothing of Heliograph."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.domain.messages.receipts import is_final, parse_receipt_state
from core.gateways.simulator.profiles import fate_of, profile_of
from core.gateways.smsc.intake import NETWORK_DIGITS
from core.proving.faults import Trial

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Evidence:
    """
    What the log has.

    Args:
        receivers: How many messages each receiver was sent.
        states: The final state of each message that was reported and acknowledged, by the id the log gave it.
        silent_count: Messages that were taken and on purpose not answered.
        owed_count: Receipts that nobody has acknowledged.
    """

    receivers: Counter[str]
    states: dict[str, str]
    silent_count: int
    owed_count: int


@dataclass(frozen=True)
class Witness:
    """The log at *path*, of the simulator or of an SMSC."""

    path: Path
    trial: Trial

    def count_taken(self) -> int:
        """Return how many messages were taken so far; 0 before there is a log."""
        return sum(int(count) for (count,) in self._fetch("SELECT count(*) FROM accepted"))

    def count_owed(self) -> int:
        """Return how many receipts are not acknowledged."""
        counted = f"SELECT count(*) FROM {self._receipts} WHERE acknowledged = 0"  # noqa: S608 - one of two
        return sum(int(count) for (count,) in self._fetch(counted))

    def testify(self) -> Evidence:
        """Return everything."""
        taken = self._fetch("SELECT message_id, msisdn FROM accepted")
        acknowledged = f"SELECT gateway_message_id, state FROM {self._receipts} WHERE acknowledged = 1"  # noqa: S608
        reported = self._fetch(acknowledged)
        return Evidence(
            Counter(msisdn for _, msisdn in taken),
            {key: state for key, state in reported if is_final(parse_receipt_state(state))},
            sum(self._is_silent(message_id, msisdn) for message_id, msisdn in taken),
            self.count_owed(),
        )

    @property
    def _receipts(self) -> str:
        return "deliveries" if self.trial.is_smpp else "receipts"

    def _is_silent(self, message_id: str, msisdn: str) -> bool:
        # The share of silence is the same in all networks of the simulator, which knows them by their codes.
        network = msisdn[1 : NETWORK_DIGITS + 1] if self.trial.is_smpp else ""
        return fate_of(self.trial.seed, message_id, profile_of(self.trial.seed, network)).silent

    def _fetch(self, query: str) -> list[tuple[str, ...]]:
        """Return the rows; none before there is a log, which nobody makes by looking."""
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path, timeout=_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA query_only=ON")
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    # It is being made.
                    return []
                raise
