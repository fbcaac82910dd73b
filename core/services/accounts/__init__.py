"""Traffic accounts: what they may send, by which gateway and at which price. Begin with `managing_accounts`."""

from dataclasses import dataclass

from core.config import Settings
from core.files.apart import Looking
from core.gateways.gateways import Gateways
from core.gateways.kinds import GatewayTools
from core.history.lake.connection import Lake
from core.history.rollups.spending import Spending
from core.services.accounts.account_spending import AccountSpending
from core.services.accounts.budgeting import Budgeting
from core.services.accounts.connecting_gateways import ConnectingGateways, GatewaySecrets
from core.services.accounts.counting_spending import CountingSpending
from core.services.accounts.encryption import Encryption
from core.services.accounts.gateway_health import GatewayHealth
from core.services.accounts.managing_accounts import ManagingAccounts
from core.services.accounts.pricing_accounts import PricingAccounts
from core.services.accounts.setting_up_gateways import SettingUpGateways
from core.services.accounts.telling_sights import TellingSights
from core.services.accounts.watching_gateways import WatchingGateways
from core.services.leases import Leases
from core.state.engine.store import State


@dataclass(frozen=True)
class Accounts:
    """What is asked about traffic accounts, and the gateways they send by."""

    managing: ManagingAccounts
    setting_up: SettingUpGateways
    connecting: ConnectingGateways
    pricing: PricingAccounts
    budgeting: Budgeting
    counting: CountingSpending
    spending: AccountSpending
    gateways: Gateways
    gateway_health: GatewayHealth
    telling: TellingSights
    watching: WatchingGateways


def build(
    settings: Settings, state: State, lake: Lake, looking: Looking, tools: GatewayTools, leases: Leases
) -> Accounts:
    """Return the services of accounts; *tools* is what gateways are built with."""
    kept = GatewaySecrets(Encryption(settings.secret_key))
    connecting = ConnectingGateways(state, kept, tools)
    gateways = Gateways(connecting, tools)
    health = GatewayHealth(state, gateways, connecting.try_connection, leases)
    history = Spending(lake)
    counting = CountingSpending(state, history, leases)
    return Accounts(
        ManagingAccounts(state),
        SettingUpGateways(state, kept, connecting, health, settings.address),
        connecting,
        PricingAccounts(state, settings.uploads_dir, looking.prices),
        Budgeting(history),
        counting,
        AccountSpending(state, counting),
        gateways,
        health,
        TellingSights(state, gateways, health, tools.clock),
        WatchingGateways(state),
    )
