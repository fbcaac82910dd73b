"""Budgeting: what an account may still spend this month."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from core.domain.campaigns import Campaign, CampaignStatus
from core.state import accounts, campaigns, ledger
from core.state.store import State

# Campaigns whose messages are not all in history yet.
_UNDER_WAY = (CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)


class Spending(Protocol):
    """What budgeting needs of the lake."""

    def sent(self, account_id: str, since: datetime) -> Decimal: ...  # noqa: D102
    def open(self, campaign_id: str, batch_nos: Sequence[int]) -> Decimal: ...  # noqa: D102


class Budgeting:
    """A budget is of a calendar month of UTC, whatever zone a person is in."""

    def __init__(self, state: State, spending: Spending) -> None:
        """Take the stores."""
        self._state = state
        self._spending = spending

    def find_left(self, account_id: str, now: datetime, *, but: str = "") -> Decimal | None:
        """
        Return what is left of the account's budget, EUR cents, perhaps below 0; None when it has no budget.

        Spent is what was sent this month; campaigns under way are counted with what they have still to send, and those
        that are not frozen yet with what their preflight said. *but* is a campaign that is not counted.
        """
        with self._state.read() as session:
            budget = accounts.get_account(session, account_id).monthly_budget_eur_cents
            if budget is None:
                return None
            under_way = campaigns.list_by_status(session, account_id, _UNDER_WAY)
            open_batches = {item.campaign_id: ledger.list_batch_nos(session, item.campaign_id) for item in under_way}
        month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        reserved = sum(
            (self._reserved(item, open_batches[item.campaign_id]) for item in under_way if item.campaign_id != but),
            Decimal(0),
        )
        return budget - self._spending.sent(account_id, month) - reserved

    def _reserved(self, campaign: Campaign, batch_nos: Sequence[int]) -> Decimal:
        if campaign.cost_eur_cents is None:
            return Decimal((campaign.preflight or {}).get("cost_eur_cents", "0"))
        return self._spending.open(campaign.campaign_id, batch_nos) if batch_nos else Decimal(0)
