"""Connecting gateways: the one place where their secrets are sealed and opened. No person is told them."""

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.gateways.gateways import CALLBACK_PATH, Connection
from core.errors import ConfigurationError
from core.gateways.kinds import GatewayTools
from core.gateways.registry import KINDS
from core.services.accounts.encryption import Encryption
from core.state.accounts import gateways
from core.state.accounts.gateways import StoredGateway
from core.state.engine.store import State

log = logging.getLogger(__name__)

_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Secrets:
    """What a gateway is known by at its provider's, and the *token* its provider is known by here; "" for none."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)


class GatewaySecrets:
    """Seals secrets together with their gateway's name: moved to another row of the database they open nothing."""

    def __init__(self, sealing: Encryption) -> None:
        """Take what seals."""
        self._sealing = sealing

    @property
    def has_key(self) -> bool:
        """Whether this installation can keep secrets at all."""
        return self._sealing.has_key

    def seal(self, name: str, kept: Secrets) -> str:
        """Return them encrypted, "" where there are none. Raises: ConfigurationError: there is no key."""
        if not kept.values and not kept.token:
            return ""
        facts = {"gateway": name, "secrets": dict(kept.values), "token": kept.token}
        return self._sealing.seal(json.dumps(facts))

    def open(self, stored: StoredGateway) -> Secrets:
        """Return the gateway's secrets. Raises: ConfigurationError: no key opens them, or they are another's."""
        if not stored.sealed.text:
            return Secrets()
        facts = json.loads(self._sealing.open(stored.sealed.text))
        if facts.get("gateway") != stored.setup.name:
            # Somebody with access to the database gave this gateway those of another.
            raise ConfigurationError(
                f"The secrets of {stored.setup.name} were encrypted for another gateway.", hint="Set them again."
            )
        return Secrets(facts["secrets"], facts["token"])

    def reseal(self, sealed: str) -> str:
        """Return the same secrets under the first key. Raises: ConfigurationError."""
        return self._sealing.reseal(sealed)


class ConnectingGateways:
    """What gateways, callbacks and the installation itself ask; pages ask `SettingUpGateways`."""

    def __init__(self, state: State, kept: GatewaySecrets, tools: GatewayTools) -> None:
        """Take the store, who opens secrets, and what a connection is tried with."""
        self._state = state
        self._kept = kept
        self._tools = tools

    def list_versions(self) -> Mapping[str, int]:
        """Return the version of each gateway there is, by name. Raises: StorageError."""
        with self._state.read() as session:
            return gateways.list_versions(session)

    def open_connection(self, name: str) -> Connection:
        """Return what the gateway connects by. Raises: NotFound. ConfigurationError: no key opens its secrets."""
        with self._state.read() as session:
            stored = gateways.get_gateway(session, name)
        return make_connection(stored, self._kept.open(stored), self._tools.settings.address)

    def try_connection(self, name: str) -> str:
        """
        Connect as the gateway is set up, without sending anything, and return in words what came of it.

        Raises: NotFound. AppError: in words, what failed and what to do.
        """
        connection = self.open_connection(name)
        kind = KINDS.get(connection.kind)
        if kind is None:
            raise ConfigurationError(f"This version does not know gateways of the kind {connection.kind!r}.")
        return kind.test_connection(connection, self._tools)

    def list_callbacks(self) -> Mapping[str, tuple[str, int]]:
        """
        Return name and version of each gateway, by the hash (`hash_token`) of the token its provider knows.

        It needs no key. Raises: StorageError.
        """
        with self._state.read() as session:
            return gateways.list_callbacks(session)

    def reseal(self) -> int:
        """Seal all secrets by the first key, for the installation itself; return of how many gateways."""
        with self._state.write() as session:
            found = gateways.list_sealed(session)
            for name, sealed in found:
                gateways.reseal_gateway(session, name, self._kept.reseal(sealed))
        log.info("secrets_resealed", extra={"gateways": len(found)})
        return len(found)


def make_connection(stored: StoredGateway, kept: Secrets, address: str) -> Connection:
    """Return what a gateway connects by."""
    return Connection(
        name=stored.setup.name,
        settings=stored.setup.settings,
        secrets=kept.values,
        callback_url=callback_url(address, kept.token),
        kind=stored.setup.kind,
        version=stored.setup.version,
    )


def callback_url(address: str, token: str) -> str:
    """Return where the provider that was told this *token* reports, "" without one."""
    return f"{address}{CALLBACK_PATH}/{token}" if token else ""


def new_token() -> str:
    """Return a token that nobody guesses: 32 random bytes in URL-safe base64."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """
    Return what is kept of a token to find its gateway by (SHA-256): as random as it is, it needs no salt.

    How long a look for it takes tells at most how a hash begins, which nobody can turn into a token.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
