"""
Spending limits: a message is claimed only if every budget it counts against pays for it.

That is judged in the transaction that claims, in which the account is locked: what all workers together have claimed
never exceeds a budget. People are told there, too, when most of one is spent and when it stops a campaign.
"""

import logging
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
from sqlalchemy.orm import Session

from core.domain.accounts.budgets import NO_MONTH, Budget, Threshold, count_affordable, month_of
from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.messages import OutboundMessage, SubmitOutcome, SubmitResult
from core.domain.people.notifications import Tag
from core.domain.people.permissions import Permission
from core.services.accounts.counting_spending import CountingSpending
from core.state.accounts import accounts
from core.state.accounts.accounts import PacedAccount
from core.state.campaigns import spending
from core.state.people import notifications, users

log = logging.getLogger(__name__)

# What others have on its way, and may get back, is asked for again after this long.
WAIT_S = 0.1
# Who is told of a budget, among the people of its account.
_CONCERNED = (Permission.CAMPAIGN, Permission.TRAFFIC_ACCOUNTS)


@dataclass(frozen=True)
class Paid:
    """
    What of a sub-window is paid for: the *messages*, a beginning of it.

    Where not even the first one is, *wait_s* is how long to wait for what others may get back, and without that
    *stopped_because* says why, in words for people.
    """

    messages: Sequence[OutboundMessage]
    wait_s: float = 0.0
    stopped_because: str = ""


class SpendingLimits:
    """One per process: threads share it, and what it knows of counters and of what people were told."""

    def __init__(self, counting: CountingSpending) -> None:
        self._counting = counting
        self._counted: set[tuple[str, date, str]] = set()
        self._told: set[tuple[str, date, Threshold, Decimal]] = set()
        self._lock = threading.Lock()

    def open(self, campaign: Campaign, rows: pa.Table, now: datetime) -> "BatchSpending":
        """
        Return what a batch of the campaign spends; *rows* is its slice of the frozen audience.

        Raises: StorageError.
        """
        self.open_month(campaign, now)
        # Few prices, of many messages: each is made a Decimal once.
        prices = rows["price_eur_cents"].combine_chunks().dictionary_encode()
        known = prices.dictionary.to_pylist()
        each = (known[index] for index in prices.indices.to_pylist())
        return BatchSpending(self, campaign, dict(zip(rows["message_id"].to_pylist(), each, strict=True)))

    def open_month(self, campaign: Campaign, now: datetime) -> None:
        """See to it that this month of the campaign's account, and the campaign, are counted. Raises: StorageError."""
        key = campaign.account_id, month_of(now), campaign.campaign_id
        with self._lock:
            is_counted = key in self._counted
        if not is_counted:
            self._counting.open(campaign.account_id, campaign.campaign_id, now)
            with self._lock:
                # Those of months that are over.
                self._counted = {each for each in self._counted if each[1] >= key[1]} | {key}

    def forget(self, account_id: str, campaign_id: str) -> None:
        """Look anew whether they are counted, when a batch of theirs is opened next."""
        with self._lock:
            self._counted = {each for each in self._counted if (each[0], each[2]) != (account_id, campaign_id)}

    def tell(self, session: Session, account_id: str, budget: Budget, threshold: Threshold, now: datetime) -> None:
        """
        Tell the people of the account, within the transaction that is open, unless they were told before.

        Whoever hears that a budget is used up is not told afterwards that most of it is.
        """
        if not self._note(session, budget, threshold, now):
            return
        if threshold is Threshold.STOPPED:
            self._note(session, budget, Threshold.WARNED, now)
        told = users.list_holders(session, account_id, _CONCERNED)
        for user_id in told:
            notifications.notify(session, user_id, Tag.BUDGET, budget.told(threshold), now)
        log.info("budget_told", extra={"subject": budget.subject_id, "threshold": threshold, "people": len(told)})

    def _note(self, session: Session, budget: Budget, threshold: Threshold, now: datetime) -> bool:
        """Remember that people are told; return whether they have not been."""
        key = budget.subject_id, budget.month, threshold, budget.eur_cents
        with self._lock:
            if key in self._told:
                return False
        if spending.note_event(session, *key, now):
            return True
        # It is committed. One of our own may still be taken back.
        with self._lock:
            self._told.add(key)
        return False


