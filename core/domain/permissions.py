"""Who may do what: permissions, presets, and the viewer every service asks."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import Forbidden, NotFound


class Permission(StrEnum):
    """One feature of the product, by the guide's name."""

    DISTRIBUTION_LISTS = "DistributionLists"
    CAMPAIGN = "Campaign"
    QUICK_SEND = "QuickSend"
    STATISTICS = "Statistics"
    MESSAGE_HISTORY = "MessageHistory"
    USERS = "Users"
    TRAFFIC_ACCOUNTS = "TrafficAccounts"
    BRANDING = "Branding"
    AUDIT = "Audit"


PRESETS: dict[str, frozenset[Permission]] = {
    "Administrator": frozenset(Permission),
    "Campaign manager": frozenset({Permission.DISTRIBUTION_LISTS, Permission.CAMPAIGN, Permission.QUICK_SEND}),
    "Reporting manager": frozenset({Permission.STATISTICS, Permission.MESSAGE_HISTORY}),
    "User manager": frozenset({Permission.USERS, Permission.TRAFFIC_ACCOUNTS}),
}


@dataclass(frozen=True)
class Viewer:
    """The person behind a call: what he or she may do, and with whose data."""

    user_id: str
    name: str
    email: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    account_ids: frozenset[str] = field(default_factory=frozenset)
    time_zone: str = "UTC"

    def may(self, *permissions: Permission) -> bool:
        """Return whether the viewer holds every one of *permissions*."""
        return self.permissions.issuperset(permissions)

    @property
    def sees_numbers(self) -> bool:
        """Whether subscriber numbers are shown in full: to those who upload them; others see them masked."""
        return Permission.DISTRIBUTION_LISTS in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden` unless the viewer holds *permission*."""
        if permission not in self.permissions:
            raise Forbidden(f"This needs the permission {permission}.")

    def require_any(self, *permissions: Permission) -> None:
        """Raise `Forbidden` unless the viewer holds at least one of *permissions*."""
        if self.permissions.isdisjoint(permissions):
            raise Forbidden(f"This needs one of the permissions {', '.join(permissions)}.")

    def require_account(self, account_id: str, what: str) -> None:
        """Raise `NotFound` unless the viewer belongs to the account: its things do not exist for others."""
        if account_id not in self.account_ids:
            raise NotFound(f"There is no such {what}.")


def preset_of(permissions: frozenset[Permission]) -> str:
    """Return the preset with exactly these permissions, or "Custom"."""
    return next((name for name, preset in PRESETS.items() if preset == permissions), "Custom")
