"""Which gateways there are. A new provider adds its folder and one line here."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.config import Settings
from core.errors import ConfigurationError
from core.gateways.base import FindCredentials, Gateway, Observed
from core.gateways.simulator.gateway import SimulatorGateway


@dataclass(frozen=True)
class GatewayKind:
    """How a gateway is built, and whether it knows accounts by credentials."""

    build: Callable[[Settings, FindCredentials], Gateway]
    needs_credentials: bool = True


KINDS: Mapping[str, GatewayKind] = {
    "simulator": GatewayKind(lambda settings, _: SimulatorGateway.from_settings(settings), needs_credentials=False),
}


class Gateways:
    """The gateways of this process, each built on first use."""

    def __init__(self, settings: Settings, find_credentials: FindCredentials) -> None:
        """Keep the settings, and where gateways find credentials; nothing connects."""
        self._settings = settings
        self._find_credentials = find_credentials
        self._built: dict[str, Gateway] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Return the gateways an account can choose from."""
        return tuple(KINDS)

    def needs_credentials(self, name: str) -> bool:
        """Return whether the gateway knows accounts by credentials."""
        return name in KINDS and KINDS[name].needs_credentials

    def get(self, name: str) -> Gateway:
        """Return the gateway. Raises: ConfigurationError: there is none of that name."""
        with self._lock:
            if name not in self._built:
                if name not in KINDS:
                    raise ConfigurationError(
                        f"There is no gateway called {name!r}.", hint=f"Choose one of: {', '.join(KINDS)}."
                    )
                self._built[name] = Observed(KINDS[name].build(self._settings, self._find_credentials))
            return self._built[name]
