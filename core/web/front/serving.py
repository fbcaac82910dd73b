"""
What runs in one place: uvicorn over the pages, with connections that are handed over instead of a port.

`python -m core.web.front.serving NUMBER COUNT FD`: FD is a Unix socket to the front. A byte comes over it with each
connection; every second the place says back how many it serves.
"""

import asyncio
import faulthandler
import logging
import os
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string

from core.config import Settings
from core.domain.people.browsers import network_of
from core.logs import REPEATS_S
from core.web.front.in_place import InPlace
from core.web.guard.proxies import Network, is_trusted, parse_networks

log = logging.getLogger(__name__)

APP = "Home:app"
# Comes with the connection of a browser whose own place is gone; with all others comes `KEPT`.
MOVED, KEPT = b"m", b"k"
REPORT = struct.Struct("!I")
# Upon it, a process writes to standard error what each of its threads is at, even if it is stuck.
TRACE_SIGNAL = signal.SIGUSR1
# So many connections may an address have to one process, of IPv6 a network: a company may share one, and each of its
# people has some half a dozen.
MOST_EACH = 1_000
# As many reports a second as uvicorn has ticks in one.
_TICKS = 10
# As Streamlit has it: seconds between two questions whether the browser is there, and for the answer.
_PING_S = 30.0
# For what is being answered when the place ends.
_LEAVE_S = 5
_MOST_MESSAGE_BYTES = 200 * 10**6


class Place(uvicorn.Server):
    """A server without a port of its own."""

    def __init__(
        self, kept: uvicorn.Config, moved: uvicorn.Config, front: socket.socket, trusted: Sequence[Network] = ()
    ) -> None:
        """
        Take the two ways to serve, for who belongs here and who has moved here, and the socket to the front.

        *trusted* are proxies, behind whose addresses anybody may be.
        """
        super().__init__(kept)
        self._ways = {KEPT: kept, MOVED: moved}
        self._front = front
        self._trusted = trusted
        self._opening: set[asyncio.Task[object]] = set()
        # Connections that were not served, by what is said of them, and from when on it is said again.
        self._untold = Counter[str]()
        self._tell_again_s: dict[str, float] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Start the pages, then take what the front hands over."""
        await super().startup(sockets=[])
        for way in self._ways.values():
            if not way.loaded:
                way.load()
            # Streamlit has just set up uvicorn's logs as well, with a line for each request.
            way.configure_logging()
        self._front.setblocking(False)
        asyncio.get_running_loop().add_reader(self._front.fileno(), self._take)
        self._report()

    async def on_tick(self, counter: int) -> bool:
        """Say once a second how many connections there are."""
        if counter % _TICKS == 0:
            self._report()
        return await super().on_tick(counter)

    def _report(self) -> None:
        try:
            self._front.send(REPORT.pack(len(self.server_state.connections)))
        except BlockingIOError:
            # The front is busy; the next report says more.
            return
        except OSError:
            self._end()

    def _take(self) -> None:
        try:
            marks, handles, _, _ = socket.recv_fds(self._front, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            marks, handles = b"", []
        if not marks:
            self._end()
            return
        if not handles:
            # Linux passes on the byte alone, and closes the connection: the browser sees that it was broken off.
            self._tell("connection_not_taken", "too many files are open in this process")
        for handle in handles:
            # As Python makes its own: what a page starts must not keep a connection open that has ended here.
            os.set_inheritable(handle, False)
            task = asyncio.ensure_future(self._open(self._ways[marks], socket.socket(fileno=handle)))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _tell(self, event: str, hint: str) -> None:
        """Write it down the first time, and then how often it came: whoever connects must not fill a disk with it."""
        self._untold[event] += 1
        now_s = time.monotonic()
        if now_s >= self._tell_again_s.get(event, now_s):
            log.warning(event, extra={"connections": self._untold.pop(event), "hint": hint})
            self._tell_again_s[event] = now_s + REPEATS_S

    def _has_too_many(self, address: str) -> bool:
        """Return whether the address, of IPv6 its network, has as many connections here as it may."""
        # Counted where there are so many at all, which is seldom: it takes a while.
        if len(self.server_state.connections) < MOST_EACH or is_trusted(address, self._trusted):
            return False
        source = network_of(address)
        clients = (getattr(connection, "client", None) for connection in self.server_state.connections)
        return sum(client is not None and network_of(client[0]) == source for client in clients) >= MOST_EACH

    async def _open(self, way: uvicorn.Config, connection: socket.socket) -> None:
        try:
            address = str(connection.getpeername()[0]) if connection.family != socket.AF_UNIX else ""
        except OSError:
            # The browser has left in the meantime.
            connection.close()
            return
        if address and self._has_too_many(address):
            self._tell("connection_refused", "an address has as many as it may")
            connection.close()
            return
        connection.setblocking(False)
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = way.http_protocol_class(  # type: ignore[call-arg]
                config=way, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            return made

        try:
            await loop.connect_accepted_socket(protocol, connection)
        except OSError:
            # The browser has left in the meantime.
            connection.close()

    def _end(self) -> None:
        # Without a front nobody comes any more.
        asyncio.get_running_loop().remove_reader(self._front.fileno())
        self.should_exit = True


def _way(app: ASGIApp, settings: Settings, number: int, count: int, *, has_moved: bool) -> uvicorn.Config:
    return uvicorn.Config(
        InPlace(app, number=number, count=count, secure=settings.is_secure, has_moved=has_moved),
        ws="websockets-sansio",
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_max_size=_MOST_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        # `core.web.guard.proxies` believes proxies by the settings.
        proxy_headers=False,
        use_colors=False,
        access_log=False,
        timeout_graceful_shutdown=_LEAVE_S,
        log_level="warning",
    )


def main() -> None:
    """Serve until the front ends, or a signal comes."""
    number, count, handle = map(int, sys.argv[1:4])
    front = socket.socket(fileno=handle)
    # What a page starts must not keep the front from hearing that this process has ended.
    os.set_inheritable(handle, False)
    faulthandler.register(TRACE_SIGNAL)
    settings = Settings.from_environment()
    app = import_from_string(APP)
    kept, moved = (_way(app, settings, number, count, has_moved=moved) for moved in (False, True))
    Place(kept, moved, front, parse_networks(settings.trusted_proxies)).run()


if __name__ == "__main__":
    main()
