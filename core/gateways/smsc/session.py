"""One connection of a client: its bind, its submits, and what it is sent."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.gateways.smpp.pdu import (
    BINDS,
    RESPONSE,
    VERSION,
    Bind,
    Command,
    Frames,
    FramingError,
    Pdu,
    Status,
    next_sequence,
    pdu,
    read_bind,
    response,
    text,
)

SYSTEM_ID = "heliograph"
# Source: SMPP 3.4, 5.3.2.25: sc_interface_version, with which a bind is answered.
_INTERFACE_VERSION = b"\x02\x10\x00\x01" + bytes((VERSION,))
_DELIVER_RESPONSE = Command.DELIVER_SM | RESPONSE
_ENQUIRE_RESPONSE = Command.ENQUIRE_LINK | RESPONSE
_UNBIND_RESPONSE = Command.UNBIND | RESPONSE


class Host(Protocol):
    """What a session asks of the SMSC."""

    def judge_bind(self, session: "Session", bind: Bind) -> int:
        """Return the command_status that a bind is answered with; on 0 the session belongs to the SMSC's binds."""
        ...

    def submitted(self, session: "Session", submits: list[Pdu]) -> None:
        """Take what came at once; `Session.answer` follows."""
        ...

    def delivered(self, session: "Session", token: int, status: int) -> None:
        """Hear the response to a deliver_sm."""
        ...

    def began(self, session: "Session") -> None:
        """Hear of a new connection."""
        ...

    def ended(self, session: "Session") -> None:
        """Hear that the connection is gone; what was sent in it and not answered counts as not sent."""
        ...


@dataclass(slots=True)
class Sent:
    """A deliver_sm that waits for its response: its token, and when it left, in the loop's seconds."""

    token: int
    sent_s: float


class Session(asyncio.Protocol):
    """
    The SMSC's end of a connection. *mode* and *system_id* are those of its bind, None and "" before.

    *unanswered* counts submits without a response, *unanswered_most* the most there ever were; *sent* has what waits
    for a response, by sequence number. *heard_s* is when the other side was last heard, *asked_s* when it was asked
    whether it is there and has not answered since, 0 otherwise.
    """

    def __init__(self, host: Host, now_s: Callable[[], float]) -> None:
        """Take whom to ask, and the loop's clock."""
        self._host = host
        self._now_s = now_s
        self._frames = Frames()
        self._sequence = 0
        self._transport: asyncio.Transport | None = None
        self.mode: Command | None = None
        self.system_id = ""
        self.unanswered = self.unanswered_most = 0
        self.sent: dict[int, Sent] = {}
        self.is_writable = True
        self._is_deaf = False
        self.began_s = self.heard_s = now_s()
        self.asked_s = 0.0

    @property
    def receives(self) -> bool:
        """Whether it may be sent deliver_sm."""
        return self.mode in {Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host.began(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End."""
        self._transport = None
        self._host.ended(self)

    def pause_writing(self) -> None:
        """Hear that the other side does not read: nothing is read from it either until it does."""
        self.is_writable = False
        self._read_or_not()

    def resume_writing(self) -> None:
        """Go on."""
        self.is_writable = True
        self._read_or_not()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self.heard_s, self.asked_s = self._now_s(), 0.0
        try:
            found = self._frames.feed(data)
        except FramingError:
            self.write(pdu(Command.GENERIC_NACK, 0, status=Status.INVALID_COMMAND_LENGTH))
            self.close()
            return
        submits = list[Pdu]()
        for each in found:
            if each.command == Command.SUBMIT_SM:
                submits.append(each)
            elif each.command == _DELIVER_RESPONSE:
                self._hear_response(each)
            else:
                self._submit(submits)
                submits = []
                self._handle(each)
        self._submit(submits)

    def answer(self, to: Pdu, body: bytes, status: int) -> bytes:
        """Return the response to a submit, which now no longer waits for one."""
        self.unanswered -= 1
        return response(to, body, status)

    def number(self, token: int | None = None) -> int:
        """
        Return the sequence number of the next deliver_sm, which is to be written at once.

        Its response is waited for, and told with the *token*; without one, nobody wants to know what becomes of it.
        """
        self._sequence = next_sequence(self._sequence)
        if token is not None:
            self.sent[self._sequence] = Sent(token, self._now_s())
        return self._sequence

    def enquire(self) -> None:
        """Ask whether the other side is there."""
        self._sequence = next_sequence(self._sequence)
        self.asked_s = self._now_s()
        self.write(pdu(Command.ENQUIRE_LINK, self._sequence))

    def take_overdue(self, before_s: float) -> list[int]:
        """Return the tokens of what was sent before then and has no response; it is waited for no more."""
        overdue = [sequence for sequence, sent in self.sent.items() if sent.sent_s < before_s]
        return [self.sent.pop(sequence).token for sequence in overdue]

    def unbind(self) -> None:
        """Ask the other side to let go; the connection ends with its answer, without a bind at once."""
        if self.mode is None:
            self.close()
            return
        self._sequence = next_sequence(self._sequence)
        self.write(pdu(Command.UNBIND, self._sequence))

    def write(self, data: bytes) -> None:
        """Send *data*; into a connection that is gone, nothing."""
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the connection once all is sent."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def be_deaf(self, *, is_deaf: bool) -> None:
        """Read nothing any more, or read again."""
        self._is_deaf = is_deaf
        self._read_or_not()

    def _read_or_not(self) -> None:
        if self._transport is None:
            return
        if self._is_deaf or not self.is_writable:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _submit(self, submits: list[Pdu]) -> None:
        if not submits:
            return
        self.unanswered += len(submits)
        self.unanswered_most = max(self.unanswered_most, self.unanswered)
        if self.mode in {Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER}:
            self._host.submitted(self, submits)
            return
        self.write(b"".join(self.answer(each, b"", Status.WRONG_BIND_STATUS) for each in submits))

    def _hear_response(self, to: Pdu) -> None:
        sent = self.sent.pop(to.sequence, None)
        # None: what nobody wants to know of, or a second response.
        if sent is not None:
            self._host.delivered(self, sent.token, to.status)

    def _handle(self, each: Pdu) -> None:
        if each.command in BINDS:
            self._bind(each)
        elif each.command == Command.ENQUIRE_LINK:
            # Behind the responses to what was submitted before, as is the next one.
            asyncio.get_running_loop().call_soon(self.write, response(each))
        elif each.command == Command.UNBIND:
            self.mode, self.began_s = None, self._now_s()
            asyncio.get_running_loop().call_soon(self._leave, each)
        elif each.command == _UNBIND_RESPONSE:
            self.close()
        elif each.command == Command.GENERIC_NACK:
            # In place of a response.
            self._hear_response(each)
        elif each.command != _ENQUIRE_RESPONSE:
            self.write(pdu(Command.GENERIC_NACK, each.sequence, status=Status.INVALID_COMMAND_ID))

    def _leave(self, asked: Pdu) -> None:
        self.write(response(asked))
        self.close()

    def _bind(self, each: Pdu) -> None:
        if self.mode is not None:
            self.write(response(each, status=Status.ALREADY_BOUND))
            return
        bind = read_bind(each)
        status = self._host.judge_bind(self, bind)
        if status:
            self.write(response(each, status=status))
            self.close()
            return
        self.mode, self.system_id = bind.mode, bind.system_id
        self.write(response(each, text(SYSTEM_ID) + _INTERFACE_VERSION))


def is_password(given: str, wanted: str) -> bool:
    """Return whether it is that password, in a time that says nothing about it."""
    return hmac.compare_digest(given.encode(), wanted.encode())
