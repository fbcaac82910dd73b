import asyncio
import socket
from unittest.mock import Mock

import pytest

from core.gateways.smpp.pdu import Bind, Command, pdu
from core.gateways.smpp.session import link
from core.gateways.smpp.session.link import Link, Target

ENQUIRY = pdu(Command.ENQUIRE_LINK, 1)
ENQUIRIES = ENQUIRY * 1_000


def test_an_smsc_that_asks_without_an_end_and_reads_nothing_fills_no_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(link, "WRITE_MOST", 1 << 16)

    async def ask(theirs: socket.socket, most: int) -> int:
        """Send enquiries until nobody reads them any more; return how many octets went."""
        sent = stuck = 0
        while sent < most and stuck < 1_000:
            await asyncio.sleep(0)
            try:
                sent += theirs.send(ENQUIRIES[sent % len(ENQUIRY) :])
                stuck = 0
            except BlockingIOError:
                stuck += 1
        return sent

    async def scenario() -> tuple[int, int]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        target = Target("smsc.example", 2775, Bind(Command.BIND_TRANSCEIVER, "user", "secret"), window=10)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: Link(target, Mock()), sock=ours)
        # Buffers of the system take a few hundred KiB.
        unread = await ask(theirs, 8 << 20)
        answered = 0
        while answered < unread // 2:
            await asyncio.sleep(0)
            try:
                answered += len(theirs.recv(1 << 16))
            except BlockingIOError:
                continue
        again = await ask(theirs, 1 << 10)
        transport.abort()
        theirs.close()
        return unread, again

    unread, again = asyncio.run(asyncio.wait_for(scenario(), 60))
    assert unread < 4 << 20
    assert again > 0
