"""Budgeting: what an account may still spend this month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.errors import Conflict, InvalidInput
from core.history.rollups.spending import Spending
from core.state.campaigns import campaigns, ledger


@dataclass(frozen=True)
class Commitments:
    """
    An account with a budget, and what it has under way, as they were in one transaction.

    *unsettled* are the campaigns whose messages are not all in history, *open_batches* what of each is not settled.
    Without a budget nobody asks for them, and there are none.
    """

    account: Account
    unsettled: tuple[Campaign, ...] = ()
    open_batches: Mapping[str, Sequence[int]] = field(default_factory=dict)


def read_commitments(session: Session, account: Account) -> Commitments:
    """Return what the *account*, as this transaction has read it, has under way."""
    if account.monthly_budget_eur_cents is None:
        return Commitments(account)
    unsettled = campaigns.list_unsettled(session, account.account_id)
    return Commitments(account, unsettled, ledger.list_open_batches(session, [item.campaign_id for item in unsettled]))


class Budgeting:
    """A budget is of a calendar month of UTC, whatever zone a person is in."""

    def __init__(self, spending: Spending) -> None:
        self._spending = spending

    def find_left(
        self, known: Commitments, now: datetime, *, at: datetime | None = None, but: str = ""
    ) -> Decimal | None:
        """
        Return what is left of the account's budget, EUR cents, perhaps below 0; None when it has no budget.

        It is that of the month of *at*, this month's by default. Spent is what was sent in it; campaigns under way are
        counted with what they have still to send, those that are scheduled for it, or not frozen yet, with what their
        preflight said. A canceled one gives back the rest once it is settled. *but* is a campaign that is not counted.
        """
        budget = known.account.monthly_budget_eur_cents
        if budget is None:
            return None
        month = _month(max(at or now, now))
        counted = [item for item in known.unsettled if item.campaign_id != but and _month(_when(item, now)) == month]
        waiting = sum((_announced(item) for item in counted if item.cost_eur_cents is None), Decimal(0))
        frozen = {item.campaign_id for item in counted if item.cost_eur_cents is not None}
        batches = {key: batch_nos for key, batch_nos in known.open_batches.items() if key in frozen}
        return budget - waiting - self._spending.add_up(known.account.account_id, month, batches)

    def pays_for_rest(self, known: Commitments, campaign: Campaign, now: datetime) -> bool:
        """Return whether the budget suffices for what a campaign under way has still to send."""
        left = self.find_left(known, now, but=campaign.campaign_id)
        if left is None:
            return True
        if campaign.cost_eur_cents is None:
            return _announced(campaign) <= left
        batch_nos = known.open_batches.get(campaign.campaign_id, ())
        return not batch_nos or self._spending.open(campaign.campaign_id, batch_nos) <= left


def is_enough(
    session: Session, account: Account, known: Commitments, left: Decimal | None, cost: Decimal, but: str = ""
) -> bool:
    """
    Return whether what was *left* pays for *cost*, and for all that was launched since, *but* for one campaign.

    Whoever launches asks in the transaction that does so, in which the *account* was read and locked: until it ends,
    nobody else of the account gets past here. *left* is what `find_left` made of *known*; when the budget has been
    changed since, so has what is left.

    Raises: Conflict: there was no budget then.
    """
    budget, budget_then = account.monthly_budget_eur_cents, known.account.monthly_budget_eur_cents
    if budget is None:
        return True
    if left is None or budget_then is None:
        raise Conflict("A budget was set for the account a moment ago.", hint="Check what is left of it.")
    counted = {but, *(item.campaign_id for item in known.unsettled)}
    newer = (item for item in campaigns.list_unsettled(session, account.account_id) if item.campaign_id not in counted)
    return cost + sum(map(_announced, newer), Decimal(0)) <= left + budget - budget_then


def check_same_budget(account: Account, looked_at: Account) -> None:
    """Let pass, in the transaction that decides, what was judged by the budget *looked_at*. Raises: Conflict."""
    if account.monthly_budget_eur_cents != looked_at.monthly_budget_eur_cents:
        raise Conflict("The account's budget was changed a moment ago.", hint="Check what is left of it.")


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
