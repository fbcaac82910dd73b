"""Vonage, as a kind of gateway."""

from core.gateways.kinds import GatewayKind
from core.gateways.vonage.callbacks import make_reader
from core.gateways.vonage.form import FORM, check
from core.gateways.vonage.gateway import open_gateway, try_connection

VONAGE = GatewayKind(
    "Vonage",
    lambda connection, tools: open_gateway(connection, tools.clock),
    lambda connection, tools: try_connection(connection, tools.clock),
    FORM,
    check,
    make_reader,
)
