"""What an account has spent, and what of a campaign is still to be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.history.lake.connection import Lake
from core.history.sql.statements import load_statements

_SQL = load_statements("rollups/spending.sql")


class Spending:
    """Sums of prices, in EUR cents. What was handed over and never answered counts as sent."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def add_up(
        self,
        account_id: str,
        since: datetime,
        open_batches: Mapping[str, Sequence[int]],
        unknown_of: Sequence[str] = (),
        spent_before: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> Decimal:
        """
        Return the price of all that the account sent since then, and of these batches of frozen audiences.

        *unknown_of* are its campaigns that have messages of which nobody heard, *spent_before* message_ids of these
        batches, by campaign, that count in an earlier month.
        """
        with self._lake.read() as cursor:
            sent = _sum(cursor, "sent", account=account_id, since=since) + _unknown(cursor, unknown_of, since)
            sent += sum((_open(cursor, *batches) for batches in open_batches.items()), Decimal(0))
            return sent - sum((_in_ledger(cursor, *messages) for messages in spent_before.items()), Decimal(0))

    def count_account(
        self, account_id: str, since: datetime, unknown_of: Sequence[str], in_ledger: Mapping[str, Sequence[str]]
    ) -> Decimal:
        """
        Return the price of all that the account sent since then, and of what is on its way.

        The latter, message_ids by campaign, may have come into history since it was read: it is counted once.
        """
        with self._lake.read() as cursor:
            sent = _sum(cursor, "sent", account=account_id, since=since) + _unknown(cursor, unknown_of, since)
            return sent + sum((_in_ledger(cursor, *messages) for messages in in_ledger.items()), Decimal(0))

    def count_campaign(self, campaign_id: str, since: datetime, in_ledger: Sequence[str]) -> Decimal:
        """Return the price of all that the campaign sent since then, and of what is on its way."""
        with self._lake.read() as cursor:
            sent = _sum(cursor, "sent_of_campaign", campaign_id=campaign_id, since=since)
            return sent + _unknown(cursor, [campaign_id], since) + _in_ledger(cursor, campaign_id, in_ledger)

    def open(self, campaign_id: str, batch_nos: Sequence[int]) -> Decimal:
        """Return the price of these batches of a frozen audience."""
        with self._lake.read() as cursor:
            return _open(cursor, campaign_id, batch_nos)

    def claimed(self, campaign_id: str, message_ids: Sequence[str]) -> Decimal:
        """Return the price of these messages of a frozen audience, as far as their batches are not in history."""
        with self._lake.read() as cursor:
            return _in_ledger(cursor, campaign_id, message_ids)

    def unclaimed(self, campaign_id: str, batch_nos: Sequence[int], message_ids: Sequence[str]) -> Decimal:
        """Return the price of these batches of a frozen audience without the messages that have been claimed."""
        values = {"campaign_id": campaign_id, "batch_nos": list(batch_nos), "message_ids": list(message_ids)}
        with self._lake.read() as cursor:
            return _sum(cursor, "unclaimed", **values)


def _open(cursor: Cursor, campaign_id: str, batch_nos: Sequence[int]) -> Decimal:
    return _sum(cursor, "open", campaign_id=campaign_id, batch_nos=list(batch_nos))


def _unknown(cursor: Cursor, campaign_ids: Sequence[str], since: datetime) -> Decimal:
    # Nearly always there are none, and nobody is looked for.
    return _sum(cursor, "unknown", campaign_ids=list(campaign_ids), since=since) if campaign_ids else Decimal(0)


def _in_ledger(cursor: Cursor, campaign_id: str, message_ids: Sequence[str]) -> Decimal:
    if not message_ids:
        return Decimal(0)
    return _sum(cursor, "in_ledger", campaign_id=campaign_id, message_ids=list(message_ids))


def _sum(cursor: Cursor, name: str, **values: object) -> Decimal:
    return Decimal(fetch_one(cursor, _SQL[name], values)[0])
