"""Budgeting: what an account may still spend this month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.accounts.budgets import NO_MONTH, Budget, month_of
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.words.counting import in_euros
from core.errors import Conflict, InvalidInput
from core.history.rollups.spending import Spending
from core.state.campaigns import campaigns, ledger, spending


@dataclass(frozen=True)
class Commitments:
    """
    An account with a budget, and what it has under way, as they were in one transaction.

    *unsettled* are the campaigns whose messages are not all in history, *open_batches* what of each is not settled, and
    *unknown_of* those with messages of which nobody heard, *spent_before* messages of open batches, by campaign, that
    count in an earlier month. Without a budget nobody asks for them, and there are none.
    """

    account: Account
    unsettled: tuple[Campaign, ...] = ()
    open_batches: Mapping[str, Sequence[int]] = field(default_factory=dict)
    unknown_of: Sequence[str] = ()
    spent_before: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rest:
    """
    What of a campaign under way is still to be sent, as it was in one transaction.

    Its batches that are not settled, those of their messages that have been claimed, and what the campaign and its
    account have spent, EUR cents, as far as that is counted.
    """

    campaign: Campaign
    batch_nos: Sequence[int]
    claimed_ids: Sequence[str]
    spent_eur_cents: Decimal
    spent_of_account: Decimal


def read_commitments(session: Session, account: Account, now: datetime) -> Commitments:
    """Return what the *account*, as this transaction has read it, has under way."""
    if account.monthly_budget_eur_cents is None:
        return Commitments(account)
    unsettled = campaigns.list_unsettled(session, account.account_id)
    open_batches = ledger.list_open_batches(session, [item.campaign_id for item in unsettled])
    unknown_of = spending.list_with_unknown(session, account.account_id, _month(now))
    spent_before = spending.list_spent_before(session, account.account_id, _month(now))
    return Commitments(account, unsettled, open_batches, unknown_of, spent_before)


def read_rest(session: Session, campaign: Campaign, now: datetime) -> Rest:
    """Return what the *campaign*, as this transaction has read it, has still to send."""
    campaign_id, account_id = campaign.campaign_id, campaign.account_id
    return Rest(
        campaign,
        ledger.list_batch_nos(session, campaign_id),
        [message_id for message_id, _, _ in ledger.list_states(session, campaign_id)],
        # What is not counted has not been sent since budgets are kept to; it is before its first message then.
        spending.find_campaign_spending(session, campaign_id) or Decimal(0),
        spending.find_account_spending(session, [account_id], month_of(now)).get(account_id, Decimal(0)),
    )


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
        before = {key: ids for key, ids in known.spent_before.items() if key in frozen}
        return (
            budget - waiting - self._spending.add_up(known.account.account_id, month, batches, known.unknown_of, before)
        )

    def refuse_rest(self, known: Commitments, rest: Rest, now: datetime) -> InvalidInput | None:
        """Return why a campaign must not go on: what it has still to send costs more than a budget has left."""
        campaign, what = rest.campaign, "the rest of the campaign"
        is_frozen = campaign.cost_eur_cents is not None
        cost = self._spending.unclaimed(campaign.campaign_id, rest.batch_nos, rest.claimed_ids) if is_frozen else None
        cost = _announced(campaign) if cost is None else cost
        own = own_budget(campaign, rest.spent_eur_cents)
        if own is not None and cost > own.left_eur_cents:
            return InvalidInput(own.refusal(what, cost), hint=own.remedy)
        left = self.find_left(known, now, but=campaign.campaign_id)
        limit = known.account.monthly_budget_eur_cents
        if left is None or limit is None:
            return None
        if is_frozen and rest.batch_nos:
            # What of its open batches has been claimed is spent, but not in history yet.
            left -= self._spending.open(campaign.campaign_id, rest.batch_nos) - cost
            left += self._spending.claimed(campaign.campaign_id, known.spent_before.get(campaign.campaign_id, ()))
        if cost <= left:
            return None
        spent = rest.spent_of_account
        budget = Budget(campaign.account_id, known.account.display_name, month_of(now), limit, spent)
        return InvalidInput(budget.refusal(what, cost, reserved=limit - spent - left), hint=budget.remedy)


def own_budget(campaign: Campaign, spent_eur_cents: Decimal) -> Budget | None:
    """Return the campaign's own budget, of which so much is spent; None where it has none."""
    if campaign.budget_eur_cents is None:
        return None
    return Budget(campaign.campaign_id, campaign.name, NO_MONTH, campaign.budget_eur_cents, spent_eur_cents)


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


def check_same_own_budget(campaign: Campaign, looked_at: Campaign) -> None:
    """Let pass, in the transaction that decides, what was judged by the budget of *looked_at*. Raises: Conflict."""
    if campaign.budget_eur_cents != looked_at.budget_eur_cents:
        raise Conflict("The campaign's budget was changed a moment ago.", hint="Check what is left of it.")


def beyond_budget(what: str, whom: str) -> InvalidInput:
    """Return the refusal of *what*, a campaign or a message, to *whom*, recipients or numbers."""
    return InvalidInput(
        f"The {what} costs more than is left of the account's budget this month.",
        hint=f"Send to fewer {whom}, or ask an administrator to raise the budget on Traffic Accounts.",
    )


def beyond_own_budget(cost_eur_cents: Decimal, budget_eur_cents: Decimal) -> InvalidInput:
    """Return the refusal of a campaign that costs more than its own budget."""
    return InvalidInput(
        f"The campaign costs {in_euros(cost_eur_cents)}, more than its budget of {in_euros(budget_eur_cents)}.",
        hint="Raise the campaign's budget, send to fewer recipients, or shorten the message.",
        field="budget",
    )


def _month(moment: datetime) -> datetime:
    return datetime.combine(month_of(moment), time(), UTC)


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
