"""The places: processes that serve pages, started anew when they end."""

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from core.web.front.serving import KEPT, MOVED, REPORT, TRACE_SIGNAL

log = logging.getLogger(__name__)

# A place that has not said that it serves within so many starts in a row never will.
MOST_STARTS = 3
# Between two starts of a place, and where it did not come so far as to serve; and how long one may take to end.
PAUSE_S, LONG_PAUSE_S, END_S = 0.5, 5.0, 15.0
# A place says every second how many it serves. One that has not for so long is stopped, or stuck.
SILENT_S = 5.0
# One that has not for so long will not by itself any more, and one that starts for so long never will: it is killed.
# Counted in looks, not by a clock: while the machine sleeps, or the front is stopped too, nobody can say anything.
STUCK_S, START_S, WATCH_S = 30.0, 180.0, 1.0
# For a process that is stuck to write down at what.
TRACE_S = 0.5


class PlacesFailed(Exception):
    """A place ended again and again before it served anybody."""


class PlaceProcess:
    """One place, whichever process it is just now."""

    def __init__(self, number: int, command: Callable[[int, int], list[str]], environment: Mapping[str, str]) -> None:
        """
        Take what the place is called, and how it is started.

        *command* is given the number and the handle of the socket that the process finds the front by.
        """
        self.number = number
        self._command = command
        self._environment = environment
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        # As it said last, and who was sent there since.
        self._connections = 0
        self._told_at_s = 0.0
        self.is_ready = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many connections it serves, about."""
        return self._connections

    @property
    def is_silent(self) -> bool:
        """Whether it serves, as far as anybody knows, but has not said so for a while."""
        return self.is_ready.is_set() and time.monotonic() - self._told_at_s > SILENT_S

    @property
    def pid(self) -> int | None:
        """The process it is just now."""
        return self._process.pid if self._process else None

    async def live(self) -> None:
        """
        Run the place until it is cancelled, one process after the other.

        Raises: PlacesFailed: no process ever came so far as to serve. Where one has, what keeps the next from it may
            pass, such as memory that is short, and other places serve people meanwhile.
        """
        starts, has_served = 0, False
        while True:
            starts += 1
            await self._run()
            if self.is_ready.is_set():
                starts, has_served = 0, True
            self.is_ready.clear()
            if starts >= MOST_STARTS and not has_served:
                raise PlacesFailed
            log.warning("place_ended", extra={"place": self.number})
            await asyncio.sleep(LONG_PAUSE_S if starts >= MOST_STARTS else PAUSE_S)

    def hand_over(self, connection: socket.socket, *, has_moved: bool) -> bool:
        """Give it a connection, which is closed here; return False when it cannot take one now."""
        if self._socket is None or not self.is_ready.is_set():
            return False
        try:
            socket.send_fds(self._socket, [MOVED if has_moved else KEPT], [connection.fileno()])
        except OSError:
            return False
        self._connections += 1
        connection.close()
        return True

    async def _run(self) -> None:
        ours, theirs = socket.socketpair()
        handle = theirs.fileno()
        try:
            ours.setblocking(False)
            self._process = await asyncio.create_subprocess_exec(
                *self._command(self.number, handle),
                env=self._environment,
                pass_fds=(handle,),
                # A terminal's Ctrl-C is the front's, which ends the places.
                process_group=0,
            )
            theirs.close()
            self._socket, self._connections = ours, 0
            await self._watch(asyncio.ensure_future(self._listen(ours)))
        finally:
            self._socket = None
            ours.close()
            theirs.close()
            await self._end()

    async def _watch(self, listening: asyncio.Future[None]) -> None:
        """Return when the process has ended, or has said nothing for so long that it is killed."""
        silent_s, told_at_s = 0.0, self._told_at_s
        try:
            while not listening.done():
                await asyncio.wait({listening}, timeout=WATCH_S)
                silent_s = silent_s + WATCH_S if self._told_at_s == told_at_s else 0.0
                told_at_s = self._told_at_s
                if silent_s >= (STUCK_S if self.is_ready.is_set() else START_S):
                    log.warning("place_stuck", extra={"place": self.number, "seconds": round(silent_s)})
                    await self._kill()
                    return
        finally:
            listening.cancel()

    async def _kill(self) -> None:
        """End it at once: one that is stopped, or never comes back from a call, hears no other signal."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(TRACE_SIGNAL)
                await asyncio.sleep(TRACE_S)
                self._process.kill()

    async def _listen(self, ours: socket.socket) -> None:
        """Take its reports until it ends."""
        loop, waiting = asyncio.get_running_loop(), b""
        while True:
            try:
                told = await loop.sock_recv(ours, 4096)
            except OSError:
                return
            if not told:
                return
            waiting += told
            whole = len(waiting) // REPORT.size * REPORT.size
            if whole:
                (self._connections,) = REPORT.unpack(waiting[whole - REPORT.size : whole])
                waiting = waiting[whole:]
                self._told_at_s = time.monotonic()
                self.is_ready.set()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_S)
            except TimeoutError:
                log.warning("place_killed", extra={"place": self.number})
                process.kill()
                await process.wait()
        self._process = None


def command_of(count: int) -> Callable[[int, int], list[str]]:
    """Return how one of so many places is started."""
    return lambda number, handle: [
        sys.executable,
        "-m",
        "core.web.front.serving",
        str(number),
        str(count),
        str(handle),
    ]


def environment_of(host: str, port: int, upload_max_mib: int, cookie_secret: str) -> dict[str, str]:
    """Return the environment of a place: Streamlit is told what `make run` tells it of one process."""
    told = {
        "STREAMLIT_SERVER_ADDRESS": host,
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(upload_max_mib),
        "STREAMLIT_SERVER_COOKIE_SECRET": cookie_secret,
    }
    return {**told, **os.environ}
