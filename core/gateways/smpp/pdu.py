"""
PDUs of SMPP 3.4: cutting a stream into them, and those that a session exchanges.

Messages themselves (submit_sm, deliver_sm) are encoded and decoded by the library `smpp34`; what it has no form for is
here: binds, enquiries, responses, and the frames around all of them.

Source: Short Message Peer-to-Peer Protocol Specification 3.4, sections 3.2, 4.1 to 4.11 and 5.1.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

HEADER = Struct(">IIII")
# Octets of the longest PDU that is read: a message_payload of 64 KiB and what is around it.
PDU_MAX = 70_000
# The highest sequence number there is (section 5.1.4).
SEQUENCE_MAX = 0x7FFF_FFFF
VERSION = 0x34
RESPONSE = 0x8000_0000


class Command(IntEnum):
    """The command ids that are understood (section 5.1.2.1)."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = RESPONSE


BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})


class Status(IntEnum):
    """The command states that a session itself reads or says (section 5.1.3); providers add their own."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND_ID = 0x03
    WRONG_BIND_STATUS = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TEMPORARY_APPLICATION_ERROR = 0x64


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came: *raw* is all of it, header included."""

    command: int
    status: int
    sequence: int
    raw: bytes

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.raw[HEADER.size :]


class FramingError(Exception):
    """The stream is no SMPP, or not any more: where the next PDU begins cannot be told."""


class Frames:
    """Cuts what comes from a connection into PDUs."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Pdu]:
        """Return the PDUs that are whole by now. Raises: FramingError: a length that no PDU has."""
        self._rest += data
        found, start, end = list[Pdu](), 0, len(self._rest)
        while end - start >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(self._rest, start)
            if not HEADER.size <= length <= PDU_MAX:
                raise FramingError(f"A PDU says it has {length} octets.")
            if end - start < length:
                break
            found.append(Pdu(command, status, sequence, bytes(self._rest[start : start + length])))
            start += length
        del self._rest[:start]
        return found


def pdu(command: int, sequence: int, body: bytes = b"", status: int = Status.OK) -> bytes:
    """Return a PDU."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def response(to: Pdu, body: bytes = b"", status: int = Status.OK) -> bytes:
    """Return the response to a PDU."""
    return pdu(to.command | RESPONSE, to.sequence, body, status)


def text(value: str) -> bytes:
    """Return *value* as a C-octet string; what Latin-1 does not have is a question mark."""
    return value.replace("\0", "").encode("latin-1", "replace") + b"\0"


def read_text(body: bytes, start: int = 0) -> tuple[str, int]:
    """Return the C-octet string at *start*, and where the next field begins; one without an end takes all there is."""
    end = body.find(b"\0", start)
    if end < 0:
        return body[start:].decode("latin-1"), len(body)
    return body[start:end].decode("latin-1"), end + 1


@dataclass(frozen=True)
class Bind:
    """What a bind asks for; *mode* one of `BINDS`."""

    mode: Command
    system_id: str
    # Never in a log or a traceback.
    password: str = field(repr=False)
    system_type: str = ""
    ton: int = 0
    npi: int = 0
    address_range: str = ""

    def encode(self, sequence: int) -> bytes:
        """Return the PDU (section 4.1)."""
        names = text(self.system_id) + text(self.password) + text(self.system_type)
        addresses = bytes((VERSION, self.ton, self.npi)) + text(self.address_range)
        return pdu(self.mode, sequence, names + addresses)


def read_bind(frame: Pdu) -> Bind:
    """Return what a bind asks for; fields that are missing are empty."""
    system_id, at = read_text(frame.body)
    password, at = read_text(frame.body, at)
    system_type, at = read_text(frame.body, at)
    ton, npi = (*frame.body[at + 1 : at + 3], 0, 0)[:2]
    address_range, _ = read_text(frame.body, at + 3)
    return Bind(Command(frame.command), system_id, password, system_type, ton, npi, address_range)


def next_sequence(sequence: int) -> int:
    """Return the sequence number after *sequence*, 1 after the last one there is."""
    return sequence + 1 if sequence < SEQUENCE_MAX else 1
