"""Budgeting: what an account may still spend this month."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.campaigns import Campaign, CampaignStatus
from core.errors import InvalidInput
from core.history.rollups.spending import Spending
from core.state import accounts, campaigns, ledger
from core.state.store import State


class Budgeting:
    """A budget is of a calendar month of UTC, whatever zone a person is in."""

    def __init__(self, state: State, spending: Spending) -> None:
        self._state = state
        self._spending = spending

    def find_left(self, account_id: str, now: datetime, *, at: datetime | None = None, but: str = "") -> Decimal | None:
        """
        Return what is left of the account's budget, EUR cents, perhaps below 0; None when it has no budget.

        It is that of the month of *at*, this month's by default. Spent is what was sent in it; campaigns under way are
        counted with what they have still to send, those that are scheduled for it, or not frozen yet, with what their
        preflight said. A canceled one gives back the rest once it is settled. *but* is a campaign that is not counted.
        """
        with self._state.read() as session:
            budget = accounts.get_account(session, account_id).monthly_budget_eur_cents
            if budget is None:
                return None
            unsettled = campaigns.list_unsettled(session, account_id)
            open_batches = {item.campaign_id: ledger.list_batch_nos(session, item.campaign_id) for item in unsettled}
        month = _month(max(at or now, now))
        counted = (item for item in unsettled if item.campaign_id != but and _month(_when(item, now)) == month)
        reserved = sum((self._reserved(item, open_batches[item.campaign_id]) for item in counted), Decimal(0))
        return budget - self._spending.sent(account_id, month) - reserved

    def pays_for_rest(self, campaign: Campaign, now: datetime) -> bool:
        """Return whether the budget suffices for what a campaign under way has still to send."""
        left = self.find_left(campaign.account_id, now, but=campaign.campaign_id)
        if left is None:
            return True
        with self._state.read() as session:
            batch_nos = ledger.list_batch_nos(session, campaign.campaign_id)
        return self._reserved(campaign, batch_nos) <= left

    def list_counted(self, account_id: str) -> frozenset[str]:
        """Return the campaigns that `find_left` counts now; asked before it, for `is_enough`."""
        with self._state.read() as session:
            return frozenset(item.campaign_id for item in campaigns.list_unsettled(session, account_id))

    def is_enough(
        self, session: Session, account_id: str, cost: Decimal, left: Decimal | None, counted: Collection[str]
    ) -> bool:
        """
        Return whether *left* pays for *cost* and for all that was launched since only *counted* were under way.

        Whoever launches asks in the transaction that does so: until it ends, nobody else of the account gets past here.
        """
        if left is None:
            return True
        accounts.lock_account(session, account_id)
        newer = (item for item in campaigns.list_unsettled(session, account_id) if item.campaign_id not in counted)
        return cost + sum(map(_announced, newer), Decimal(0)) <= left

    def _reserved(self, campaign: Campaign, batch_nos: Sequence[int]) -> Decimal:
        if campaign.cost_eur_cents is None:
            return _announced(campaign)
        return self._spending.open(campaign.campaign_id, batch_nos) if batch_nos else Decimal(0)


def beyond_budget(what: str, whom: str) -> InvalidInput:
    """Return the refusal of *what*, a campaign or a message, to *whom*, recipients or numbers."""
    return InvalidInput(
        f"The {what} costs more than is left of the account's budget this month.",
        hint=f"Send to fewer {whom}, or ask an administrator for a higher budget.",
    )


def _month(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _when(campaign: Campaign, now: datetime) -> datetime:
    """Return when it spends: whatever is not waiting for its time does so now."""
    if campaign.status is CampaignStatus.SCHEDULED and campaign.schedule_at is not None:
        return max(campaign.schedule_at, now)
    return now


def _announced(campaign: Campaign) -> Decimal:
    """Return the price of its whole audience, as far as it is known."""
    if campaign.cost_eur_cents is not None:
        return campaign.cost_eur_cents
    return Decimal((campaign.preflight or {}).get("cost_eur_cents", "0"))
