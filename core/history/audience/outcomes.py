"""What became of each row of a frozen audience."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from core.history.engine.results import fetch
from core.history.lake.connection import Lake
from core.history.sql.statements import load_statements

_SQL = load_statements("audience/outcomes.sql")


@dataclass(frozen=True)
class OpenWork:
    """What of a campaign is not settled: its batches, and (message_id, outcome, reason) of what is in the ledger."""

    batch_nos: Sequence[int]
    ledger: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class OutcomeQuery:
    """Rows with an *outcome* (sent, excluded, failed, unknown, pending) and, if given, a *reason*."""

    campaign_id: str
    since: datetime
    outcome: str
    reason: str | None = None


class Outcomes:
    """Looks the rows up."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def rows(self, query: OutcomeQuery, work: OpenWork, limit: int, offset: int) -> tuple[pa.Table, int]:
        """
        Return up to *limit* rows after the first *offset*, by number, and how many there are in all.

        Columns: msisdn, country, network, mccmnc, reason (all text). The total is 0 past the last row.
        """
        ids, outcomes, reasons = map(list, zip(*work.ledger, strict=True)) if work.ledger else ([], [], [])
        values = {"ids": ids, "outcomes": outcomes, "reasons": reasons, "batch_nos": list(work.batch_nos)}
        with self._lake.read() as cursor:
            found = fetch(cursor, _SQL["rows"], {**vars(query), **values, "limit": limit, "offset": offset})
        total = int(found["total"][0].as_py()) if found.num_rows else 0
        return found.drop_columns(["total"]), total
