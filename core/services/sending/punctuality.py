"""Punctuality: how much time this process needs from a booking to the first message, and how late any may be."""

import threading
from collections.abc import Callable, Collection, Sequence

from core.domain.messages.messages import OutboundMessage

# In cells: how long after a booking its first message leaves, and how late any may be. They grow where too many are
# late, and shrink again after so many seconds without. A cell of patience costs a two-hundredth of a limit for good, a
# late message a little work.
LEAD_FIRST, LEAD_MOST = 2, 64
PATIENCE_LEAST, PATIENCE_MOST = 2, 64
TOO_LATE = 0.05
LOOK_S, CALM_S = 2.0, 5.0


class Punctuality:
    """One per process: its threads share a processor, and so are late together."""

    def __init__(self, steady_s: Callable[[], float]) -> None:
        """Take a clock in seconds that nobody sets."""
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._lead, self._patience = 0, PATIENCE_LEAST
        self._calm_since_s = self._looked_at_s = steady_s()
        self._count = self._late_count = 0

    def needs(self) -> tuple[int, int]:
        """Return the lead and the patience, in cells, that the next messages are to have; see `Terms`."""
        with self._lock:
            return self._lead, self._patience

    def note(self, claimed: Sequence[OutboundMessage], late_ids: Collection[str]) -> None:
        """Learn from which of a window's messages, one or more, were late how much time the next ones need."""
        now_s = self._steady_s()
        with self._lock:
            self._count += len(claimed)
            self._late_count += len(late_ids)
            is_all_late = len(late_ids) == len(claimed)
            if now_s - self._looked_at_s < LOOK_S and not is_all_late:
                return
            share = self._late_count / self._count
            self._count = self._late_count = 0
            self._looked_at_s = now_s
            if is_all_late or share > TOO_LATE:
                self._calm_since_s = now_s
                self._grow(began_late=claimed[0].message_id in late_ids)
            elif now_s - self._calm_since_s >= CALM_S:
                self._calm_since_s = now_s
                self._lead, self._patience = self._lead // 2, max(PATIENCE_LEAST, self._patience // 2)

    def _grow(self, *, began_late: bool) -> None:
        # The first ones are late where the commit took long; the others where this process did.
        if began_late and self._lead < LEAD_MOST:
            self._lead = min(LEAD_MOST, max(LEAD_FIRST, 2 * self._lead))
        else:
            self._patience = min(PATIENCE_MOST, 2 * self._patience)
