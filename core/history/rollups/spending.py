"""What an account has spent, and what of a campaign is still to be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.lake.connection import Lake
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/spending.sql")


class Spending:
    """Sums of prices, in EUR cents."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def add_up(self, account_id: str, since: datetime, open_batches: Mapping[str, Sequence[int]]) -> Decimal:
        """Return the price of all that the account sent since then, and of these batches of frozen audiences."""
        with self._lake.read() as cursor:
            sent = fetch_one(cursor, _SQL["sent"], {"account": account_id, "since": since})[0]
            return Decimal(sent) + sum((_open(cursor, *batches) for batches in open_batches.items()), Decimal(0))

    def open(self, campaign_id: str, batch_nos: Sequence[int]) -> Decimal:
        """Return the price of these batches of a frozen audience."""
        with self._lake.read() as cursor:
            return _open(cursor, campaign_id, batch_nos)


def _open(cursor: Cursor, campaign_id: str, batch_nos: Sequence[int]) -> Decimal:
    values = {"campaign_id": campaign_id, "batch_nos": list(batch_nos)}
    return Decimal(fetch_one(cursor, _SQL["open"], values)[0])
