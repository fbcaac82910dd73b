"""Keeping credentials: by which an account is known to its gateway. People write them, only gateways read them."""

import json
import logging
from datetime import datetime

from core.domain.accounts.accounts import Account, GatewayCredentials, check_credentials
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.errors import ConfigurationError
from core.services.accounts.encryption import Encryption
from core.services.accounts.managing_accounts import require_administrator
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)


class KeepingCredentials:
    """The one place where credentials are sealed, and the one where they are opened."""

    def __init__(self, state: State, sealing: Encryption) -> None:
        """Take the store, and what seals."""
        self._state = state
        self._sealing = sealing

    def check_key(self, viewer: Viewer) -> None:
        """Raise `ConfigurationError` when this installation has no key to keep credentials by."""
        require_administrator(viewer)
        self._sealing.check()

    def set(self, viewer: Viewer, account_id: str, user: str, secret: str, now: datetime) -> Account:
        """
        Replace the account's credentials and return the account.

        Raises: Forbidden: not an administrator. NotFound. InvalidInput: they cannot be used. ConfigurationError: the
            installation has no key.
        """
        require_administrator(viewer)
        sealed = self._seal(account_id, check_credentials(user, secret))
        return self._replace(viewer, account_id, sealed, now)

    def forget(self, viewer: Viewer, account_id: str, now: datetime) -> Account:
        """Delete the account's credentials and return the account. Raises: Forbidden, NotFound."""
        require_administrator(viewer)
        return self._replace(viewer, account_id, "", now)

    def find(self, account_id: str) -> GatewayCredentials | None:
        """
        Return the account's credentials, None without any; for gateways, at the moment of use.

        Raises: ConfigurationError: no key opens them, or they were sealed for another account.
        """
        with self._state.read() as session:
            sealed = accounts.find_credentials(session, account_id)
        if not sealed:
            return None
        facts = json.loads(self._sealing.open(sealed))
        if facts["account_id"] != account_id:
            # Somebody with access to the database gave this account those of another.
            raise ConfigurationError(
                "The credentials of an account were encrypted for another account.", hint="Set them again."
            )
        return GatewayCredentials(facts["user"], facts["secret"])

    def reseal(self) -> int:
        """Seal all credentials by the first key, for the installation itself; return of how many accounts."""
        with self._state.write() as session:
            found = accounts.list_credentials(session)
            for account_id, sealed in found:
                accounts.reseal_credentials(session, account_id, self._sealing.reseal(sealed))
        log.info("credentials_resealed", extra={"accounts": len(found)})
        return len(found)

    def _seal(self, account_id: str, credentials: GatewayCredentials) -> str:
        facts = {"account_id": account_id, "user": credentials.user, "secret": credentials.secret}
        return self._sealing.seal(json.dumps(facts))

    def _replace(self, viewer: Viewer, account_id: str, sealed: str, now: datetime) -> Account:
        with self._state.write() as session:
            account = accounts.lock_account(session, account_id)
            accounts.set_credentials(session, account_id, sealed, now if sealed else None)
            subject = Subject("account", account_id, account.display_name)
            details = {"credentials": "set" if sealed else "deleted"}
            audit.record(session, viewer, Action.CREDENTIALS_CHANGED, subject, now, details)
            return accounts.get_account(session, account_id)
