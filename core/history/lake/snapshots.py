"""What was read of the lake before, for whoever asks for it in a snapshot in which it is the same."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from core.history.engine.door import Cursor
from core.history.lake.changes import find_snapshot, list_tables, read_touched
from core.turns import Once, OneForAll

T = TypeVar("T")

MOST_KEPT = 64


class Shared(Protocol):
    """Gives what is shared in one snapshot."""

    def __call__(self, key: Hashable, tables: AbstractSet[str], read: Callable[[], T]) -> T:
        """
        Return what *read* returned for *key*, now or in an earlier snapshot since which *tables* are the same.

        Nobody may change it: others have it too.

        Raises: what *read* raises, for whoever waits for it too.
        """


@dataclass(frozen=True)
class _Place:
    tables: AbstractSet[str]
    value: Once[Any] = field(default_factory=Once)


class LatestSnapshot:
    """
    Keeps what the questions of many people have in common, as long as the tables it was read from are the same.

    What is nobody's alone is read once for all, instead of by each of a hundred people.
    """

    def __init__(self) -> None:
        self._moving = OneForAll()
        self._lock = threading.Lock()
        # The number of the instance, since another catalog may come to the same snapshot, and that of the snapshot.
        self._latest = (0, 0)
        self._kept: OrderedDict[Hashable, _Place] = OrderedDict()
        self._tables: dict[str, str] = {}

    def of(self, cursor: Cursor) -> Shared:
        """Return what gives what is shared in the cursor's snapshot."""
        snapshot = cursor.instance_no, find_snapshot(cursor)
        if snapshot > self._latest:
            with self._moving.hold():
                if snapshot > self._latest:
                    self._move(cursor, snapshot)
        return cast("Shared", partial(self._get, snapshot))

    def _move(self, cursor: Cursor, snapshot: tuple[int, int]) -> None:
        """Forget what may be another in the snapshot, which is the latest from now on."""
        touched = self._find_touched(cursor, snapshot)
        with self._lock:
            if touched is None:
                self._kept.clear()
            for key in [key for key, place in self._kept.items() if touched and place.tables & touched]:
                del self._kept[key]
            self._latest = snapshot

    def _find_touched(self, cursor: Cursor, snapshot: tuple[int, int]) -> AbstractSet[str] | None:
        (instance_no, since), until = self._latest, snapshot[1]
        if instance_no != cursor.instance_no:
            self._tables = list_tables(cursor)
            return None
        touched = read_touched(cursor, self._tables, since, until)
        if touched is None:
            self._tables = list_tables(cursor)
        return touched

    def _get(self, snapshot: tuple[int, int], key: Hashable, tables: AbstractSet[str], read: Callable[[], T]) -> T:
        place = self._find_place(snapshot, key, tables)
        return read() if place is None else cast("T", place.value.get(read))

    def _find_place(self, snapshot: tuple[int, int], key: Hashable, tables: AbstractSet[str]) -> _Place | None:
        """Return where it is kept, None for a snapshot that is the latest no more."""
        with self._lock:
            if snapshot < self._latest:
                return None
            place = self._kept.setdefault(key, _Place(tables))
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return place
