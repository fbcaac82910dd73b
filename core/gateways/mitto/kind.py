"""Mitto, as a kind of gateway."""

from core.gateways.kinds import GatewayKind
from core.gateways.mitto.form import FORM, check
from core.gateways.mitto.gateway import make_reader, open_gateway, try_connection

MITTO = GatewayKind(
    "Mitto",
    lambda connection, tools: open_gateway(connection, tools.clock),
    lambda connection, _: try_connection(connection),
    FORM,
    check,
    make_reader,
)
