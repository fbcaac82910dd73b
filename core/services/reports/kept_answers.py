"""Answers of the history that are given again to whoever asks the same, as long as its messages are the same."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar, cast

import pyarrow as pa

from core.history.lake.changes import Extent
from core.turns import Once

T = TypeVar("T")

MOST_BYTES = 32 << 20
# Of memory, measured: a table's column beside its values, what holds a dataclass's fields, and a place beside its
# question and its answer.
_COLUMN_BYTES, _FIELDS_BYTES, _PLACE_BYTES = 1_500, 350, 500


class HistoryState(Protocol):
    """A state of the history, as `core.history.lake.watch.Seen`."""

    @property
    def number(self) -> int:
        """Grows from state to state."""

    def is_unchanged(self, since: int, extent: Extent) -> bool:
        """Whether the messages of *extent* are for certain what they were in the state of number *since*."""


@dataclass
class _Kept:
    """An answer, or where it will be."""

    # The latest state for which it is known to hold.
    state: int
    answer: Once[Any] = field(default_factory=Once)
    weight: int = 0


class KeptAnswers:
    """
    The answers that still hold, the latest ones asked for, in so many bytes.

    A question says all that its answer depends on: whose accounts, whose days, which names, whether numbers are seen.
    Whether somebody may ask it is for the caller to find out, each time.
    """

    def __init__(self, look: Callable[[], HistoryState], most_bytes: int = MOST_BYTES) -> None:
        """Take what tells the history's state."""
        self._look = look
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._weight = 0

    def get(self, question: Hashable, extent: Extent, find: Callable[[], T]) -> T:
        """
        Return what *find* returned for this question while its messages were the same.

        Who asks what is being found waits for it. Nobody may change an answer: others have it too.

        Args:
            question: What is asked, and all else on which its answer depends.
            extent: All messages on which it depends.
            find: Finds the answer in the history as it is now.

        Raises: what *find* raises, which is not kept; whoever waits for it has a StorageError, too.
        """
        place = self._place(question, extent, self._look())

        def find_and_weigh() -> T:
            try:
                answer = find()
            except BaseException:
                self._forget(question, place)
                raise
            self._weigh(question, place, answer)
            return answer

        return cast("T", place.answer.get(find_and_weigh))

    def _place(self, question: Hashable, extent: Extent, state: HistoryState) -> _Kept:
        with self._lock:
            place = self._kept.get(question)
            if place is not None and not state.is_unchanged(place.state, extent):
                self._weight -= place.weight
                del self._kept[question]
                place = None
            if place is None:
                place = self._kept[question] = _Kept(state.number)
            place.state = max(place.state, state.number)
            self._kept.move_to_end(question)
            return place

    def _forget(self, question: Hashable, place: _Kept) -> None:
        """Keep no place for what has no answer: it would weigh nothing, and never go."""
        with self._lock:
            if self._kept.get(question) is place:
                del self._kept[question]

    def _weigh(self, question: Hashable, place: _Kept, answer: object) -> None:
        """Count the answer's bytes, and forget those that were asked for longest ago when there are too many."""
        weight = weigh(answer) + weigh(question) + _PLACE_BYTES
        with self._lock:
            if self._kept.get(question) is not place:
                return
            place.weight = weight
            self._weight += weight
            while self._weight > self._most_bytes:
                self._weight -= self._kept.popitem(last=False)[1].weight


def weigh(kept: object) -> int:
    """Return about how many bytes of memory a question or an answer takes, with all it refers to."""
    if isinstance(kept, pa.Table):
        return int(kept.get_total_buffer_size() + _COLUMN_BYTES * kept.num_columns)
    if kept is None or isinstance(kept, bool | Enum) or (isinstance(kept, str) and not kept):
        # The same one everywhere.
        return 0
    own = sys.getsizeof(kept)
    if is_dataclass(kept):
        return own + _FIELDS_BYTES + sum(weigh(getattr(kept, each.name)) for each in fields(kept))
    if isinstance(kept, Mapping):
        return own + sum(weigh(key) + weigh(value) for key, value in kept.items())
    if isinstance(kept, Collection) and not isinstance(kept, str | bytes):
        return own + sum(map(weigh, kept))
    return own
