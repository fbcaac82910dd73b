"""Traffic accounts: which ones a person may see, and which ones may send."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.domain.accounts import Account
from core.domain.permissions import Viewer
from core.domain.pricing import Price
from core.errors import Forbidden
from core.services.identifiers import new_id
from core.state import accounts, users
from core.state.store import State


class ManagingAccounts:
    """The accounts behind every list, campaign and message."""

    def __init__(self, state: State) -> None:
        """Take the store."""
        self._state = state

    def list_accounts(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return the accounts the viewer belongs to, by display name."""
        with self._state.read() as session:
            return accounts.list_accounts(session, viewer.account_ids)

    def list_sending(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return those among them that may send."""
        return tuple(account for account in self.list_accounts(viewer) if account.can_send)

    def get_sending(self, viewer: Viewer, account_id: str) -> Account:
        """Return the account. Raises: NotFound: not the viewer's. Forbidden: it may not send."""
        viewer.require_account(account_id, "account")
        with self._state.read() as session:
            account = accounts.get_account(session, account_id)
        if not account.can_send:
            raise Forbidden(
                f"The account {account.display_name} may not send.",
                hint="Sending needs an active traffic account of type Campaign.",
            )
        return account

    def open_account(self, account: Account, prices: Iterable[Price], now: datetime) -> Account:
        """Create the account (its id is given here) with its price list, for the installation itself."""
        created = replace(account, account_id=new_id())
        with self._state.write() as session:
            accounts.add_account(session, created, now)
            accounts.set_prices(session, created.account_id, prices)
        return created

    def join(self, user_id: str, account_id: str) -> None:
        """Let the person work with the account, for the installation itself."""
        with self._state.write() as session:
            users.add_membership(session, user_id, account_id)