class BatchSpending:
    """What one lease of a batch has spent; one thread's own."""

    def __init__(self, limits: SpendingLimits, campaign: Campaign, prices: Mapping[str, Decimal]) -> None:
        self._limits = limits
        self._campaign = campaign
        self._prices = prices
        # To which month each message is charged: what is given back is given back to that one.
        self._months: dict[str, date] = {}
        self._charged_to = set[date]()

    def take(
        self,
        session: Session,
        paced: PacedAccount,
        own_budget: Decimal | None,
        wanted: Sequence[OutboundMessage],
        now: datetime,
    ) -> Paid | None:
        """
        Pay for the longest beginning of *wanted* that all budgets suffice for: the account's, and the campaign's own.

        Where that is none, whatever is on its way in other hands is waited for: what is refused is given back, and may
        be enough. So campaigns for which a budget suffices in the end do not pause each other shortly before it.

        The caller holds the account's lock, and claims what is paid for in the same transaction. None where it is not
        known what was spent, as in the first moment of a month: it is counted when the batch is taken up again.
        """
        campaign, month = self._campaign, month_of(now)
        prices = [self._prices[message.message_id] for message in wanted]
        cost = sum(prices, Decimal(0))
        spent = spending.charge(session, campaign.account_id, month, campaign.campaign_id, cost)
        if spent is None:
            self._limits.forget(campaign.account_id, campaign.campaign_id)
            return None
        before = spending.Spent(spent.of_account - cost, spent.of_campaign - cost)
        budgets = self._find_budgets(paced, own_budget, month, before)
        left = min((budget.left_eur_cents for budget in budgets), default=cost)
        count = len(wanted) if cost <= left else count_affordable(prices, left)
        paid = sum(prices[:count], Decimal(0))
        if paid != cost:
            spending.charge(session, campaign.account_id, month, campaign.campaign_id, paid - cost)
        self._charged_to.add(month)
        self._months |= {message.message_id: month for message in wanted[:count]}
        # Whoever comes to the end of a budget is stopped by it next, and told of that.
        ended = [budget for budget in budgets if budget.left_eur_cents < sum(prices[: count + 1], Decimal(0))]
        self._warn(session, (budget for budget in budgets if budget not in ended), paid, now)
        if wanted and not count and all(self._may_get_back(session, budget, now) for budget in ended):
            return Paid((), wait_s=WAIT_S)
        if wanted and not count:
            tightest = min(ended, key=lambda budget: budget.left_eur_cents)
            self._limits.tell(session, campaign.account_id, tightest, Threshold.STOPPED, now)
            why = f"{tightest.refusal('the next message', prices[0])}\n{tightest.remedy}"
            return Paid((), stopped_because=why)
        return Paid(wanted[:count])

    def give_back(self, session: Session, message_ids: Collection[str]) -> None:
        """
        Give back what these cost, of which nothing was sent: before their claims are deleted, or have an outcome.

        Twice does no harm: what is no longer claimed was given back before.
        """
        if not message_ids:
            return
        # In the order of whoever claims, the account first: two of a different order would wait for each other.
        accounts.lock_account(session, self._campaign.account_id)
        amounts: dict[date, Decimal] = {}
        for message_id in spending.list_still_claimed(session, message_ids):
            month = self._months[message_id]
            amounts[month] = amounts.get(month, Decimal(0)) + self._prices[message_id]
        for month, cents in sorted(amounts.items()):
            spending.charge(session, self._campaign.account_id, month, self._campaign.campaign_id, -cents)

    def open_months(self, results: Sequence[SubmitResult]) -> None:
        """See to it that the months are counted in which messages were taken. Raises: StorageError."""
        for result in self._list_moved(results):
            self._limits.open_month(self._campaign, result.submitted_at)

    def follow(self, session: Session, results: Sequence[SubmitResult]) -> None:
        """
        Let messages that were claimed in one month and taken in the next count in that one, as in the history.

        Before their outcomes are written, and after `open_months`. Twice does no harm.
        """
        moved = {result.message_id: month_of(result.submitted_at) for result in self._list_moved(results)}
        if not moved:
            return
        accounts.lock_account(session, self._campaign.account_id)
        for message_id in spending.list_still_claimed(session, moved):
            months, cents = (self._months[message_id], moved[message_id]), self._prices[message_id]
            spending.move_to_month(session, self._campaign.account_id, *months, cents)

    def _list_moved(self, results: Sequence[SubmitResult]) -> list[SubmitResult]:
        taken = [result for result in results if result.outcome is SubmitOutcome.ACCEPTED]
        if not taken or self._is_of_one_month([result.submitted_at for result in taken]):
            return []
        return [result for result in taken if month_of(result.submitted_at) != self._months[result.message_id]]

    def _is_of_one_month(self, taken_at: Sequence[datetime]) -> bool:
        """Return whether all that this lease has claimed is charged to the month in which these were taken."""
        return self._charged_to == {month_of(min(taken_at))} == {month_of(max(taken_at))}

    def _find_budgets(
        self, paced: PacedAccount, own_budget: Decimal | None, month: date, before: spending.Spent
    ) -> tuple[Budget, ...]:
        """Return the budgets there are, with what was spent *before*; the campaign's own first."""
        campaign, found = self._campaign, []
        if own_budget is not None:
            found.append(Budget(campaign.campaign_id, campaign.name, NO_MONTH, own_budget, before.of_campaign))
        of_account = paced.monthly_budget_eur_cents
        if of_account is not None:
            found.append(Budget(campaign.account_id, paced.display_name, month, of_account, before.of_account))
        return tuple(found)

    def _may_get_back(self, session: Session, budget: Budget, now: datetime) -> bool:
        campaign_id = self._campaign.campaign_id if budget.subject_id == self._campaign.campaign_id else ""
        return spending.may_get_back(session, self._campaign.account_id, now, campaign_id)

    def _warn(self, session: Session, budgets: Iterable[Budget], paid: Decimal, now: datetime) -> None:
        for before in budgets:
            budget = replace(before, spent_eur_cents=before.spent_eur_cents + paid)
            if budget.is_warned_of:
                self._limits.tell(session, self._campaign.account_id, budget, Threshold.WARNED, now)
