"""An SMSC in a thread that does what a test says, and remembers what it got."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from itertools import count
from typing import Self

from core.gateways.smpp.pdu import (
    BINDS,
    RESPONSE,
    Bind,
    Command,
    Frames,
    FramingError,
    Pdu,
    Status,
    pdu,
    read_bind,
    response,
    text,
)


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, smsc: "ScriptedSmsc") -> None:
        self.smsc = smsc
        self.frames = Frames()
        self.transport: asyncio.Transport | None = None
        self.sequence = count(1)

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.smsc.sessions.append(self)
        self.smsc.connected_count += 1

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.smsc.sessions:
            self.smsc.sessions.remove(self)

    def data_received(self, data: bytes) -> None:
        try:
            frames = self.frames.feed(data)
        except FramingError:
            self.transport.abort()
            return
        for frame in frames:
            self.take(frame)

    def take(self, frame: Pdu) -> None:
        smsc = self.smsc
        if frame.command in BINDS:
            smsc.binds.append(read_bind(frame))
            smsc.on_bind(self, frame)
        elif frame.command == Command.SUBMIT_SM:
            smsc.submits.append(frame)
            smsc.most_waiting = max(smsc.most_waiting, len(smsc.submits) - smsc.answered_count)
            smsc.on_submit(self, frame)
        elif frame.command == Command.ENQUIRE_LINK:
            smsc.enquired_count += 1
            if smsc.answers_enquiries:
                self.say(response(frame))
        elif frame.command == Command.UNBIND:
            smsc.unbound_count += 1
            self.say(response(frame))
            self.transport.close()
        elif frame.command & RESPONSE:
            smsc.responses.append(frame)

    def say(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def answer(self, frame: Pdu, status: int = Status.OK, message_id: str = "") -> None:
        self.smsc.answered_count += 1
        theirs = message_id or f"id-{frame.sequence}-{id(self) % 1000}"
        self.say(response(frame, text(theirs) if not status else b"", status))

    def deliver(self, body: bytes) -> int:
        sequence = next(self.sequence)
        self.say(pdu(Command.DELIVER_SM, sequence, body))
        return sequence


class ScriptedSmsc:
    """Listens on a free port; replace `on_bind` and `on_submit`, which run in its loop."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.sessions: list[Session] = []
        self.binds: list[Bind] = []
        self.submits: list[Pdu] = []
        self.responses: list[Pdu] = []
        self.connected_count = self.enquired_count = self.unbound_count = self.answered_count = self.most_waiting = 0
        self.answers_enquiries = True
        self.on_bind: Callable[[Session, Pdu], None] = lambda session, frame: session.say(response(frame, text("smsc")))
        self.on_submit: Callable[[Session, Pdu], None] = lambda session, frame: session.answer(frame)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop_listening()
        self.drop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def listen(self) -> None:
        """Open the port, the same one again after `stop_listening`."""

        async def begin() -> asyncio.Server:
            return await self._loop.create_server(lambda: Session(self), "127.0.0.1", self.port, ssl=self._tls)

        self._server = asyncio.run_coroutine_threadsafe(begin(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Close the port; connections stay."""
        self.in_loop(self._server.close)

    def drop(self) -> None:
        """Break every connection."""
        self.in_loop(lambda: [session.transport.abort() for session in [*self.sessions]])

    def in_loop(self, call: Callable[[], object]) -> None:
        """Do it where the sessions live, and wait for it."""

        async def do() -> None:
            call()
            # What a broken connection leaves behind is done with in the next rounds.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(do(), self._loop).result()

    def deliver(self, body: bytes) -> int:
        """Say a deliver_sm on the newest connection; return its sequence number."""
        sequences: list[int] = []
        self.in_loop(lambda: sequences.append(self.sessions[-1].deliver(body)))
        return sequences[0]
