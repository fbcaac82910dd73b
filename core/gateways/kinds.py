"""What is true of all gateways of one kind. Each kind's folder has one in its module `kind`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.config import Settings
from core.domain.gateways.forms import Field
from core.domain.gateways.gateways import Connection
from core.gateways.base import Gateway, Inbox
from core.gateways.callbacks import MakeReader
from core.gateways.tally import Tally


@dataclass(frozen=True)
class GatewayTools:
    """What any gateway may need besides its own connection: *inbox* is where it puts what it hears unasked."""

    settings: Settings
    inbox: Inbox
    clock: Callable[[], datetime]
    # What comes and goes by all of them.
    tally: Tally = field(default_factory=Tally)


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
        proves_credentials: Whether a test of the connection that succeeds proves that they are right, too.
    """

    title: str
    build: Callable[[Connection, GatewayTools], Gateway]
    test_connection: Callable[[Connection, GatewayTools], str]
    form: Sequence[Field] = ()
    check: Callable[[Connection], object] = lambda _: None
    make_reader: MakeReader | None = None
    is_built_in: bool = False
    proves_credentials: bool = False

    @property
    def hears_callbacks(self) -> bool:
        """Whether its provider reports to an address of ours."""
        return self.make_reader is not None
