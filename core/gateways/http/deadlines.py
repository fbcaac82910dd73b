"""
One time limit for a whole request, whatever piece of it is slow.

A timeout of httpx is for one piece that is read or written, and there could be any number of them: a head that comes
octet by octet, "102 Processing" again and again, a body that does not end. So each piece gets what is left of the
whole.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

# Written at once: in between it is looked at how much time is left.
_PIECE = 16 << 10


class Deadline:
    """Until when what the present thread asks has to be over, by the clock that nobody sets."""

    def __init__(self) -> None:
        """Set none: each thread has its own."""
        self._of_thread = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let what the thread asks inside end after so many seconds."""
        self._of_thread.until_s = time.monotonic() + seconds
        try:
            yield
        finally:
            self._of_thread.until_s = None

    def cut(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
        """Return what is left of *timeout* seconds for one piece. Raises: *error*: nothing is."""
        until_s: float | None = getattr(self._of_thread, "until_s", None)
        if until_s is None:
            return timeout
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            raise error("the time for the whole request is over")
        return left_s if timeout is None else min(timeout, left_s)


class BoundedTransport(httpx.HTTPTransport):
    """Connections whose every read and write keeps to the deadline of the thread that asks."""

    def __init__(self, deadline: Deadline, tls: ssl.SSLContext, limits: httpx.Limits) -> None:
        """Take the deadline, whom to trust, and how many connections are kept; nothing connects."""
        super().__init__(verify=tls, trust_env=False, limits=limits)
        # httpx has no parameter for what httpcore reads and writes by.
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(deadline),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        return _Stream(self._plain.connect_tcp(host, port, timeout, local_address, socket_options), self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._plain = plain
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, self._deadline.cut(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            left_s = self._deadline.cut(timeout, httpcore.WriteTimeout)
            self._plain.write(buffer[start : start + _PIECE], left_s)

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
