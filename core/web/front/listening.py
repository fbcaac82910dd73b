"""
Listening: whoever comes is looked at, and handed over to a place.

The first request's head is peeked at, never read: the place gets the connection as it came, with the browser's own
address, and nothing stands between the two any more.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress

from core.domain.people.browsers import network_of
from core.web.front.heads import MOST_BYTES, find_place, find_refusal, is_whole
from core.web.front.places import PlaceProcess
from core.web.guard.proxies import Network, is_trusted

log = logging.getLogger(__name__)

# Who has not sent a head within so long is let go, and who waits longest when so many wait.
HEAD_S, MOST_WAITING = 10.0, 1_000
# So many may wait of one address (of IPv6 a network): browsers open some connections ahead, and companies share one.
MOST_WAITING_EACH = 200
# For who is refused to hear it, and how much is dropped of what still comes meanwhile.
REFUSED_S, DROPPED_BYTES = 2.0, 1 << 20
# Until some place takes somebody; and how long that is left to one's own place, when it says nothing.
TAKE_S, SILENT_PATIENCE_S = 10.0, 5.0
# Between two looks at a place that is busy, and between the first two at a head that came in pieces.
LOOK_S = 0.02
# Between the last two: a thousand strangers who send half a head must not keep the front busy.
SELDOM_S = 1.0
BACKLOG = 2_048


class Listening:
    """Hands over who comes to one address."""

    def __init__(
        self, listener: socket.socket, places: Sequence[PlaceProcess], cookie: str, trusted: Sequence[Network] = ()
    ) -> None:
        """
        Take a bound socket, the places by number, and the name of the place's cookie.

        *trusted* are proxies, behind whose addresses anybody may be.
        """
        self._listener = listener
        self._places = places
        self._cookie = cookie
        self._trusted = trusted
        # In the order in which they came, each with where it came from; "" for a proxy.
        self._waiting: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Take who comes, until it is cancelled."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        # Those that are accepted inherit it; uvicorn would set it only for sockets that it has made itself.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener.listen(BACKLOG)
        try:
            while True:
                try:
                    connection, peer = await loop.sock_accept(self._listener)
                except OSError:
                    # Too many files are open, perhaps fewer than may wait.
                    log.warning("connection_not_taken", exc_info=True)
                    await self._make_room()
                    continue
                self._admit(connection, str(peer[0]))
                # Where more wait to be taken, the loop would come to nothing else until it has all of them.
                await asyncio.sleep(0)
        finally:
            for task in list(self._waiting):
                task.cancel()

    async def _make_room(self) -> None:
        first = next(iter(self._waiting), None)
        if first is None:
            await asyncio.sleep(LOOK_S)
            return
        first.cancel()
        await asyncio.wait({first})

    def _admit(self, connection: socket.socket, address: str) -> None:
        source = "" if is_trusted(address, self._trusted) else network_of(address)
        same = [task for task, other in self._waiting.items() if other == source] if source else []
        if len(same) >= MOST_WAITING_EACH:
            self._let_go(same[0])
        elif len(self._waiting) >= MOST_WAITING:
            self._let_go(next(iter(self._waiting)))
        task = asyncio.ensure_future(self._place(connection))
        self._waiting[task] = source
        task.add_done_callback(lambda done: self._waiting.pop(done, None))

    def _let_go(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        # At once: whoever comes before it has ended would be made room for by the same one.
        self._waiting.pop(task, None)

    async def _place(self, connection: socket.socket) -> None:
        try:
            async with asyncio.timeout(HEAD_S):
                head = await _peek(connection)
            if head and (refusal := find_refusal(head)):
                await _refuse(connection, refusal)
            elif head:
                await self._hand_over(connection, find_place(head, self._cookie))
        except (TimeoutError, OSError):
            # Nothing came, or the browser has left.
            return
        finally:
            connection.close()

    async def _hand_over(self, connection: socket.socket, number: int | None) -> None:
        known = None if number is None or number >= len(self._places) else self._places[number]
        loop = asyncio.get_running_loop()
        patient_until_s = loop.time() + SILENT_PATIENCE_S
        async with asyncio.timeout(TAKE_S):
            while known is not None and known.is_ready.is_set():
                if known.is_silent and loop.time() >= patient_until_s:
                    break
                if not known.is_silent and known.hand_over(connection, has_moved=False):
                    return
                # It is busy: a page that is moved loses what was typed into it.
                await asyncio.sleep(LOOK_S)
            while True:
                # Whoever is given to one that is stuck waits for as long as it is.
                for place in sorted(self._places, key=lambda place: (place.is_silent, place.connections)):
                    if place.hand_over(connection, has_moved=known is not None and place is not known):
                        return
                await asyncio.sleep(LOOK_S)


async def _peek(connection: socket.socket) -> bytes:
    """Return the head of the first request without taking it; b"" when the browser has left."""
    loop, pause_s = asyncio.get_running_loop(), LOOK_S
    connection.setblocking(False)
    while True:
        readable = loop.create_future()
        loop.add_reader(connection.fileno(), _notice, readable)
        try:
            await readable
        finally:
            loop.remove_reader(connection.fileno())
        head = connection.recv(MOST_BYTES, socket.MSG_PEEK)
        if not head or is_whole(head):
            return head
        # What is there already makes it readable at once: the rest is waited for by the clock.
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, SELDOM_S)


async def _refuse(connection: socket.socket, refusal: bytes) -> None:
    """Say no, and wait until it was heard: what is left unread when a connection is closed takes the answer away."""
    loop, left = asyncio.get_running_loop(), DROPPED_BYTES
    async with asyncio.timeout(REFUSED_S):
        await loop.sock_sendall(connection, refusal)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while left > 0 and (dropped := await loop.sock_recv(connection, MOST_BYTES)):
            left -= len(dropped)


def _notice(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)
