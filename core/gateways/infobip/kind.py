"""Infobip, as a kind of gateway."""

from core.gateways.infobip.callbacks import make_reader
from core.gateways.infobip.form import FORM, check
from core.gateways.infobip.gateway import open_gateway, try_connection
from core.gateways.kinds import GatewayKind

INFOBIP = GatewayKind(
    "Infobip",
    lambda connection, tools: open_gateway(connection, tools.clock),
    lambda connection, _: try_connection(connection),
    FORM,
    check,
    make_reader,
)
