"""
Departing: when each message of a submission may leave, and that it does so then or not at all.

Limits are kept where messages leave, not where they are claimed: a commit may take its time, a queue may be long.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.domain.messages.messages import OutboundMessage


@dataclass(frozen=True)
class Departure:
    """*messages* that may leave now, until *leave_by_s* by the clock that nobody sets."""

    messages: Sequence[OutboundMessage]
    leave_by_s: float = math.inf

    def is_late(self, now_s: float) -> bool:
        """Return whether they may not leave any more."""
        return now_s > self.leave_by_s


class DepartureSchedule:
    """The moments of one submission's messages."""

    def __init__(
        self,
        moments_s: Sequence[float] = (),
        patience_s: float = math.inf,
        steady_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Take when each message may leave, ascending by *steady_s*, and how long after that it still may.

        Without any moments all may leave at once, whenever that is.
        """
        self._moments_s = moments_s
        self._patience_s = patience_s
        self._steady_s = steady_s
        self._sleep = sleep

    def depart(self, messages: Sequence[OutboundMessage]) -> Iterator[Departure]:
        """Yield *messages*, those of one moment or whose moments have come together, each time when they may leave."""
        if not self._moments_s:
            yield Departure(messages)
            return
        at, count = 0, len(messages)
        while at < count:
            # Asked again after each sleep: one that ends too early must not let a message leave before its moment.
            while (now_s := self._steady_s()) < self._moments_s[at]:
                self._sleep(self._moments_s[at] - now_s)
            begin = at
            while at < count and self._moments_s[at] <= now_s:
                at += 1
            yield from self._cut(messages, begin, at, now_s)

    def without_end(self) -> "DepartureSchedule":
        """Return one of the same moments that makes nothing late."""
        return DepartureSchedule(self._moments_s, math.inf, self._steady_s, self._sleep)

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
