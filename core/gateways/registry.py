"""Which gateways there are. A new provider adds its folder and one line here."""

import threading
from collections.abc import Callable, Mapping

from core.config import Settings
from core.errors import ConfigurationError
from core.gateways.base import Gateway, Observed
from core.gateways.simulator.gateway import SimulatorGateway

FACTORIES: Mapping[str, Callable[[Settings], Gateway]] = {
    "simulator": SimulatorGateway.from_settings,
}


class Gateways:
    """The gateways of this process, each built on first use."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing connects."""
        self._settings = settings
        self._built: dict[str, Gateway] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Return the gateways an account can choose from."""
        return tuple(FACTORIES)

    def get(self, name: str) -> Gateway:
        """Return the gateway. Raises: ConfigurationError: there is none of that name."""
        with self._lock:
            if name not in self._built:
                if name not in FACTORIES:
                    raise ConfigurationError(
                        f"There is no gateway called {name!r}.", hint=f"Choose one of: {', '.join(FACTORIES)}."
                    )
                self._built[name] = Observed(FACTORIES[name](self._settings))
            return self._built[name]
