"""
Booking again: moments for what a gateway hands over once more, while a sub-window is under way.

Halves of a request that was refused as a whole, parts of a long message that came too fast, the one message that tries
whether a provider answers again: each leaves another time than was booked, and counts another time.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from core.errors import StorageError
from core.gateways.base import Observed
from core.services.sending.pacing import BatchPacing, Slots
from core.state.accounts import accounts
from core.state.engine.store import State

log = logging.getLogger(__name__)

# The longest nap between two tries.
NAP_MAX_S = 0.5


class BookingAgain:
    """Of one lease of a batch. The threads of its gateway share it, while the batch's own waits for them."""

    def __init__(
        self,
        state: State,
        pacing: BatchPacing,
        account_id: str,
        stop: threading.Event,
        lasts: timedelta,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the store, what paces the batch, whose limits it keeps to, what ends it, and how long to insist."""
        self._state = state
        self._pacing = pacing
        self._account_id = account_id
        self._stop = stop
        self._lasts = lasts
        self._steady_s = steady_s
        self._lock = threading.Lock()

    def book(self, gateway: Observed, segment_count: int, /, *, is_patient: bool) -> tuple[float, float] | None:
        """
        Book a moment for *segment_count* segments by the gateway, waiting for one that may be booked.

        Returns: As `core.gateways.departing.BookAgain`; None when the worker stops, or the store does not answer for as
        long as a lease lasts.
        """
        until_s = self._steady_s() + self._lasts.total_seconds()
        while not self._stop.is_set():
            try:
                slots = self._try(gateway, segment_count, is_patient=is_patient)
            except StorageError:
                log.warning("moment_not_booked", extra={"gateway": gateway.name}, exc_info=True)
                if self._steady_s() > until_s:
                    break
                slots = Slots(wait_s=NAP_MAX_S)
            if slots.messages:
                return slots.schedule.first
            self._stop.wait(min(slots.wait_s, NAP_MAX_S))
        return None

    def _try(self, gateway: Observed, segment_count: int, *, is_patient: bool) -> Slots:
        with self._lock, self._state.write() as session:
            rate_tps = accounts.lock_paced(session, self._account_id).rate_tps
            return self._pacing.book_one(session, rate_tps, gateway, segment_count, is_patient=is_patient)
