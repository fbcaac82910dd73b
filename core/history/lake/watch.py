"""Whether anything was committed to the lake since the last look."""

import time
from collections.abc import Callable, Hashable

from core.history.engine.results import fetch_one
from core.history.lake.connection import Lake
from core.turns import OneForAll

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
        self._looking = OneForAll()
        # What was seen last, and when it was asked for.
        self._seen: tuple[Hashable, int] | None = None
        self._asked_s = 0.0

    def __call__(self) -> Hashable:
        """Return what is equal as long as nothing has changed. Raises: StorageError: as `Lake.read`."""
        came_s = self._steady_s()
        if (seen := self._known(came_s)) is not None:
            return seen
        with self._looking.hold():
            # Others may have looked meanwhile; however long that took, it is not older than this question.
            if (seen := self._known(came_s)) is not None:
                return seen
            asked_s = self._steady_s()
            with self._lake.read() as cursor:
                # Before the question, so that what is committed meanwhile is looked for again; the first call opens.
                changes = self._lake.changes
                found = int(fetch_one(cursor, "SELECT id FROM ducklake_current_snapshot('lake')")[0])
            # Another catalog than before may have come to the same number.
            seen = (changes, found)
            self._seen, self._asked_s = seen, asked_s
            return seen

    def _known(self, at_s: float) -> tuple[Hashable, int] | None:
        """Return what was seen, if this process has committed nothing since, and others hardly before *at_s*."""
        seen = self._seen
        is_known = seen is not None and seen[0] == self._lake.changes and at_s < self._asked_s + EVERY_S
        return seen if is_known else None
