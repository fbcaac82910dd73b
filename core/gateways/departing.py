"""
Departing: when each message of a submission may leave, and that it does so then or not at all.

Limits are kept where messages leave, not where they are claimed: a commit may take its time, a queue may be long.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.messages.messages import OutboundMessage


@dataclass(frozen=True)
class Departure:
    """*messages* that may leave now, until *leave_by_s* by the clock that nobody sets."""

    messages: Sequence[OutboundMessage]
    leave_by_s: float = math.inf

    def is_late(self, now_s: float) -> bool:
        """Return whether they may not leave any more."""
        return now_s > self.leave_by_s


class BookAgain(Protocol):
    """Books a moment for so many segments more; returns it and how long after it they may leave (s), None for none."""

    def __call__(self, segment_count: int, /, *, is_patient: bool) -> tuple[float, float] | None: ...  # noqa: D102


def _book_nothing(_segment_count: int, /, *, is_patient: bool) -> None:
    """Stand for whoever books where nobody does."""


class DepartureSchedule:
    """The moments of one submission's messages."""

    def __init__(
        self,
        moments_s: Sequence[float] = (),
        patience_s: float = math.inf,
        steady_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        book_again: BookAgain = _book_nothing,
    ) -> None:
        """
        Take when each message may leave, ascending by *steady_s*, and how long after that it still may.

        Without any moments all may leave at once, whenever that is. *book_again* is asked by `wait_again`.
        """
        self._moments_s = moments_s
        self._patience_s = patience_s
        self._steady_s = steady_s
        self._sleep = sleep
        self._book_again = book_again

    @property
    def first(self) -> tuple[float, float]:
        """When the first message may leave, and how long after that it still may; there is one."""
        return self._moments_s[0], self._patience_s

    def depart(self, messages: Sequence[OutboundMessage]) -> Iterator[Departure]:
        """Yield *messages*, those of one moment or whose moments have come together, each time when they may leave."""
        if not self._moments_s:
            yield Departure(messages)
            return
        at, count = 0, len(messages)
        while at < count:
            now_s = self._sleep_until(self._moments_s[at])
            begin = at
            while at < count and self._moments_s[at] <= now_s:
                at += 1
            yield from self._cut(messages, begin, at, now_s)

    def wait_again(self, segment_count: int, *, is_patient: bool = False) -> float | None:
        """
        Wait for a moment for what is handed over once more, or later than it was to be; threads may do so side by side.

        Args:
            segment_count: What leaves together then, 1 or more: it counts against the limits anew.
            is_patient: Let it leave some seconds late, for all of which it counts.

        Returns: Until when it may leave, by the clock that nobody sets; None where it gets no moment and must not.
        """
        if not self._moments_s:
            return math.inf
        booked = self._book_again(segment_count, is_patient=is_patient)
        if booked is None:
            return None
        moment_s, patience_s = booked
        self._sleep_until(moment_s)
        return moment_s + patience_s

    def booked_by(self, book_again: BookAgain) -> "DepartureSchedule":
        """Return one of the same moments that asks *book_again* for more of them."""
        return DepartureSchedule(self._moments_s, self._patience_s, self._steady_s, self._sleep, book_again)

    def _sleep_until(self, moment_s: float) -> float:
        """Sleep, if need be, and return what time it is then: no earlier, even where a sleep ends too early."""
        while (now_s := self._steady_s()) < moment_s:
            self._sleep(moment_s - now_s)
        return now_s

    def _cut(self, messages: Sequence[OutboundMessage], begin: int, end: int, now_s: float) -> Iterator[Departure]:
        """Yield those that are late already apart from the others, which must not wait for them."""
        middle = begin
        while middle < end and self._moments_s[middle] + self._patience_s < now_s:
            middle += 1
        for first, last in ((begin, middle), (middle, end)):
            if first < last:
                yield Departure(messages[first:last], self._moments_s[first] + self._patience_s)


# Whatever is not paced.
AT_ONCE = DepartureSchedule()
