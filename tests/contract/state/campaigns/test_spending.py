"""The running counters of what is spent, on both databases."""

from datetime import date
from decimal import Decimal

import pytest

from core.state.accounts import accounts
from core.state.campaigns import campaigns, spending
from core.state.campaigns.spending import Spent
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_campaign

MONTH = date(2026, 3, 1)
CENTS = Decimal("12.5")


@pytest.fixture
def store(state: State) -> State:
    """Return a store with an account whose month is counted, and a campaign that is not."""
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        campaigns.add_campaign(session, make_campaign(lists=()))
        spending.open_account(session, "account-1", MONTH, Decimal(100))
    return state


def charge(store: State, cents: Decimal = CENTS) -> Spent | None:
    with store.write() as session:
        return spending.charge(session, "account-1", MONTH, "campaign-1", cents)


def spent(store: State) -> Decimal:
    with store.read() as session:
        return spending.find_account_spending(session, ["account-1"], MONTH)["account-1"]


def test_both_counters_go_up_and_down_together(store: State):
    with store.write() as session:
        spending.open_campaign(session, "campaign-1", Decimal(7))
    assert charge(store) == Spent(Decimal("112.5"), Decimal("19.5"))
    assert charge(store, -CENTS) == Spent(Decimal(100), Decimal(7))


def test_where_a_campaign_is_not_counted_its_account_spends_nothing(store: State):
    assert charge(store) is None
    assert spent(store) == 100


def test_beginning_to_count_twice_changes_nothing(store: State):
    with store.write() as session:
        spending.open_account(session, "account-1", MONTH, Decimal(5))
    assert spent(store) == 100


def test_what_was_spent_since_somebody_counted_is_not_corrected_away(store: State):
    with store.write() as session:
        assert not spending.correct_account(session, "account-1", MONTH, Decimal(99), Decimal(50))
        assert spending.correct_account(session, "account-1", MONTH, Decimal(100), Decimal(50))
    assert spent(store) == 50
