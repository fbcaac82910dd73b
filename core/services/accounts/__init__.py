"""Traffic accounts: what they may send, by which gateway and at which price. Begin with `managing_accounts`."""

from dataclasses import dataclass

from core.config import Settings
from core.files.apart import Looking
from core.gateways.registry import Gateways
from core.history.lake.connection import Lake
from core.history.rollups.spending import Spending
from core.services.accounts.budgeting import Budgeting
from core.services.accounts.encryption import Encryption
from core.services.accounts.keeping_credentials import KeepingCredentials
from core.services.accounts.managing_accounts import ManagingAccounts
from core.services.accounts.pricing_accounts import PricingAccounts
from core.state.engine.store import State


@dataclass(frozen=True)
class Accounts:
    """What is asked about traffic accounts, and the gateways they send by."""

    managing: ManagingAccounts
    credentials: KeepingCredentials
    pricing: PricingAccounts
    budgeting: Budgeting
    gateways: Gateways


def build(settings: Settings, state: State, lake: Lake, looking: Looking) -> Accounts:
    """Return the services of accounts; only the gateways read credentials."""
    credentials = KeepingCredentials(state, Encryption(settings.secret_key))
    gateways = Gateways(settings, credentials.find)
    return Accounts(
        ManagingAccounts(state, gateways),
        credentials,
        PricingAccounts(state, settings.uploads_dir, looking.prices),
        Budgeting(Spending(lake)),
        gateways,
    )
