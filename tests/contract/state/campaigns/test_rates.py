"""What limits a campaign: its own rate, its account's, and that of the gateway it goes by."""

import pytest

from core.domain.campaigns.rates import Rates
from core.domain.gateways.gateways import GatewaySetup
from core.errors import NotFound
from core.state.accounts import accounts, gateways
from core.state.accounts.gateways import Sealed
from core.state.campaigns import campaigns
from core.state.campaigns.rates import get_rates
from core.state.engine.store import State
from tests.support.application.factories import NOW, make_account, make_campaign


@pytest.fixture
def store(state: State) -> State:
    """Return a store with two gateways, by one of which the account sends."""
    with state.write() as session:
        accounts.add_account(session, make_account(gateway="Berlin", rate_tps=100), NOW)
        gateways.add_gateway(session, GatewaySetup("Berlin", "smpp", rate_tps=70), Sealed(), NOW)
        gateways.add_gateway(session, GatewaySetup("Munich", "smpp"), Sealed(), NOW)
    return state


@pytest.mark.parametrize(
    ("facts", "gateway", "expected"),
    [
        ({}, "Berlin", Rates(100, 70, None)),
        ({"rate_tps": 50}, "Berlin", Rates(100, 70, 50)),
        ({"rate_tps": 50}, "Munich", Rates(100, None, 50)),
        ({}, "Nowhere", Rates(100, None, None)),
    ],
)
def test_a_campaign_keeps_to_its_own_rate_its_accounts_and_that_of_the_gateway_it_goes_by(
    store: State, facts: dict[str, object], gateway: str, expected: Rates
):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(lists=(), **facts))
    with store.read() as session:
        assert get_rates(session, "campaign-1", gateway) == expected


def test_a_rate_is_read_as_it_is_this_moment(store: State):
    with store.write() as session:
        campaigns.add_campaign(session, make_campaign(lists=(), rate_tps=50))
        campaigns.set_limits(session, "campaign-1", None, 40)
        accounts.set_rate(session, "account-1", 90)
    with store.read() as session:
        assert get_rates(session, "campaign-1", "Berlin") == Rates(90, 70, 40)
        with pytest.raises(NotFound):
            get_rates(session, "campaign-2", "Berlin")
