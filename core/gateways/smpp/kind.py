"""SMPP 3.4, as a kind of gateway."""

from core.gateways.kinds import GatewayKind
from core.gateways.smpp.form import FORM, read_form
from core.gateways.smpp.gateway import SmppGateway
from core.gateways.smpp.trying import try_connection

SMPP = GatewayKind(
    "SMPP 3.4",
    lambda connection, tools: SmppGateway(connection, tools.inbox, tools.clock),
    lambda connection, tools: try_connection(connection, tools.inbox, tools.clock),
    FORM,
    read_form,
    proves_credentials=True,
)
