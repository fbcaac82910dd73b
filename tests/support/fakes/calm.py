"""The simulator without its luck, which would fail a test now and then."""

from pathlib import Path

from core.bootstrap import App
from core.gateways.simulator.gateway import NAME, Behavior, SimulatorGateway
from core.gateways.simulator.profiles import NetworkProfile


def calm(app: App, *, refused_rate: float = 0.0, journal_path: Path | None = None) -> None:
    """
    Let the gateway always answer, take everything it does not refuse, and deliver all of that after a second.

    *journal_path* is where it keeps what it took, the application's own folder unless told otherwise.
    """
    profile = NetworkProfile(
        median_delay_s=1.0,
        delay_sigma=0.1,
        undelivered_rate=0.0,
        refused_rate=refused_rate,
        silent_rate=0.0,
        lost_rate=0.0,
        duplicate_rate=0.0,
        intermediate_rate=0.0,
    )
    behavior = Behavior(seed=1, profile_of=lambda _seed, _mccmnc: profile)
    app.accounts.gateways.get(NAME).gateway = SimulatorGateway(journal_path or app.settings.simulator_path, behavior)
