"""Answers of the history that are given again to whoever asks the same, as long as nothing has changed there."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, cast

import pyarrow as pa

from core.turns import OneForAll

T = TypeVar("T")

MOST_BYTES = 32 << 20
# Of memory, measured: a table's column beside its values, what holds a dataclass's fields, and a place beside its
# question and its answer.
_COLUMN_BYTES, _FIELDS_BYTES, _PLACE_BYTES = 1_500, 350, 500


@dataclass
class _Kept:
    """An answer, or where it will be; whoever looks for it holds *finding*."""

    finding: OneForAll = field(default_factory=OneForAll)
    answers: list[Any] = field(default_factory=list)
    weight: int = 0


class KeptAnswers:
    """
    The answers of one state of the history, the latest ones asked for, in so many bytes.

    A question says all that its answer depends on: whose accounts, whose days, which names, whether numbers are seen.
    Whether somebody may ask it is for the caller to find out, each time.
    """

    def __init__(self, find_state: Callable[[], Hashable], most_bytes: int = MOST_BYTES) -> None:
        """Take what tells one state of the history from another."""
        self._find_state = find_state
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._state: Hashable = None
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._weight = 0

    def get(self, question: Hashable, find: Callable[[], T]) -> T:
        """
        Return what *find* returned for this question in this state; who asks what is being found waits for it.

        Nobody may change an answer: others have it too. Raises: what *find* raises, which is not kept; whoever waits
        for it has a StorageError, too.
        """
        place = self._place(question, self._find_state())
        if not place.answers:
            with place.finding.hold():
                if not place.answers:
                    try:
                        place.answers.append(find())
                    except BaseException:
                        self._forget(question, place)
                        raise
                    self._weigh(question, place)
        return cast("T", place.answers[0])

    def _place(self, question: Hashable, state: Hashable) -> _Kept:
        with self._lock:
            if state != self._state:
                self._kept.clear()
                self._state, self._weight = state, 0
            place = self._kept.setdefault(question, _Kept())
            self._kept.move_to_end(question)
            return place

    def _forget(self, question: Hashable, place: _Kept) -> None:
        """Keep no place for what has no answer: it would weigh nothing, and never go."""
        with self._lock:
            if self._kept.get(question) is place:
                del self._kept[question]

    def _weigh(self, question: Hashable, place: _Kept) -> None:
        """Count the answer's bytes, and forget those that were asked for longest ago when there are too many."""
        weight = weigh(place.answers[0]) + weigh(question) + _PLACE_BYTES
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
    own = sys.getsizeof(kept)
    if is_dataclass(kept):
        return own + _FIELDS_BYTES + sum(weigh(getattr(kept, each.name)) for each in fields(kept))
    if isinstance(kept, Mapping):
        return own + sum(weigh(key) + weigh(value) for key, value in kept.items())
    if isinstance(kept, Collection) and not isinstance(kept, str | bytes):
        return own + sum(map(weigh, kept))
    return own
