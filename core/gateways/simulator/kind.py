"""The simulator, as a kind of gateway."""

from core.gateways.kinds import GatewayKind
from core.gateways.simulator.gateway import SimulatorGateway

SIMULATOR_KIND = GatewayKind(
    "Simulator",
    lambda _, tools: SimulatorGateway.from_settings(tools.settings),
    lambda _, tools: SimulatorGateway.from_settings(tools.settings).try_out(),
    is_built_in=True,
)
