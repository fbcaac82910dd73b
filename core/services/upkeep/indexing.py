"""Indexing: keeping the index of numbers up to date, and proving that it finds every message."""

import logging
from collections.abc import Iterator
from datetime import datetime
from threading import Event

from core.domain.people.permissions import Permission, Viewer
from core.history.numbers.number_index import MonthOfIndex, NumberIndex
from core.services.upkeep.settled import Settled

log = logging.getLogger(__name__)

# How many days are indexed in one turn. It keeps receipts and rollups of a worker with a year to catch up on near.
DAYS_AT_ONCE = 10


class Indexing:
    """Searches for numbers are exact without it, and fast with it. Running it twice, or in two places, does no harm."""

    def __init__(self, numbers: NumberIndex, settled: Settled, stop: Event | None = None) -> None:
        """Take the index, what remembers that nothing is to be done, and what ends `refresh` after its day."""
        self._numbers = numbers
        self._settled = settled
        self._stop = stop or Event()

    def refresh(self, now: datetime) -> None:
        """Index a few of the days that are missing, newest first; sort a month when none of them is left."""
        # Days and months end without anything that is written.
        seen = self._settled.look(now.date(), now.hour)
        if seen is None:
            return
        days = self._numbers.list_unindexed(now)
        for day in days[:DAYS_AT_ONCE]:
            if self._stop.is_set():
                return
            self._numbers.index_day(day)
        if len(days) > DAYS_AT_ONCE:
            return
        months = self._numbers.list_unsorted(now)
        for month in months[:1]:
            for _ in self._numbers.sort_month(month):
                if self._stop.is_set():
                    return
        if not (days or months):
            self._settled.found_nothing(seen)

    def verify(self, viewer: Viewer, *, repair: bool) -> Iterator[MonthOfIndex]:
        """
        Look every message up in the index, a month at a time, and index anew what is incomplete if it shall be.

        Raises: Forbidden: the viewer may not look into the audit.
        """
        viewer.require(Permission.AUDIT)
        return self._verify(repair=repair)

    def _verify(self, *, repair: bool) -> Iterator[MonthOfIndex]:
        for found in self._numbers.verify():
            if found.missing_count:
                log.error("index_incomplete", extra={"month": found.month.isoformat(), "rows": found.missing_count})
                if repair:
                    self._numbers.rebuild(found.month)
            yield found
