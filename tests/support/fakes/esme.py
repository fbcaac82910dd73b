"""A client of an SMSC over a plain socket: says what a test tells it, and shows what it hears, whole."""

import select
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import smpp34

HEADER = struct.Struct(">IIII")
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, GENERIC_NACK = 0x04, 0x05, 0x06, 0x15, 0x8000_0000
RESPONSE = 0x8000_0000
# Promised is less; tests share their machine with others.
PATIENCE_S = 60


@dataclass(frozen=True)
class Heard:
    """A PDU as it came."""

    command: int
    status: int
    sequence: int
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def text_id(self) -> str:
        """What a response gives as the id."""
        return self.body.split(b"\0")[0].decode()

    def message(self) -> smpp34.DeliverSm:
        return smpp34.decode(self.raw)


class Esme:
    """One connection."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect."""
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket = tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain
        self._kept: list[Heard] = []
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, command: int, body: bytes = b"", *, status: int = 0, sequence: int | None = None) -> int:
        """Send a PDU; return its sequence number, the next one unless it is given."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        self._socket.sendall(HEADER.pack(HEADER.size + len(body), command, status, sequence) + body)
        return sequence

    def say_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def bind(self, mode: int = BIND_TRANSCEIVER, system_id: str = "me", password: str = "secret") -> Heard:
        """Bind; return the response."""
        return self.answer_to(self.say_bind(mode, system_id, password))

    def say_bind(self, mode: int = BIND_TRANSCEIVER, system_id: str = "me", password: str = "secret") -> int:
        """Send a bind; return its sequence number."""
        names = b"".join(each.encode() + b"\0" for each in (system_id, password, ""))
        return self.say(mode, names + bytes((0x34, 0, 0)) + b"\0")

    def submit(self, msisdn: str = "491796000001", text: bytes = b"Hello", **facts: object) -> int:
        """Submit with all receipts; return the sequence number. *facts* are those of `smpp34.SubmitSm`."""
        self._sequence += 1
        self.say_raw(encoded(msisdn, text, self._sequence, **facts))
        return self._sequence

    def send(self, msisdn: str = "491796000001", text: bytes = b"Hello", **facts: object) -> Heard:
        """Submit, and return the response."""
        return self.answer_to(self.submit(msisdn, text, **facts))

    def next(self) -> Heard:
        """Return what comes next. Raises: ConnectionError: nothing, the other side has gone."""
        return self._kept.pop(0) if self._kept else self._read()

    def answer_to(self, sequence: int) -> Heard:
        """Return the response with that number; what comes meanwhile is kept."""
        return self.first(lambda heard: heard.command & RESPONSE != 0 and heard.sequence == sequence)

    def delivery(self) -> Heard:
        """Return the next deliver_sm, not acknowledged yet; what comes meanwhile is kept."""
        return self.first(lambda heard: heard.command == DELIVER_SM)

    def take(self) -> smpp34.DeliverSm:
        """Return the next deliver_sm, and acknowledge it."""
        heard = self.delivery()
        self.acknowledge(heard)
        return heard.message()

    def acknowledge(self, heard: Heard, status: int = 0) -> None:
        self.say(DELIVER_SM | RESPONSE, b"\0", status=status, sequence=heard.sequence)

    def is_quiet(self) -> bool:
        """Return whether an enquiry is answered before anything else is said."""
        sequence = self.say(ENQUIRE_LINK)
        before = len(self._kept)
        self.answer_to(sequence)
        return len(self._kept) == before == 0

    def has_something(self) -> bool:
        """Return whether anything waits to be read this moment."""
        return bool(self._kept or select.select([self._socket], [], [], 0)[0])

    def has_heard(self, sequence: int) -> bool:
        """Return whether a response with that number is among what was kept."""
        return any(heard.command & RESPONSE and heard.sequence == sequence for heard in self._kept)

    def first(self, is_it: Callable[[Heard], bool]) -> Heard:
        for index, heard in enumerate(self._kept):
            if is_it(heard):
                return self._kept.pop(index)
        while not is_it(heard := self._read()):
            self._kept.append(heard)
        return heard

    def is_gone(self) -> bool:
        """Return whether the other side hangs up; what it says before that is kept."""
        try:
            while True:
                self._kept.append(self._read())
        except ConnectionError:
            return True

    def _read(self) -> Heard:
        head = self._read_octets(HEADER.size)
        length, command, status, sequence = HEADER.unpack(head)
        body = self._read_octets(length - HEADER.size)
        return Heard(command, status, sequence, body, head + body)

    def _read_octets(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self._socket.recv(count - len(found))
            if not piece:
                raise ConnectionResetError("the SMSC hung up")
            found += piece
        return found


def encoded(msisdn: str, text: bytes, sequence: int, **facts: object) -> bytes:
    """Return a submit_sm that asks for all receipts."""
    given = {
        "source_addr": "HELIOGRAPH",
        "source_addr_ton": 5,
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "registered_delivery": 1,
        "sequence_number": sequence,
    }
    return smpp34.SubmitSm(destination_addr=msisdn, short_message=text, **(given | facts)).encode()
