import asyncio

import pytest

from core.gateways.smpp.pdu import Bind, Command, Pdu
from core.gateways.smsc.session import Session


class FakeTransport(asyncio.Transport):
    """Remembers whether it reads, and what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True
        self.written = b""
        self.closing = False

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing


class FakeHost:
    """Lets everybody in."""

    def judge_bind(self, session: Session, bind: Bind) -> int:
        return 0

    def submitted(self, session: Session, submits: list[Pdu]) -> None: ...

    def delivered(self, session: Session, token: int, status: int) -> None: ...

    def began(self, session: Session) -> None: ...

    def ended(self, session: Session) -> None: ...


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def session(transport: FakeTransport) -> Session:
    made = Session(FakeHost(), lambda: 5.0)
    made.connection_made(transport)
    return made


def test_of_who_does_not_read_nothing_is_read_either(session: Session, transport: FakeTransport):
    session.pause_writing()
    assert not transport.reads
    session.resume_writing()
    assert transport.reads


def test_who_hears_nothing_hears_nothing_though_the_other_side_reads_again(session: Session, transport: FakeTransport):
    session.be_deaf(is_deaf=True)
    session.pause_writing()
    session.resume_writing()
    assert not transport.reads
    session.be_deaf(is_deaf=False)
    assert transport.reads


def test_nothing_is_written_to_who_is_gone(session: Session, transport: FakeTransport):
    transport.closing = True
    session.write(b"late")
    session.connection_lost(None)
    session.write(b"later")
    session.enquire()
    assert transport.written == b""


def test_deliveries_have_numbers_of_their_own_and_only_those_with_a_token_are_waited_for(session: Session):
    assert [session.number(7), session.number(), session.number(8)] == [1, 2, 3]
    assert {number: sent.token for number, sent in session.sent.items()} == {1: 7, 3: 8}
    assert session.take_overdue(5.0) == []
    assert session.take_overdue(5.1) == [7, 8]
    assert session.sent == {}


@pytest.mark.parametrize(
    ("mode", "receives"),
    [(Command.BIND_RECEIVER, True), (Command.BIND_TRANSCEIVER, True), (Command.BIND_TRANSMITTER, False)],
)
def test_who_is_bound_to_receive_receives(session: Session, mode: Command, receives: bool):
    assert not session.receives
    session.data_received(Bind(mode, "me", "secret").encode(1))
    assert session.receives is receives
