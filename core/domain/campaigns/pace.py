"""Pace: how fast a campaign is sent just now, and how long the rest of it takes at that."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# What a pace is of: long enough to be steady, short enough to follow a limit that somebody changes.
SPAN = timedelta(seconds=60)
# Before so much was seen it would jump.
_LEAST = timedelta(seconds=3)
# Nobody knows what was between two looks further apart: a pause, perhaps.
_GAP = timedelta(seconds=10)


@dataclass
class Pace:
    """
    What was seen of one campaign, in the order of time, while it was being sent.

    A pause is no part of it: with `rest` it begins anew, so that the pace is always one of sending.
    """

    _seen: deque[tuple[datetime, int]] = field(default_factory=deque)

    def look(self, handed_count: int, now: datetime) -> None:
        """Take that *handed_count* messages of the campaign have been handed over by *now*."""
        seen = self._seen
        if seen and not (seen[-1][0] <= now <= seen[-1][0] + _GAP and seen[-1][1] <= handed_count):
            seen.clear()
        seen.append((now, handed_count))
        # The first look is at the beginning of the span or just before it.
        while len(seen) > 2 and seen[1][0] <= now - SPAN:
            seen.popleft()

    def rest(self) -> None:
        """Take that nothing is being sent."""
        self._seen.clear()

    @property
    def per_s(self) -> float | None:
        """Messages per second over the last minute, or as much of it as was seen; None while that is too little."""
        if not self._seen:
            return None
        (began, before), (at, after) = self._seen[0], self._seen[-1]
        if at - began < _LEAST:
            return None
        return (after - before) / (at - began).total_seconds()

    @property
    def is_standing(self) -> bool:
        """Whether nothing has left for a whole minute."""
        return self.per_s == 0 and self._seen[-1][0] - self._seen[0][0] >= SPAN
