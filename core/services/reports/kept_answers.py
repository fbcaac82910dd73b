"""Answers of the history that are given again to whoever asks the same, as long as nothing has changed there."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, cast

import pyarrow as pa

from core.turns import elsewhere

T = TypeVar("T")

MOST_BYTES = 32 << 20


@dataclass
class _Kept:
    """An answer, or where it will be; whoever looks for it holds *finding*."""

    finding: threading.Lock = field(default_factory=threading.Lock)
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

        Nobody may change an answer: others have it too. Raises: what *find* raises, which is not kept.
        """
        place = self._place(question, self._find_state())
        if not place.answers:
            if not place.finding.acquire(blocking=False):
                with elsewhere():
                    place.finding.acquire()
            try:
                if not place.answers:
                    place.answers.append(find())
                    self._weigh(question, place)
            finally:
                place.finding.release()
        return cast("T", place.answers[0])

    def _place(self, question: Hashable, state: Hashable) -> _Kept:
        with self._lock:
            if state != self._state:
                self._kept.clear()
                self._state, self._weight = state, 0
            place = self._kept.setdefault(question, _Kept())
            self._kept.move_to_end(question)
            return place

    def _weigh(self, question: Hashable, place: _Kept) -> None:
        """Count the answer's bytes, and forget those that were asked for longest ago when there are too many."""
        weight = weigh(place.answers[0]) + sys.getsizeof(question)
        with self._lock:
            if self._kept.get(question) is not place:
                return
            place.weight = weight
            self._weight += weight
            while self._weight > self._most_bytes:
                self._weight -= self._kept.popitem(last=False)[1].weight


def weigh(answer: object) -> int:
    """Return about how many bytes of memory an answer takes, tables with all they refer to."""
    if isinstance(answer, pa.Table):
        return int(answer.get_total_buffer_size())
    if is_dataclass(answer):
        return sum(weigh(getattr(answer, each.name)) for each in fields(answer))
    return sys.getsizeof(answer)
