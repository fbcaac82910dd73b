"""Which kinds of gateways there are. A new provider adds its folder and one line here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.config import Settings
from core.domain.gateways.forms import Field
from core.domain.gateways.gateways import SIMULATOR, Connection
from core.gateways.base import Gateway, Inbox
from core.gateways.simulator.gateway import SimulatorGateway
from core.gateways.smpp.form import FORM, read_form
from core.gateways.smpp.gateway import SmppGateway
from core.gateways.smpp.trying import try_connection


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
        hears_callbacks: Whether its provider reports to an address of ours.
        is_built_in: There is one from the beginning, and never another.
    """

    title: str
    build: Callable[[Connection, GatewayTools], Gateway]
    test_connection: Callable[[Connection, GatewayTools], str]
    form: Sequence[Field] = ()
    check: Callable[[Connection], object] = lambda _: None
    hears_callbacks: bool = False
    is_built_in: bool = False


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
}
