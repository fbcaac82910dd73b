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
    """
    The person behind a call: what he or she may do, and with whose data; *address* is the browser's, if one asks.

    *inactive_ids* are those of *account_ids* that are inactive: they still count, but their single messages are closed.
    """

    user_id: str
    name: str
    email: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    account_ids: frozenset[str] = field(default_factory=frozenset)
    time_zone: str = "UTC"
    address: str = ""
    inactive_ids: frozenset[str] = field(default_factory=frozenset)

    def may(self, *permissions: Permission) -> bool:
        """Return whether the viewer holds every one of *permissions*."""
        return self.permissions.issuperset(permissions)

    @property
    def sees_numbers(self) -> bool:
        """Whether subscriber numbers are shown in full: to those who upload them; others see them masked."""
        return Permission.DISTRIBUTION_LISTS in self.permissions

    @property
    def open_ids(self) -> frozenset[str]:
        """The accounts whose single messages the viewer may look at: his or her active ones."""
        return self.account_ids - self.inactive_ids

    @property
    def is_administrator(self) -> bool:
        """Whether the viewer holds every permission there is."""
        return self.permissions.issuperset(PRESETS["Administrator"])

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

    def require_open(self, account_id: str) -> None:
        """Raise `Forbidden` when the account is inactive: its single messages are closed until it is active again."""
        if account_id in self.inactive_ids:
            raise Forbidden(
                "The traffic account of these messages is inactive: they are not shown.",
                hint="Ask an administrator to activate it.",
            )


def preset_of(permissions: frozenset[Permission]) -> str:
    """Return the preset with exactly these permissions, or "Custom"."""
    return next((name for name, preset in PRESETS.items() if preset == permissions), "Custom")
