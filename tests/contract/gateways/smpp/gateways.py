"""SMPP gateways for tests, and an inbox that remembers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from core.domain.gateways.forms import Value, check_form
from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import LateAnswer, Receipt, Reply
from core.domain.messages.strays import Stray
from core.errors import StorageError
from core.gateways.smpp.form import FORM
from core.gateways.smpp.gateway import SmppGateway

NAME = "Test SMSC"


class FakeInbox:
    """Keeps what it is given, unless it is *full*; waits while *open* is not set."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.replies: list[Reply] = []
        self.late_answers: list[LateAnswer] = []
        self.strays: list[Stray] = []
        self.stray_count = 0
        self.store_count = 0
        self.full = False
        self.open = threading.Event()
        self.open.set()

    def store(
        self, receipts: Sequence[Receipt], replies: Sequence[Reply], late_answers: Sequence[LateAnswer] = ()
    ) -> None:
        self.open.wait()
        self.store_count += 1
        if self.full:
            raise StorageError("The disk is full.")
        self.receipts += receipts
        self.replies += replies
        self.late_answers += late_answers

    def keep_stray(self, stray: Stray, count: int = 1) -> None:
        self.open.wait()
        self.strays.append(stray)
        self.stray_count += count


def connection(port: int, **settings: Value) -> Connection:
    """Return how to reach an SMSC on this machine; *settings* over the defaults of the form, unchecked."""
    secret = str(settings.pop("password", "secret"))
    filled = check_form(FORM, {"host": "127.0.0.1", "system_id": "helio", "password": secret})
    return Connection(NAME, {**filled.settings, "port": port, **settings}, {"password": secret})


@contextmanager
def smpp_gateway(
    port: int, inbox: FakeInbox | None = None, clock: Callable[[], datetime] | None = None, **settings: Value
) -> Iterator[SmppGateway]:
    """Run a gateway, and close it."""
    gateway = SmppGateway(connection(port, **settings), inbox or FakeInbox(), clock or (lambda: datetime.now(UTC)))
    try:
        yield gateway
    finally:
        gateway.close()
