"""Rolling up: keeping the rollups up to date, and proving that they equal the messages."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from threading import Event

from core.domain.people.permissions import Permission, Viewer
from core.history.rollups.rollups import Rollups
from core.services.upkeep.settled import Settled
from core.state.engine.store import State
from core.state.people import users

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verified:
    """A month of a calendar whose rollups were compared: *difference_count* rows were in one and not in the other."""

    calendar: str
    month: date
    difference_count: int


class RollingUp:
    """Statistics are exact without it, and fast with it. Running it twice, or in two places, does no harm."""

    def __init__(self, state: State, rollups: Rollups, settled: Settled, stop: Event | None = None) -> None:
        """Take the stores, what remembers that nothing is to be done, and what ends `refresh` after its month."""
        self._state = state
        self._rollups = rollups
        self._settled = settled
        self._stop = stop or Event()

    def refresh(self) -> None:
        """Fold what was logged, then build the months that are missing for the zones people live in, newest first."""
        with self._state.read() as session:
            zones = users.list_time_zones(session)
        seen = self._settled.look(*sorted(zones))
        if seen is None:
            return
        is_logged = self._rollups.count_logged() > 0
        if is_logged:
            self._rollups.fold()
        unbuilt = self._rollups.list_unbuilt(zones)
        for month in unbuilt:
            if self._stop.is_set():
                return
            self._rollups.build(month)
        if not (is_logged or unbuilt):
            self._settled.found_nothing(seen)

    def verify(self, viewer: Viewer, *, repair: bool) -> Iterator[Verified]:
        """
        Compare every month with its messages, and build anew what differs if it shall be repaired.

        Raises: Forbidden: the viewer may not look into the audit.
        """
        viewer.require(Permission.AUDIT)
        return self._verify(repair=repair)

    def _verify(self, *, repair: bool) -> Iterator[Verified]:
        for month, difference_count in self._rollups.verify():
            if difference_count:
                log.error(
                    "rollup_differs",
                    extra={"calendar": month.calendar, "month": month.month.isoformat(), "rows": difference_count},
                )
                if repair:
                    self._rollups.build(month, again=True)
            yield Verified(month.calendar, month.month, difference_count)
