"""Tracing: what became of one message, from the queue to its last receipt."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.error_codes import ErrorMeaning, Stage, find_meaning
from core.domain.messages.messages import DeliveryStatus, Receipt
from core.domain.messages.receipts import Effect, Settled, is_known_state, judge, merge, parse_receipt_state, settle
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.errors import NotFound
from core.history.messages.tracing import StoredMessage, StoredTrace, Traces
from core.state.accounts import accounts, gateways
from core.state.campaigns import campaigns
from core.state.engine.store import State


@dataclass(frozen=True)
class TracedReceipt:
    """
    A receipt as it came, and what it did.

    *status* is what its word means to us, *is_known* whether anybody knows the word. *meaning* explains its code.
    """

    receipt: Receipt
    received_at: datetime
    status: DeliveryStatus
    is_known: bool
    effect: Effect
    meaning: ErrorMeaning | None


@dataclass(frozen=True)
class MessageTrace:
    """
    All there is to say about a message.

    The receiver of *message* is masked for those who may not see numbers; *account_name* and *country* are names.
    *campaign* is None where there is none, and for those who may not see campaigns. *launched_at* is when the campaign
    was launched and *queued_at* when its audience was frozen: None where there is no campaign, or nothing was recorded.
    *meaning* explains the error code. *is_explained* says whether the receipts add up to the message's status: not
    where it was settled before receipts were kept.
    """

    message: StoredMessage
    account_name: str
    country: str
    campaign: Campaign | None
    launched_at: datetime | None
    queued_at: datetime | None
    receipts: tuple[TracedReceipt, ...]
    meaning: ErrorMeaning | None
    is_explained: bool


class Tracing:
    """Questions about one message, of the viewer's accounts only."""

    def __init__(self, state: State, history: Traces) -> None:
        self._state = state
        self._history = history

    def get(self, viewer: Viewer, message_id: str) -> MessageTrace:
        """
        Return the message's trace.

        Raises: Forbidden: without the permission, or its account is inactive. NotFound: no such message, or another
            account's.
        """
        viewer.require(Permission.MESSAGE_HISTORY)
        found = self._history.find(viewer.account_ids, message_id)
        if found is None:
            raise NotFound("There is no such message.")
        message = found.message
        viewer.require_open(message.account)
        with self._state.read() as session:
            (account,) = accounts.list_accounts(session, {message.account})
            campaign = campaigns.find_campaign(session, message.campaign_id)
            kind = gateways.find_kind(session, message.gateway)
        return MessageTrace(
            message=message if viewer.sees_numbers else replace(message, receiver=mask_msisdn(message.receiver)),
            account_name=account.display_name,
            country=country_name(message.country),
            campaign=campaign if viewer.may(Permission.CAMPAIGN) else None,
            launched_at=campaign.launched_at if campaign else None,
            queued_at=found.frozen_at,
            receipts=_receipts(found, kind),
            meaning=_meaning(kind, message.error_code),
            is_explained=_settled(found) == Settled(message.delivery_status, message.error_code, message.delivered_at),
        )


def _receipts(found: StoredTrace, kind: str) -> tuple[TracedReceipt, ...]:
    effects = judge(kept.receipt for kept in found.receipts)
    return tuple(
        TracedReceipt(
            receipt=kept.receipt,
            received_at=kept.received_at,
            status=parse_receipt_state(kept.receipt.receipt_state),
            is_known=is_known_state(kept.receipt.receipt_state),
            effect=effect,
            meaning=_meaning(kind, kept.receipt.error_code),
        )
        for kept, effect in zip(found.receipts, effects, strict=True)
    )


def _meaning(kind: str, error_code: str) -> ErrorMeaning | None:
    # What was not taken is no message, so the code of one comes from a receipt.
    return find_meaning(kind, error_code, Stage.RECEIPT)


def _settled(found: StoredTrace) -> Settled:
    """Return what the receipts say together."""
    said = (settle(kept.receipt) for kept in found.receipts)
    return reduce(merge, said, Settled(DeliveryStatus.SUBMITTED))
