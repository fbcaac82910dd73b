"""Any provider over HTTP, as a kind of gateway."""

from core.gateways.generic.form import FORM, check
from core.gateways.generic.gateway import make_reader, open_gateway, try_connection
from core.gateways.kinds import GatewayKind

GENERIC = GatewayKind(
    "Other, over HTTP",
    lambda connection, tools: open_gateway(connection, tools.clock),
    lambda connection, _: try_connection(connection),
    FORM,
    check,
    make_reader,
)
