"""What was read of the lake's latest snapshot, for whoever asks for it in the same snapshot."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from core.history.engine.door import Cursor
from core.history.engine.results import fetch_one
from core.turns import Once

T = TypeVar("T")

# Read anew when the snapshot is another one, a few times a second while messages are sent.
MOST_KEPT = 64


class Shared(Protocol):
    """Gives what was read before in one snapshot."""

    def __call__(self, key: Hashable, read: Callable[[], T]) -> T:
        """
        Return what *read* returned for *key* in the snapshot, now or before.

        Nobody may change it: others have it too. Raises: what *read* raises, for whoever waits for it too.
        """


class LatestSnapshot:
    """
    Keeps what the questions of many people have in common, as long as the lake's snapshot is the same.

    What is nobody's alone is read once for all, instead of by each of a hundred people.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The number of the instance, since another catalog may come to the same snapshot, and that of the snapshot.
        self._latest = (0, 0)
        self._kept: OrderedDict[Hashable, Once[Any]] = OrderedDict()

    def of(self, cursor: Cursor) -> Shared:
        """Return what gives what is shared in the cursor's snapshot."""
        snapshot_id = int(fetch_one(cursor, "SELECT id FROM ducklake_current_snapshot('lake')")[0])
        return cast("Shared", partial(self._get, (cursor.instance_no, snapshot_id)))

    def _get(self, snapshot: tuple[int, int], key: Hashable, read: Callable[[], T]) -> T:
        place = self._find_place(snapshot, key)
        return read() if place is None else cast("T", place.get(read))

    def _find_place(self, snapshot: tuple[int, int], key: Hashable) -> Once[Any] | None:
        """Return where it is kept, None for a snapshot that is the latest no more."""
        with self._lock:
            if snapshot < self._latest:
                return None
            if snapshot > self._latest:
                self._latest = snapshot
                self._kept.clear()
            place = self._kept.setdefault(key, Once())
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return place
