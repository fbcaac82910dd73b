"""Twilio, as a kind of gateway."""

from core.gateways.kinds import GatewayKind
from core.gateways.twilio.callbacks import make_reader
from core.gateways.twilio.form import FORM, check
from core.gateways.twilio.gateway import open_gateway, try_connection

TWILIO = GatewayKind(
    "Twilio",
    lambda connection, tools: open_gateway(connection, tools.clock),
    lambda connection, _: try_connection(connection),
    FORM,
    check,
    make_reader,
)
