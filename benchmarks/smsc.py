"""The SMSC of rehearsals: how many submits a bare loop of the same codec gets answered in a window of 50."""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path

import smpp34

from benchmarks.report import Case, measured
from core.gateways.simulator.profiles import fate_of, profile_of
from core.gateways.smpp.pdu import RESPONSE, Bind, Command, Frames, Pdu, response
from core.gateways.smsc.journal import SmscJournal
from core.gateways.smsc.submits import digest_of

ACCOUNT = ("bench", "bench")
SEED = 1
_SUBMIT_RESPONSE = Command.SUBMIT_SM | RESPONSE
_ALL_RECEIPTS = 1
TEXT = b"Good morning! Your parcel arrives today between 10 and 12. Somebody should be at home to sign for it."


class BareLoop(asyncio.Protocol):
    """
    The least that can send: no claims, no ledger, no pacing, nothing is kept of an answer.

    Submits one message to each of *numbers*, at most *window* without a response, and acknowledges receipts at once.
    """

    def __init__(self, numbers: Sequence[str], window: int, *, registered_delivery: int) -> None:
        """Keep what to send to."""
        self.statuses = dict[int, int]()
        self.receipt_count = 0
        self.done = asyncio.get_running_loop().create_future()
        self._numbers, self._window = numbers, window
        self._registered_delivery = registered_delivery
        self._sent = self._answered = 0
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(Bind(Command.BIND_TRANSCEIVER, *ACCOUNT).encode(1))

    def data_received(self, data: bytes) -> None:
        """Count answers, acknowledge receipts, and fill the window."""
        said = [answer for each in self._frames.feed(data) if (answer := self._hear(each))]
        room = min(self._window - (self._sent - self._answered), len(self._numbers) - self._sent)
        said += [self._submit(self._sent + index) for index in range(room)]
        self._sent += room
        assert self._transport is not None
        self._transport.write(b"".join(said))
        if self._answered == len(self._numbers) and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End early."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the SMSC hung up"))

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()

    def _hear(self, each: Pdu) -> bytes:
        if each.command == _SUBMIT_RESPONSE:
            self._answered += 1
            self.statuses[each.status] = self.statuses.get(each.status, 0) + 1
        elif each.command == Command.DELIVER_SM:
            self.receipt_count += 1
            return response(each, b"\0")
        elif each.command == Command.ENQUIRE_LINK:
            return response(each)
        return b""

    def _submit(self, index: int) -> bytes:
        return smpp34.SubmitSm(
            "HELIOGRAPH",
            self._numbers[index],
            TEXT,
            source_addr_ton=5,
            dest_addr_ton=1,
            dest_addr_npi=1,
            registered_delivery=self._registered_delivery,
            sequence_number=index + 2,
        ).encode()


@contextmanager
def smsc_process(log: Path, *options: str) -> Iterator[int]:
    """Run `python -m core smsc` for the account `ACCOUNT`, and give its port; it is told to end with the block."""
    command = [sys.executable, "-m", "core", "smsc", "--port", "0", "--account", ":".join(ACCOUNT), "--log", str(log)]
    command += ["--rate", "1000000", "--seed", str(SEED), *options]
    environment = {**os.environ, "HELIOGRAPH_DATA_DIR": str(log.parent)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdout is not None
    try:
        # Its first line names address, port and protocol, parted by colons.
        yield int(process.stdout.readline().split(":")[1])
    finally:
        process.terminate()
        process.communicate(timeout=30)


def answered_numbers(octets: bytes, *, are_taken: bool = False) -> Iterator[str]:
    """
    Yield numbers to which a message of these octets is answered or refused; not refused where *are_taken*.

    One that is taken in silence would take up the window until the response timer ends.
    """
    for index in count():
        number = f"49179{index:07d}"
        profile = profile_of(SEED, number[:5])
        fate = fate_of(SEED, digest_of(f"+{number}", octets), profile)
        if not fate.silent and not (are_taken and fate.refusal):
            yield number


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--window", type=int, default=50)


def run(options: argparse.Namespace) -> int:
    """Submit without receipts and with all of them; 1 when the SMSC's log does not have what was answered."""
    cases = [("without receipts", 0, []), ("with receipts", _ALL_RECEIPTS, ["--speed", "20"])]
    return max(_measure(options, name, wanted, more) for name, wanted, more in cases)


def _measure(options: argparse.Namespace, name: str, registered_delivery: int, more: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="heliograph-smsc-") as folder:
        log = Path(folder) / "smsc.sqlite"
        with smsc_process(log, *more) as port:
            accepted_count = asyncio.run(_submit_all(options, name, registered_delivery, port))
        return 0 if SmscJournal(log).count_accepted() == accepted_count else 1


async def _submit_all(options: argparse.Namespace, name: str, registered_delivery: int, port: int) -> int:
    """Return how many were accepted."""
    loop = asyncio.get_running_loop()
    numbers = list(islice(answered_numbers(TEXT), options.messages))
    _, client = await loop.create_connection(
        lambda: BareLoop(numbers, options.window, registered_delivery=registered_delivery), "127.0.0.1", port
    )
    with measured(Case("smsc", f"a bare loop, window of {options.window}, {name}", options.messages)):
        await client.done
    client.close()
    return client.statuses.get(0, 0)
