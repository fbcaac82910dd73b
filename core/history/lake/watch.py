"""Whether anything was committed to the lake since the last look."""

import threading
import time
from collections.abc import Callable, Hashable

from core.history.lake.connection import Lake
from core.history.lake.results import fetch_one

# Between two looks at what other processes commit.
EVERY_S = 0.5


class SnapshotWatch:
    """
    Tells one state of the lake from another, without asking it each time.

    What this process commits is seen at once, what others commit after `EVERY_S` at the latest.
    """

    def __init__(self, lake: Lake, steady_s: Callable[[], float] = time.monotonic) -> None:
        """Take the lake, and a clock in seconds that only goes forward."""
        self._lake = lake
        self._steady_s = steady_s
        self._looking = threading.Lock()
        self._seen: tuple[Hashable, int] | None = None
        self._until_s = 0.0

    def __call__(self) -> Hashable:
        """Return what is equal as long as nothing has changed. Raises: StorageError: as `Lake.read`."""
        seen = self._seen
        if seen is not None and seen[0] == self._lake.changes and self._steady_s() < self._until_s:
            return seen
        with self._looking:
            asked_s = self._steady_s()
            with self._lake.read() as cursor:
                # Before the question, so that what is committed meanwhile is looked for again; the first call opens.
                changes = self._lake.changes
                found = int(fetch_one(cursor, "SELECT id FROM ducklake_current_snapshot('lake')")[0])
            # Another catalog than before may have come to the same number.
            seen = (changes, found)
            self._seen, self._until_s = seen, asked_s + EVERY_S
            return seen
