"""
Counting spending: the running counters begin with what the history knows, and are compared with it now and then.

They are kept by whoever claims (`core.services.sending.spending_limits`). Where one is not there yet, as after an
upgrade or with the first message of a month, it is counted here, outside the transaction that claims.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from core.domain.accounts.budgets import month_of
from core.history.rollups.spending import Spending
from core.services.leases import Leases
from core.state.campaigns import campaigns, spending
from core.state.engine.store import State

log = logging.getLogger(__name__)


class CountingSpending:
    """What accounts and campaigns have spent, EUR cents."""

    def __init__(self, state: State, history: Spending, leases: Leases) -> None:
        """Take both stores, and the leases of comparing them."""
        self._state = state
        self._history = history
        self._leases = leases

    def open(self, account_id: str, campaign_id: str, now: datetime) -> None:
        """See to it that the account's month and the campaign are counted. Raises: StorageError."""
        month = month_of(now)
        with self._state.read() as session:
            has_account = bool(spending.find_account_spending(session, [account_id], month))
            has_campaign = spending.find_campaign_spending(session, campaign_id) is not None
        # Nothing is claimed of what is not counted: the sums stay as they are until somebody has written them.
        if not has_account:
            counted = self._count_account(account_id, month)
            with self._state.write() as session:
                spending.open_account(session, account_id, month, counted)
        if not has_campaign:
            counted = self._count_campaign(campaign_id)
            with self._state.write() as session:
                spending.open_campaign(session, campaign_id, counted)

    def find_months(self, account_ids: Collection[str], now: datetime) -> Mapping[str, Decimal]:
        """Return what each of the accounts has spent in this month of UTC."""
        month = month_of(now)
        with self._state.read() as session:
            known = spending.find_account_spending(session, account_ids, month)
        return {each: known[each] if each in known else self._count_account(each, month) for each in account_ids}

    def find_campaign(self, campaign_id: str) -> Decimal:
        """Return what the campaign has spent. Raises: NotFound."""
        with self._state.read() as session:
            known = spending.find_campaign_spending(session, campaign_id)
        return self._count_campaign(campaign_id) if known is None else known

    def reconcile(self, clock: Callable[[], datetime]) -> int:
        """
        Compare this month's counters with the history, correct those that differ, and return how many did.

        What is spent meanwhile is left for the next time; nothing while somebody else does it.
        """
        month, corrected = month_of(clock()), 0
        with self._leases.alone("spending", clock) as lease:
            if lease is None:
                return 0
            with self._state.read() as session:
                senders = spending.list_senders(session)
            for account_id in senders:
                lease.check()
                corrected += self._reconcile(account_id, month)
        return corrected

    def _reconcile(self, account_id: str, month: date) -> bool:
        with self._state.read() as session:
            seen = spending.find_account_spending(session, [account_id], month).get(account_id)
        counted = self._count_account(account_id, month)
        if counted == seen:
            return False
        with self._state.write() as session:
            if seen is None:
                # Screens need not count it then, nor whoever sends first.
                spending.open_account(session, account_id, month, counted)
                return False
            is_corrected = spending.correct_account(session, account_id, month, seen, counted)
        if is_corrected:
            facts = {"account_id": account_id, "month": month.isoformat(), "was": str(seen), "is": str(counted)}
            log.warning("spending_corrected", extra=facts)
        return is_corrected

    def _count_account(self, account_id: str, month: date) -> Decimal:
        since = datetime.combine(month, time(), UTC)
        with self._state.read() as session:
            unknown_of = spending.list_with_unknown(session, account_id, since)
            # Before the lake is asked: what leaves the ledger meanwhile is found there by its batch.
            in_ledger = spending.list_spent_in_ledger(session, account_id, since)
        return self._history.count_account(account_id, since, [*{*unknown_of, *in_ledger}], in_ledger)

    def _count_campaign(self, campaign_id: str) -> Decimal:
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            since = campaign.launched_at or campaign.created_at
            in_ledger = spending.list_spent_in_ledger(session, campaign.account_id, since, campaign_id)
        return self._history.count_campaign(campaign_id, since, in_ledger.get(campaign_id, []))
