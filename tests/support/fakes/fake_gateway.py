"""A kind of gateway to set up, and gateways that remember what was asked of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.domain.gateways.sights import InUse, LinkState
from core.domain.messages.messages import OutboundMessage, Receipt, SubmitOutcome, SubmitResult
from core.errors import Unavailable
from core.gateways import registry
from core.gateways.callbacks import Heard, ReadCallback
from core.gateways.kinds import GatewayKind, GatewayTools

KIND = "provider"
FORM = (
    Field("host", "Host", required=True, help="Name or address."),
    Field("port", "Port", FieldKind.NUMBER, 2775, least=1, most=65_535),
    Field("password", "Password", FieldKind.SECRET, required=True),
    Field("tls", "Encrypted", FieldKind.SWITCH, default=False, section="Security"),
    Field("certificate", "CA certificate", FieldKind.LONG_TEXT, section="Security"),
    Field("signing_key", "Signing key", FieldKind.SECRET, section="Security"),
    Field("mode", "Mode", FieldKind.CHOICE, "both", choices={"both": "Both ways", "send": "Sending only"}),
)
VALUES = {"host": "smpp.example.com", "password": "hunter2-Geheimnis"}


@dataclass
class FakeGateway:
    """Takes everything until it is closed."""

    connection: Connection
    opened: int = 0
    tried_now: int = 0
    is_closed: bool = False
    # Set to let `close` end, which waits for the answers of what has left.
    answered: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answered.set()

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def window(self) -> int:
        return 1_000

    @property
    def per_request(self) -> int:
        return 1

    def submit(self, messages: Sequence[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        if self.is_closed:
            raise Unavailable("It is closed.", gateway=self.name)
        return [
            SubmitResult(each.message_id, SubmitOutcome.ACCEPTED, now, gateway_message_id=f"theirs-{each.message_id}")
            for each in messages
        ]

    def may_have_receipts(self, now: datetime) -> bool:
        return False

    def fetch_receipts(self, limit: int, now: datetime) -> list[tuple[str, Receipt]]:
        return []

    def acknowledge(self, tokens: Sequence[str]) -> None: ...

    def keep_open(self) -> None:
        self.opened += 1

    def links(self) -> Sequence[LinkState]:
        return ()

    def in_use(self) -> InUse:
        return InUse(0, self.window)

    def try_now(self) -> None:
        self.tried_now += 1

    def close(self) -> None:
        self.is_closed = True
        self.answered.wait(60)


def make_reader(_: Connection) -> ReadCallback:
    return lambda _: Heard()


class FakeKind:
    """Remembers the gateways that were built and the connections that were tested."""

    def __init__(self) -> None:
        self.built: list[FakeGateway] = []
        self.tested: list[Connection] = []
        # What a test of a connection raises, if anything.
        self.fault: Exception | None = None
        # What a test that succeeds proves; said before `register`.
        self.proves_credentials = True

    def build(self, connection: Connection, _: GatewayTools) -> FakeGateway:
        self.built.append(FakeGateway(connection))
        return self.built[-1]

    def try_out(self, connection: Connection, _: GatewayTools) -> str:
        self.tested.append(connection)
        if self.fault:
            raise self.fault
        return "The provider answers."

    def register(self, monkeypatch: pytest.MonkeyPatch, name: str = KIND) -> None:
        """Let this be a kind of gateway while the test runs."""
        kind = GatewayKind(
            "Provider",
            self.build,
            self.try_out,
            FORM,
            make_reader=make_reader,
            proves_credentials=self.proves_credentials,
        )
        monkeypatch.setitem(registry.KINDS, name, kind)
