"""Traffic accounts: whose messages, through which gateway, how fast."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class AccountType(StrEnum):
    """HTTP and SMPP accounts send outside the tool; Campaign accounts send from it."""

    HTTP = "HTTP"
    SMPP = "SMPP"
    CAMPAIGN = "Campaign"


class AccountStatus(StrEnum):
    """Whether the account may be used."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


@dataclass(frozen=True)
class Account:
    """A traffic account. *rate_tps* is in segments per second; a *monthly_budget_eur_cents* of None has no end."""

    account_id: str
    name: str
    display_name: str
    account_type: AccountType
    status: AccountStatus
    gateway: str
    rate_tps: int
    monthly_budget_eur_cents: Decimal | None = None

    @property
    def can_send(self) -> bool:
        """Only an active account of type Campaign sends."""
        return self.account_type is AccountType.CAMPAIGN and self.status is AccountStatus.ACTIVE
