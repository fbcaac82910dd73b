"""What accounts spend this month, for those who look after them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.accounts.accounts import Account, AccountType
from core.domain.accounts.budgets import Budget, month_of
from core.domain.people.permissions import Permission, Viewer
from core.services.accounts.counting_spending import CountingSpending
from core.state.accounts import accounts
from core.state.engine.store import State


@dataclass(frozen=True)
class MonthSpending:
    """What an account has spent this month of UTC, EUR cents, and its budget, None where it has none."""

    spent_eur_cents: Decimal
    budget: Budget | None


class AccountSpending:
    """Shows what is spent; who spends it is `core.services.sending.spending_limits`."""

    def __init__(self, state: State, counting: CountingSpending) -> None:
        self._state = state
        self._counting = counting

    def list_months(self, viewer: Viewer, account_ids: Collection[str], now: datetime) -> Mapping[str, MonthSpending]:
        """
        Return by account_id what those of the accounts that send from here have spent this month.

        Raises: Forbidden. NotFound: there is no such account, or it is not the viewer's, who is no administrator.
        """
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        for account_id in () if viewer.is_administrator else account_ids:
            viewer.require_account(account_id, "account")
        with self._state.read() as session:
            found = [accounts.get_account(session, account_id) for account_id in account_ids]
        asked = [account for account in found if account.account_type is AccountType.CAMPAIGN]
        spent = self._counting.find_months([account.account_id for account in asked], now)
        return {account.account_id: _month(account, spent[account.account_id], now) for account in asked}


def _month(account: Account, spent: Decimal, now: datetime) -> MonthSpending:
    limit = account.monthly_budget_eur_cents
    if limit is None:
        return MonthSpending(spent, None)
    return MonthSpending(spent, Budget(account.account_id, account.display_name, month_of(now), limit, spent))
