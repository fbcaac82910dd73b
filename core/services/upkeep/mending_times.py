"""Mending times: what was stored before the clock was set back holds nothing up until the old time returns."""

import logging
from collections.abc import Callable
from datetime import datetime

from core.state.engine.store import State
from core.state.upkeep.mending import Furthest, mend_times

log = logging.getLogger(__name__)


class MendingTimes:
    """Looks again and again whether any time lies further ahead than it can."""

    def __init__(self, state: State, furthest: Furthest) -> None:
        """Take the store, and how far ahead of now each kind of time can lie."""
        self._state = state
        self._furthest = furthest

    def run(self, clock: Callable[[], datetime]) -> None:
        """Bring such times back; twice, or in two workers at once, does no harm."""
        with self._state.write() as session:
            mended_count = mend_times(session, clock(), self._furthest)
        if mended_count:
            log.warning("times_mended", extra={"times": mended_count})
