"""Campaigns that wait for a gateway, on both databases."""

from datetime import datetime

import pytest

from core.domain.accounts.accounts import AccountStatus
from core.domain.campaigns.campaigns import CampaignStatus
from core.errors import NotFound
from core.state.accounts import accounts
from core.state.campaigns import campaigns, holding
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_campaign


@pytest.fixture
def store(state: State) -> State:
    """Return a store with a campaign that is being sent, and an account of its own for it."""
    with state.write() as session:
        accounts.add_account(session, make_account(gateway="Berlin"), NOW)
        campaigns.add_campaign(session, make_campaign(status=CampaignStatus.ACTIVE, launched_at=NOW))
    return state


def status(store: State) -> CampaignStatus | None:
    with store.read() as session:
        return campaigns.get_terms(session, "campaign-1").status


def hold(store: State) -> bool:
    with store.write() as session:
        return holding.hold(session, "campaign-1", "Berlin", "Nothing listens.")


def let_go(store: State, now: datetime = NOW) -> bool:
    with store.write() as session:
        return holding.let_go(session, "campaign-1", now)


def move(store: State, to: CampaignStatus) -> None:
    with store.write() as session:
        campaigns.move_campaign(session, "campaign-1", to)


def list_held(store: State) -> list[str]:
    with store.read() as session:
        return holding.list_held(session, "Berlin")


def test_what_a_person_has_paused_does_not_wait_for_a_gateway(store: State):
    move(store, CampaignStatus.PAUSED)
    assert not hold(store)
    assert list_held(store) == []


@pytest.mark.parametrize("to", [CampaignStatus.ACTIVE, CampaignStatus.CANCELED])
def test_what_somebody_has_moved_meanwhile_stays_as_it_is(store: State, to: CampaignStatus):
    assert hold(store)
    move(store, to)
    assert not let_go(store)
    assert status(store) is to


def test_of_an_inactive_account_nothing_goes_on(store: State):
    assert hold(store)
    assert list_held(store) == ["campaign-1"]
    with store.write() as session:
        accounts.set_status(session, "account-1", AccountStatus.INACTIVE)
    assert list_held(store) == []


def test_a_campaign_that_does_not_exist_is_not_held(state: State):
    with pytest.raises(NotFound):
        hold(state)
