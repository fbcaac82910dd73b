"""The running counters of what is spent, on both databases."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LedgerState
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger, spending
from core.state.campaigns.ledger import Claim, Outcome
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


def test_of_what_is_in_the_ledger_that_counts_which_may_be_sent(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(campaign_id="sent", name="Sent", status=CampaignStatus.ACTIVE))
        ledger.add_batches(session, "sent", [(1, 5)])
        batch = ledger.lease_batch(session, "sent", "one", NOW, NOW)
        assert batch is not None
        names = ["claimed", *(state.value for state in LedgerState if state is not LedgerState.CLAIMED)]
        claims = [Claim(name, f"+49179600000{number}", "simulator") for number, name in enumerate(names)]
        ledger.claim(session, batch, claims, NOW)
        ledger.record_outcomes(session, [Outcome(name, LedgerState(name), NOW) for name in names[1:]])
    with store.read() as session:
        found = spending.list_spent_in_ledger(session, "account-1", NOW)
        later = spending.list_spent_in_ledger(session, "account-1", NOW + timedelta(seconds=1))
    assert {key: sorted(value) for key, value in found.items()} == {"sent": ["claimed", "sent", "unknown"]}
    assert later == {}
