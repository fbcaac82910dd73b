"""What was committed to the lake since the last look."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from core.history.engine.door import Cursor
from core.history.lake.changes import Change, Extent, find_snapshot, read_changes, read_made
from core.history.lake.connection import Lake
from core.turns import OneForAll

# Between two looks at what other processes commit.
EVERY_S = 0.5
# So many of the latest changes are remembered.
MOST_CHANGES = 500


@dataclass(frozen=True)
class Seen:
    """
    A state of the lake, and what changed on the way to it.

    *number* grows with each state; *made* is when the snapshot was, as the catalog says it; *changes* are in order,
    each with the number of the state it led to; of what led to a state before *known_since*, nothing is known any more.
    """

    number: int
    instance_no: int
    snapshot_id: int
    made: str
    known_since: int
    changes: tuple[tuple[int, Change], ...]

    def is_unchanged(self, since: int, extent: Extent) -> bool:
        """Whether the messages of *extent* are for certain what they were in the state *since*."""
        if since >= self.number:
            return True
        return since >= self.known_since and not any(
            number > since and change.touches(extent) for number, change in reversed(self.changes)
        )


class ChangeWatch:
    """
    Tells one state of the lake from another, without asking it each time.

    What this process commits is seen at once, what others commit after `EVERY_S` at the latest.
    """

    def __init__(self, lake: Lake, steady_s: Callable[[], float] = time.monotonic) -> None:
        """Take the lake, and a clock in seconds that only goes forward."""
        self._lake = lake
        self._steady_s = steady_s
        self._looking = OneForAll()
        # What was seen last; when it was asked for, and after which changes of this process's own.
        self._seen: Seen | None = None
        self._own: tuple[int, int] = (0, 0)
        self._asked_s = 0.0

    def look(self) -> Seen:
        """Return the lake's state. Raises: StorageError: as `Lake.read`."""
        came_s = self._steady_s()
        if (seen := self._recent(came_s)) is not None:
            return seen
        with self._looking.hold():
            # Others may have looked meanwhile; however long that took, it is not older than this question.
            if (seen := self._recent(came_s)) is not None:
                return seen
            asked_s = self._steady_s()
            with self._lake.read() as cursor:
                # Before the question, so that what is committed meanwhile is looked for again; the first call opens.
                own = self._lake.changes
                snapshot_id = find_snapshot(cursor)
                seen = self._find_state(cursor, snapshot_id)
            self._seen, self._own, self._asked_s = seen, own, asked_s
            return seen

    def _find_state(self, cursor: Cursor, snapshot_id: int) -> Seen:
        last = self._seen
        made = read_made(cursor, snapshot_id, last.snapshot_id if last else snapshot_id)
        now = _Snapshot(cursor.instance_no, snapshot_id, made.get(snapshot_id, ""))
        if last is None or last.instance_no != cursor.instance_no:
            # Another catalog than before may have come to the same number.
            return _begin(last, now)
        if snapshot_id < last.snapshot_id or made.get(last.snapshot_id, last.made) != last.made:
            # Put in its place in PostgreSQL, which nothing else tells: a connection that was ended is made anew.
            self._lake.open_anew(cursor.instance_no)
            return _begin(last, now)
        if snapshot_id == last.snapshot_id:
            return last
        return _go_on(last, now, read_changes(cursor, last.snapshot_id, snapshot_id))

    def number(self) -> int:
        """Return a number that is the same as long as nothing was committed. Raises: as `look`."""
        return self.look().number

    def _recent(self, at_s: float) -> Seen | None:
        """Return what was seen, if this process has committed nothing since, and others hardly before *at_s*."""
        is_recent = self._own == self._lake.changes and at_s < self._asked_s + EVERY_S
        return self._seen if is_recent else None


class _Snapshot(NamedTuple):
    instance_no: int
    snapshot_id: int
    made: str


def _begin(last: Seen | None, now: _Snapshot) -> Seen:
    number = last.number + 1 if last else 1
    return Seen(number, *now, known_since=number, changes=())


def _go_on(last: Seen, now: _Snapshot, changes: tuple[Change, ...]) -> Seen:
    number = last.number + 1
    known = (*last.changes, *((number, change) for change in changes))
    forgotten = known[:-MOST_CHANGES]
    since = forgotten[-1][0] if forgotten else last.known_since
    return Seen(number, *now, known_since=since, changes=known[-MOST_CHANGES:])
