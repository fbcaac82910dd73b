"""
A link: one bind to an SMSC, kept up for as long as its gateway is wanted.

It belongs to one event loop and is used from nowhere else. What it is given leaves at once; who gives keeps to `room`.
Whatever has left and got no answer is told as lost when the connection is: it may have been taken.
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.gateways.sights import LinkStatus
from core.domain.words.counting import count_of
from core.gateways.smpp.pdu import (
    RESPONSE,
    Bind,
    Command,
    Frames,
    FramingError,
    Pdu,
    Status,
    next_sequence,
    pdu,
    response,
)
from core.gateways.smpp.session.faults import BindRefused, describe

# Between two tries to connect: doubled each time, and never a whole round number, so that many do not come at once.
PAUSE_FIRST_S, PAUSE_MOST_S = 0.5, 30.0
# A bind that lasted so long was a good one: the next pause is the first again.
GOOD_S = 10.0
# For the answer to an unbind; nothing hangs on it.
UNBIND_S = 2.0
# What waits here to be kept before the SMSC's own window closes; beyond it nothing more is read.
HEARD_MOST = 2_000
# Submits whose time was over and that may still be answered: of more the oldest are forgotten.
OVERDUE_MOST = 10_000
# Octets for an SMSC that does not read them; beyond it nothing more is read from it, or it could ask without an end.
WRITE_MOST = 4 << 20


@dataclass(frozen=True)
class Target:
    """Where and how a link binds; times in seconds. *window* is how many submits may wait for an answer."""

    host: str
    port: int
    bind: Bind
    window: int
    tls: ssl.SSLContext | None = None
    connect_s: float = 10.0
    response_s: float = 30.0
    enquire_s: float = 30.0

    @property
    def sends(self) -> bool:
        """Whether messages may be submitted on it."""
        return self.bind.mode is not Command.BIND_RECEIVER


class Ticket(Protocol):
    """What is submitted, as a link sees it: everything but header and sequence number."""

    @property
    def body(self) -> bytes:
        """The submit_sm without its header."""
        ...


class Owner(Protocol):
    """Whom a link tells what happens. All calls come from the event loop."""

    def ready(self) -> None:
        """There is room again, or a link more or less."""
        ...

    def answered(self, ticket: Ticket, status: int, message_id: bytes) -> None:
        """The SMSC has answered a submit."""
        ...

    def lost(self, ticket: Ticket) -> None:
        """No answer came in time, and most probably none will."""
        ...

    def answered_late(self, ticket: Ticket, message_id: bytes) -> None:
        """The SMSC has taken a submit that was told as lost; its connection is the same."""
        ...

    def heard(self, frame: Pdu, answer: Callable[[int], None]) -> None:
        """A deliver_sm or data_sm came; *answer* says its status to the SMSC, as long as the connection is the same."""
        ...


class Link(asyncio.Protocol):
    """One connection at a time, bound again and again."""

    def __init__(self, target: Target, owner: Owner) -> None:
        """Take where to bind, and whom to tell; `run` does it."""
        self.target = target
        self.status = LinkStatus.WAITING
        self.since = 0.0
        self.fault = ""
        # The status of the bind that was refused, 0 when the last one was not.
        self.refusal = 0
        self.submitted_count = self.heard_count = 0
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        # Set when the wait for the next try is to end.
        self._hurried = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._sequence = 0
        self._in_flight: dict[int, tuple[Ticket, float]] = {}
        self._overdue: dict[int, Ticket] = {}
        self._bound: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._heard_at = 0.0
        self._enquired_at = 0.0
        self._unanswered = 0
        self._is_full = False
        self._move(LinkStatus.WAITING)

    @property
    def in_flight(self) -> int:
        """How many submits wait for an answer."""
        return len(self._in_flight)

    @property
    def room(self) -> int:
        """How many more may be sent now."""
        if self.status is not LinkStatus.BOUND or not self.target.sends:
            return 0
        return self.target.window - len(self._in_flight)

    def send(self, tickets: Sequence[Ticket]) -> None:
        """Submit, at most `room` of them."""
        assert self._transport is not None
        now, frames = self._loop.time(), list[bytes]()
        for ticket in tickets:
            self._sequence = next_sequence(self._sequence)
            self._in_flight[self._sequence] = (ticket, now)
            frames.append(pdu(Command.SUBMIT_SM, self._sequence, ticket.body))
        self.submitted_count += len(tickets)
        self._transport.write(b"".join(frames))

    async def run(self) -> None:
        """Bind, and bind again when the connection is lost, until `close`."""
        pause_s = PAUSE_FIRST_S
        while not self._closing.is_set():
            began = self._loop.time()
            try:
                await self._connect()
                await self._until_gone()
            except (OSError, TimeoutError, BindRefused) as error:
                self.fault = describe(error, self.target.host, self.target.port)
                self.refusal = error.status if isinstance(error, BindRefused) else 0
            finally:
                self._drop()
            if self._loop.time() - began >= GOOD_S:
                pause_s = PAUSE_FIRST_S
            self._move(LinkStatus.WAITING)
            await self._wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret hangs on it
            pause_s = min(PAUSE_MOST_S, pause_s * 2)
        self._move(LinkStatus.CLOSED)

    def close(self) -> None:
        """Send nothing more, wait for the answers of what has left, then unbind; `run` ends with it."""
        self._closing.set()
        self._hurried.set()
        if self.status is LinkStatus.BOUND:
            self._move(LinkStatus.ENDING)
        self._end_if_answered()

    def hurry(self) -> None:
        """Connect at once, if it waits for its next try."""
        if self.status is LinkStatus.WAITING:
            self._hurried.set()

    def look_after(self) -> None:
        """Give up what has waited too long, and ask a silent SMSC whether it is there; called about twice a second."""
        now, target = self._loop.time(), self.target
        # Answers come in any order, but all wait equally long: the oldest is the first.
        while self._in_flight:
            sequence, (ticket, sent_at) = next(iter(self._in_flight.items()))
            if now - sent_at < target.response_s:
                break
            del self._in_flight[sequence]
            self._overdue[sequence] = ticket
            if len(self._overdue) > OVERDUE_MOST:
                del self._overdue[next(iter(self._overdue))]
            self.fault = f"A message got no answer in {count_of(round(target.response_s), 'second', 'seconds')}."
            self._owner.lost(ticket)
        self._end_if_answered()
        if self.status is not LinkStatus.BOUND:
            return
        if self._enquired_at and now - self._enquired_at >= target.response_s:
            self.fault = "The connection was silent: enquire_link got no answer."
            self._abort()
        elif not self._enquired_at and now - self._heard_at >= target.enquire_s:
            self._enquired_at = now
            self._say(Command.ENQUIRE_LINK)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin anew: what an earlier connection left behind is no part of this one."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=WRITE_MOST)
        self._transport, self._frames, self._is_full = transport, Frames(), False
        self._gone = self._loop.create_future()
        self._heard_at, self._enquired_at, self._unanswered = self._loop.time(), 0.0, 0

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._heard_at, self._enquired_at = self._loop.time(), 0.0
        try:
            frames = self._frames.feed(data)
        except FramingError as error:
            self.fault = f"The other side does not speak SMPP. {error}"
            self._abort()
            return
        had_room = self.room > 0
        answered = False
        for frame in frames:
            if frame.command == Command.SUBMIT_SM | RESPONSE or frame.command == Command.GENERIC_NACK:
                answered |= self._take_answer(frame)
            else:
                self._take(frame)
        if answered:
            self._end_if_answered()
        if answered or had_room != (self.room > 0):
            self._owner.ready()

    def pause_writing(self) -> None:
        """Read nothing more: the SMSC does not read either. If that lasts, an enquiry has no answer."""
        self._is_full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        self._is_full = False
        self._read_if_room()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell what is lost with it."""
        if error is not None:
            self.fault = describe(error, self.target.host, self.target.port)
        elif self.status is LinkStatus.BOUND and not self.fault:
            self.fault = "The SMSC closed the connection."
        self._drop()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._bound is not None and not self._bound.done():
            self._bound.set_exception(ConnectionResetError("The connection was closed during the bind."))

    async def _connect(self) -> None:
        target = self.target
        self._move(LinkStatus.CONNECTING)
        async with asyncio.timeout(target.connect_s):
            name = target.host if target.tls else None
            await self._loop.create_connection(
                lambda: self, target.host, target.port, ssl=target.tls, server_hostname=name
            )
        self._move(LinkStatus.BINDING)
        self._bound = self._loop.create_future()
        self._sequence = next_sequence(self._sequence)
        assert self._transport is not None
        self._transport.write(target.bind.encode(self._sequence))
        async with asyncio.timeout(target.response_s):
            await self._bound

    async def _until_gone(self) -> None:
        self.fault, self.refusal = "", 0
        self._move(LinkStatus.BOUND)
        self._owner.ready()
        if self._closing.is_set():
            self.close()
        assert self._gone is not None
        await self._gone

    def _take(self, frame: Pdu) -> None:
        if frame.command in (Command.DELIVER_SM, Command.DATA_SM):
            self._hear(frame)
        elif frame.command == Command.ENQUIRE_LINK:
            self._write(response(frame))
        elif frame.command == Command.UNBIND:
            self.fault = "The SMSC ended the session."
            self._write(response(frame))
            self._move(LinkStatus.ENDING)
            self._end_if_answered()
        elif frame.command == self.target.bind.mode | RESPONSE:
            self._take_bind_answer(frame)
        elif frame.command == Command.UNBIND | RESPONSE:
            self._abort()
        elif not frame.command & RESPONSE and frame.command != Command.ALERT_NOTIFICATION:
            self._write(pdu(Command.GENERIC_NACK, frame.sequence, status=Status.INVALID_COMMAND_ID))

    def _take_bind_answer(self, frame: Pdu) -> None:
        if self._bound is None or self._bound.done():
            return
        if frame.status == Status.OK:
            self._bound.set_result(None)
            # What comes right behind it, perhaps in the same segment, is of a link that is bound.
            self._move(LinkStatus.BOUND)
        else:
            self._bound.set_exception(BindRefused(frame.status))

    def _take_answer(self, frame: Pdu) -> bool:
        if frame.command == Command.GENERIC_NACK and self._bound is not None and not self._bound.done():
            self._bound.set_exception(BindRefused(frame.status))
            return False
        ticket, _ = self._in_flight.pop(frame.sequence, (None, 0.0))
        if ticket is None:
            # Its time was over, or a nack of nothing in particular.
            late = self._overdue.pop(frame.sequence, None)
            if late is not None and frame.command != Command.GENERIC_NACK and frame.status == Status.OK:
                self._owner.answered_late(late, frame.body.partition(b"\0")[0])
            return False
        status = frame.status
        if frame.command == Command.GENERIC_NACK and status == Status.OK:
            status = Status.SYSTEM_ERROR
        self._owner.answered(ticket, status, frame.body.partition(b"\0")[0])
        return True

    def _hear(self, frame: Pdu) -> None:
        transport = self._transport
        self.heard_count += 1
        self._unanswered += 1
        if transport is not None and self._unanswered >= HEARD_MOST:
            transport.pause_reading()

        def answer(status: int) -> None:
            if transport is not self._transport or transport is None or transport.is_closing():
                # Another connection: there it comes again.
                return
            transport.write(response(frame, b"\0", status))
            self._unanswered -= 1
            self._read_if_room()

        self._owner.heard(frame, answer)

    def _read_if_room(self) -> None:
        if self._transport is not None and self._unanswered < HEARD_MOST and not self._is_full:
            self._transport.resume_reading()

    def _say(self, command: Command) -> None:
        self._sequence = next_sequence(self._sequence)
        self._write(pdu(command, self._sequence))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end_if_answered(self) -> None:
        if self.status is LinkStatus.ENDING and not self._in_flight and self._transport is not None:
            self._say(Command.UNBIND)
            self._loop.call_later(UNBIND_S, self._abort_if, self._transport)
            self._move(LinkStatus.CLOSED if self._closing.is_set() else LinkStatus.WAITING)

    def _abort_if(self, transport: asyncio.Transport) -> None:
        if self._transport is transport:
            transport.abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _drop(self) -> None:
        """Let go of the connection, and tell what was lost with it."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        transport.abort()
        # Before anybody is told: nothing more may be sent on it.
        self._move(LinkStatus.WAITING)
        lost, self._in_flight, self._overdue = self._in_flight, {}, {}
        for ticket, _ in lost.values():
            self._owner.lost(ticket)
        self._owner.ready()

    async def _wait(self, seconds: float) -> None:
        if not self._closing.is_set():
            self._hurried.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._hurried.wait()
        except TimeoutError:
            return

    def _move(self, status: LinkStatus) -> None:
        if status is not self.status or not self.since:
            self.status, self.since = status, self._loop.time()
