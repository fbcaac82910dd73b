"""
Where time enters Heliograph; everything below is told.

The state store is the referee: web processes and workers on several machines go by the same clock, whatever their own
ones say. Between two looks at it time goes on by the machine's steady clock, which nobody sets.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import StorageError

log = logging.getLogger(__name__)

# Readings of one clock differ by how long each took on its way. Time does not go back for that: it waits.
JITTER = timedelta(seconds=1)
# Further ahead than what is known, the store's clock was set: no steady clock loses so much between two looks.
STEP = timedelta(seconds=0.1)
# Between two looks of a process that has no pulse.
EVERY_S = 1.0


class StoreClock:
    """The store's time; safe to share between threads. Until the first `set` it is the machine's."""

    def __init__(self, ask: Callable[[], datetime], steady_s: Callable[[], float] = time.monotonic) -> None:
        """Take who tells the store's time, and a clock in seconds that only goes forward."""
        self._ask = ask
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._at, self._at_s = datetime.now(UTC), steady_s()
        self._last = self._at
        self._is_set = False
        self._stepped_s = -math.inf

    def __call__(self) -> datetime:
        """Return the present moment, aware; never an earlier one than before, unless the store's clock was set back."""
        with self._lock:
            return self._tell()

    def set(self) -> datetime:
        """
        Go by the store's time from now on, and return it.

        Raises: StorageError: it does not answer; time goes on without it.
        """
        asked_s = self._steady_s()
        told = self._ask()
        with self._lock:
            now_s = self._steady_s()
            told = self._weigh(told, timedelta(seconds=now_s - asked_s), now_s)
            off = told - self._tell()
            if self._is_set and not -JITTER <= off <= STEP:
                self._stepped_s = now_s
            if off < -JITTER and self._is_set:
                log.warning("clock_set_back", extra={"seconds": round(-off.total_seconds(), 1)})
            if off < -JITTER:
                self._last = told
            self._at, self._at_s, self._is_set = told, now_s, True
            return self._tell()

    def read_stepped_s(self) -> float:
        """Return for how many seconds this process has known that somebody set the store's clock; endless if never."""
        with self._lock:
            return self._steady_s() - self._stepped_s

    def keep_set(self, stop: threading.Event) -> None:
        """Go by the store's time until *stop* is set; for a thread of its own."""
        while True:
            try:
                self.set()
            except StorageError:
                # Its repetitions are counted; time goes on without the store.
                log.warning("clock_not_set", exc_info=True)
            if stop.wait(EVERY_S):
                return

    def _weigh(self, told: datetime, way: timedelta, now_s: float) -> datetime:
        """
        Return what time it is now if the store *told* that one at some moment of the *way* there and back.

        A slow answer says little, and an earlier one that was fast may say more: of the moments that are possible it is
        the one nearest to what is known. Workers on one machine so go by times that differ by less than a millisecond.
        """
        if not self._is_set:
            return told + way / 2
        known = self._at + timedelta(seconds=now_s - self._at_s)
        return min(max(known, told), told + way)

    def _tell(self) -> datetime:
        self._last = max(self._last, self._at + timedelta(seconds=self._steady_s() - self._at_s))
        return self._last


def set_off(ask: Callable[[], datetime], path: Path) -> Callable[[], datetime]:
    """
    Return who tells what *ask* does, off by the seconds that stand in the file: a clock that somebody sets.

    It raises `StorageError` when the file cannot be read.
    """

    def tell() -> datetime:
        try:
            return ask() + timedelta(seconds=float(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"The file {path} does not say by how much the clock is off.",
                hint="Leave HELIOGRAPH_CLOCK_FILE empty: it is for proofs only.",
            ) from error

    return tell
