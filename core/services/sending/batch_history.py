"""
A batch's history: a finished one moves from the ledger into the lake, which is called settling it.

The lake's commit carries the batch id and comes first; then one state transaction counts the batch, forgets it, and
lets receipts that came before it be tried again. Killed between the two, the next worker finds the tag and only counts.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.messages.messages import REASONED, DeliveryStatus, Exclusion, LedgerState
from core.history.lake.schema import MESSAGE_SCHEMA, UNSENT_SCHEMA
from core.state.campaigns import campaigns, ledger, receipts
from core.state.campaigns.ledger import Batch, Outcome
from core.state.engine.store import State

log = logging.getLogger(__name__)


class SettledBatches(Protocol):
    """What settling needs of the lake."""

    def append_batch(  # noqa: D102
        self, batch_id: str, campaign_id: str, messages: pa.Table, unsent: pa.Table, now: datetime
    ) -> bool: ...


class BatchHistory:
    """From the ledger into history."""

    def __init__(self, state: State, history: SettledBatches) -> None:
        self._state = state
        self._history = history

    def settle(self, campaign: Campaign, batch: Batch, rows: pa.Table, now: datetime) -> None:
        """
        Append the batch to history and count it; harmless when somebody else has done so.

        Args:
            campaign: The batch's campaign.
            batch: Every one of its messages has an outcome.
            rows: The batch's slice of the frozen audience.
            now: When.

        Raises: StorageError: a store did not answer; nothing is half done.
        """
        with self._state.read() as session:
            recorded = ledger.list_recorded(session, batch.batch_id)
        if len(recorded) != batch.message_count:
            # Only when somebody else settled it: the ledger rows are gone together with the batch.
            log.warning("batch_not_whole", extra={"batch_id": batch.batch_id, "recorded": len(recorded)})
            return
        self._append(campaign, batch, rows, recorded, now)

    def settle_canceled(self, campaign: Campaign, batch: Batch, rows: pa.Table, now: datetime) -> None:
        """Do the same with a batch of a canceled campaign: what was never claimed is excluded as canceled."""
        with self._state.read() as session:
            recorded = ledger.list_recorded(session, batch.batch_id)
        known = {outcome.message_id for outcome in recorded}
        canceled = [
            Outcome(message_id, LedgerState.EXCLUDED, now, Exclusion.CANCELED)
            for message_id in rows["message_id"].to_pylist()
            if message_id not in known
        ]
        self._append(campaign, batch, rows, (*recorded, *canceled), now)

    def _append(
        self, campaign: Campaign, batch: Batch, rows: pa.Table, recorded: Sequence[Outcome], now: datetime
    ) -> None:
        sent, unsent = _tables(campaign, rows, recorded)
        appended = self._history.append_batch(batch.batch_id, campaign.campaign_id, sent, unsent, now)
        self._count(campaign.campaign_id, batch.batch_id, recorded, now)
        log.info("batch_settled", extra={"batch_id": batch.batch_id, "appended": appended, "sent": sent.num_rows})

    def _count(self, campaign_id: str, batch_id: str, recorded: Sequence[Outcome], now: datetime) -> None:
        counts = Counter((outcome.state.value, _reason(outcome)) for outcome in recorded)
        with self._state.write() as session:
            # One after the other: of two workers with the last two batches, the second must see that it is last.
            campaign = campaigns.lock_campaign(session, campaign_id)
            for gateway in {outcome.gateway for outcome in recorded if outcome.state is LedgerState.SENT}:
                receipts.make_due(session, gateway, batch_id, now)
            if not ledger.settle_batch(session, batch_id):
                return
            campaigns.add_outcomes(session, campaign_id, counts)
            if campaign.status is CampaignStatus.ACTIVE and ledger.count_batches(session, campaign_id) == 0:
                campaigns.move_from(session, campaign, CampaignStatus.COMPLETED, completed_at=now)
                log.info("campaign_completed", extra={"campaign_id": campaign_id})


def _reason(outcome: Outcome) -> str:
    return outcome.error_code if outcome.state in REASONED else ""


def _tables(campaign: Campaign, rows: pa.Table, recorded: Sequence[Outcome]) -> tuple[pa.Table, pa.Table]:
    outcomes = {outcome.message_id: outcome for outcome in recorded}
    in_order = [outcomes[message_id] for message_id in rows["message_id"].to_pylist()]
    is_sent = pa.array([outcome.state is LedgerState.SENT for outcome in in_order], pa.bool_())
    is_unsent = pa.array([outcome.state is not LedgerState.SENT for outcome in in_order], pa.bool_())
    sent = [outcome for outcome in in_order if outcome.state is LedgerState.SENT]
    unsent = [outcome for outcome in in_order if outcome.state is not LedgerState.SENT]
    return make_messages(campaign, rows.filter(is_sent), sent), _unsent(rows.filter(is_unsent), unsent)


def make_messages(campaign: Campaign, rows: pa.Table, sent: Sequence[Outcome]) -> pa.Table:
    """Return the rows of a *campaign*'s audience as history has them, by what became of each, in the same order."""
    count = len(sent)
    columns = {
        "message_id": rows["message_id"],
        "sent_at": [outcome.submitted_at for outcome in sent],
        "account": [campaign.account_id] * count,
        "campaign_id": [campaign.campaign_id] * count,
        "source": [campaign.source.value] * count,
        "receiver": rows["msisdn"],
        "sender": [campaign.sender_id] * count,
        "country": rows["country"],
        "network": rows["network"],
        "mccmnc": rows["mccmnc"],
        "delivery_status": [DeliveryStatus.SUBMITTED.value] * count,
        "error_code": [""] * count,
        "delivered_at": [None] * count,
        "price_eur_cents": rows["price_eur_cents"],
        "segment_count": rows["segment_count"],
        "unicode": [encoding == "ucs2" for encoding in rows["encoding"].to_pylist()],
        "gateway": [outcome.gateway for outcome in sent],
        "gateway_message_id": [outcome.gateway_message_id for outcome in sent],
    }
    return pa.table(columns, schema=MESSAGE_SCHEMA)


def _unsent(rows: pa.Table, unsent: Sequence[Outcome]) -> pa.Table:
    columns = {
        "message_id": rows["message_id"],
        "msisdn": rows["msisdn"],
        "outcome": [outcome.state.value for outcome in unsent],
        "reason": [_reason(outcome) for outcome in unsent],
        "country": rows["country"],
        "network": rows["network"],
        "mccmnc": rows["mccmnc"],
        "recorded_at": [outcome.submitted_at for outcome in unsent],
    }
    return pa.table(columns, schema=UNSENT_SCHEMA)
