"""
Not asking a provider that gives no answers, or none that one understands.

What is asked of it then is unknown, and never sent again by itself: an hour of errors from a proxy in front of it would
cost a campaign. So after some such requests in a row one at a time tries whether that is over, ever later.
"""

import threading
import time
from collections.abc import Callable

from core.errors import Unavailable

# Seconds until the first that tries, doubled every time it comes to nothing.
PAUSE_FIRST_S, PAUSE_MOST_S = 2.0, 60.0
FEWEST = 3


class Breaker:
    """Counts the requests in a row of which nothing is known. Threads share it."""

    def __init__(self, gateway: str, most: int, fault: str, steady_s: Callable[[], float] = time.monotonic) -> None:
        """
        Take the gateway's name, how many such requests in a row are too many, what to say then, and a steady clock.

        *most* is at least what may be under way at once, or a single lost connection would do. Below `FEWEST` it is
        `FEWEST`; *steady_s* is in seconds, and nobody sets it.
        """
        self._gateway = gateway
        self._most = max(most, FEWEST)
        self._fault = fault
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._count = 0
        self._pause_s = PAUSE_FIRST_S
        self._again_at_s = 0.0

    def enter(self) -> bool:
        """Let a request begin; return whether it is one that tries. Raises: Unavailable: it is too early for that."""
        with self._lock:
            if self._count < self._most:
                return False
            now_s = self._steady_s()
            if now_s < self._again_at_s:
                raise Unavailable(
                    self._fault,
                    gateway=self._gateway,
                    retry_after_s=min(self._again_at_s - now_s, PAUSE_FIRST_S),
                )
            # This one tries it, the others wait for what comes of it.
            self._put_off(now_s)
            return True

    def leave(self, *, is_known: bool) -> None:
        """Take that a request that began has ended, and whether anything is known of what was asked."""
        with self._lock:
            if is_known:
                self._count, self._pause_s, self._again_at_s = 0, PAUSE_FIRST_S, 0.0
                return
            self._count += 1
            if self._count == self._most:
                self._put_off(self._steady_s())

    def try_now(self) -> None:
        """Let the next request try it, however long the pause would still be, and the pauses after it begin anew."""
        with self._lock:
            self._pause_s, self._again_at_s = PAUSE_FIRST_S, 0.0

    def _put_off(self, now_s: float) -> None:
        self._again_at_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, PAUSE_MOST_S)
