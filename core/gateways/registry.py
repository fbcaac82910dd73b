"""Which kinds of gateways there are. A new provider adds its folder and one line here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.config import Settings
from core.domain.gateways.forms import Field
from core.domain.gateways.gateways import SIMULATOR, Connection
from core.gateways.base import Gateway, Inbox
from core.gateways.callbacks import MakeReader
from core.gateways.generic import form as generic_form
from core.gateways.generic import gateway as generic
from core.gateways.infobip import callbacks as infobip_callbacks
from core.gateways.infobip import form as infobip_form
from core.gateways.infobip import gateway as infobip
from core.gateways.mitto import form as mitto_form
from core.gateways.mitto import gateway as mitto
from core.gateways.simulator.gateway import SimulatorGateway
from core.gateways.smpp.form import FORM, read_form
from core.gateways.smpp.gateway import SmppGateway
from core.gateways.smpp.trying import try_connection
from core.gateways.twilio import callbacks as twilio_callbacks
from core.gateways.twilio import form as twilio_form
from core.gateways.twilio import gateway as twilio
from core.gateways.vonage import callbacks as vonage_callbacks
from core.gateways.vonage import form as vonage_form
from core.gateways.vonage import gateway as vonage


@dataclass(frozen=True)
class GatewayTools:
    """What any gateway may need besides its own connection: *inbox* is where it puts what it hears unasked."""

    settings: Settings
    inbox: Inbox
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class GatewayKind:
    """
    What is true of all gateways of one provider or protocol.

    Args:
        title: What people call it.
        build: Makes a gateway of its connection; nothing connects yet.
        test_connection: Connects, as far as that is possible without sending anything, and returns in words what came
            of it, with what it takes; at most some ten seconds. Raises: AppError: in words, what failed and what to do.
        form: What a person is asked for.
        check: Looks at what was filled in as a whole. Raises: InvalidInput, with the *field*.
        make_reader: Makes what reads its provider's callbacks; None where it does not report to an address of ours.
        is_built_in: There is one from the beginning, and never another.
    """

    title: str
    build: Callable[[Connection, GatewayTools], Gateway]
    test_connection: Callable[[Connection, GatewayTools], str]
    form: Sequence[Field] = ()
    check: Callable[[Connection], object] = lambda _: None
    make_reader: MakeReader | None = None
    is_built_in: bool = False

    @property
    def hears_callbacks(self) -> bool:
        """Whether its provider reports to an address of ours."""
        return self.make_reader is not None


KINDS: Mapping[str, GatewayKind] = {
    SIMULATOR: GatewayKind(
        "Simulator",
        lambda _, tools: SimulatorGateway.from_settings(tools.settings),
        lambda _, tools: SimulatorGateway.from_settings(tools.settings).try_out(),
        is_built_in=True,
    ),
    "smpp": GatewayKind(
        "SMPP 3.4",
        lambda connection, tools: SmppGateway(connection, tools.inbox, tools.clock),
        lambda connection, tools: try_connection(connection, tools.inbox, tools.clock),
        FORM,
        read_form,
    ),
    mitto.KIND: GatewayKind(
        "Mitto",
        lambda connection, tools: mitto.open_gateway(connection, tools.clock),
        lambda connection, _: mitto.try_connection(connection),
        mitto_form.FORM,
        mitto_form.check,
        mitto.make_reader,
    ),
    twilio.KIND: GatewayKind(
        "Twilio",
        lambda connection, tools: twilio.open_gateway(connection, tools.clock),
        lambda connection, _: twilio.try_connection(connection),
        twilio_form.FORM,
        twilio_form.check,
        twilio_callbacks.make_reader,
    ),
    vonage.KIND: GatewayKind(
        "Vonage",
        lambda connection, tools: vonage.open_gateway(connection, tools.clock),
        lambda connection, tools: vonage.try_connection(connection, tools.clock),
        vonage_form.FORM,
        vonage_form.check,
        vonage_callbacks.make_reader,
    ),
    infobip.KIND: GatewayKind(
        "Infobip",
        lambda connection, tools: infobip.open_gateway(connection, tools.clock),
        lambda connection, _: infobip.try_connection(connection),
        infobip_form.FORM,
        infobip_form.check,
        infobip_callbacks.make_reader,
    ),
    generic.KIND: GatewayKind(
        "Other, over HTTP",
        lambda connection, tools: generic.open_gateway(connection, tools.clock),
        lambda connection, _: generic.try_connection(connection),
        generic_form.FORM,
        generic_form.check,
        generic.make_reader,
    ),
}
