"""
Departures: when messages may leave, so that no second ever sees more segments than a limit allows.

Every limit (an account's, a gateway's, a campaign's) keeps a log of what was booked, in cells of 5 ms that only grow
later. A message leaves in its cell, or up to its patience after it, or not at all. So it counts until a second and that
patience are over: whatever leaves in one second was in the log when the last of it was booked, and that kept the limit.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

CELL_S = 0.005
_SECOND = round(1 / CELL_S)
# How far ahead of its even pace a limit lets messages leave that leave by a faster one, a tenth of a second's worth:
# each booking costs a transaction.
_BURST = _SECOND // 10
# A request takes no more messages than leave in so many seconds.
_REQUEST_S = 0.1
# A little faster than even, so that a pause between two bookings is made up for. The second's sum is what binds.
_HASTE = 0.9
# On their way to whoever counts them some are held up by so many cells more than others.
_WIRE = 1
# So many entries of a log at most are of messages with one patience, besides those of a second.
_ENTRIES = 32
# Nobody books further ahead. A log from beyond that was written before the clock was set back.
_FURTHEST = 2 * _SECOND
# Less than this share of a limit goes to nobody else by waiting: who sends uses it up.
_USED_UP = 0.9
# How many cells ahead of others a sender may book, the more the longer it has had no turn.
AHEAD_LEAST, AHEAD_MOST, _CELLS_A_TURN = 20, 50, 10
# A turn is what so many seconds of a limit are worth; after so long without one nobody waits for another any longer.
_TURN_S, _OVERDUE_S = 0.3, 1.5
# Of a log that begins anew nothing can be told before this many cells of it.
_TELLING = _SECOND // 4


@dataclass(frozen=True)
class Log:
    """
    What was booked, in cells since 1970.

    *booked* has (until when it counts, segments); *last* is the latest cell booked, *even* where an even pace would
    have come to, *began* since when there was no second without any.
    """

    booked: tuple[tuple[int, int], ...] = ()
    last: int = 0
    even: float = 0.0
    began: int = 0


@dataclass(frozen=True)
class Limit:
    """*rate_tps* segments may leave in any second, 1 or more, of which *log* has those booked so far."""

    rate_tps: int
    log: Log


@dataclass(frozen=True)
class Booking:
    """
    The *cells* of the first messages, and the *logs* of the limits, in their order, to be stored.

    Where there are none, *wait_s* says in how many seconds there may be.
    """

    cells: Sequence[int] = ()
    logs: Sequence[Log] = ()
    wait_s: float = 0.0


@dataclass(frozen=True)
class Terms:
    """
    How messages are to leave.

    Args:
        lead: From now to the first cell, in cells: what has to be done before it.
        patience: For how many cells a message may still leave after its own.
        ahead: How many cells after the first possible one a booking may begin.
        within: How many cells after it the last one may be. Who is let book further ahead than others passes them.
        together: How many messages leave at one moment, in one request.
    """

    lead: int = 0
    patience: int = 2
    ahead: int = 20
    within: int = 100
    together: int = 1


def cell_of(moment: datetime) -> int:
    """Return the cell that *moment* (aware) lies in."""
    return int(moment.timestamp() / CELL_S)


def book(limits: Sequence[Limit], segments: Sequence[int], now: datetime, terms: Terms) -> Booking:
    """
    Book the longest beginning of messages, of so many *segments* each, that may leave soon by all *limits*.

    A message of more segments than a limit allows in a second leaves when nothing has left for one, and as many seconds
    as it is worth are taken.
    Raises: ValueError: there is no limit, or one below 1.
    """
    if not limits or any(limit.rate_tps < 1 for limit in limits):
        raise ValueError("a limit of at least 1 segment per second is needed")
    slides = _slides(limits, now)
    soonest = cell_of(now) + terms.lead
    start = max(soonest, *(slide.last for slide in slides))
    cells: list[int] = []
    for group in _groups(segments, terms.together, min(limit.rate_tps for limit in limits)):
        wanted = sum(group)
        base = cells[-1] if cells else start
        cell = max(slide.find(wanted, base) for slide in slides)
        # Where a slower limit lets them wait, the faster one's time must not pass unused for others.
        is_held = cell > max(base, *(slide.find(wanted, base) for slide in slides if slide.is_fastest))
        if cells:
            if cell > soonest + terms.within or (is_held and cell > cells[-1] + 1):
                break
        else:
            latest = soonest if is_held else soonest + terms.ahead
            if cell > latest:
                return Booking(wait_s=(cell - latest) * CELL_S)
        for slide in slides:
            slide.take(wanted, cell, terms.patience)
        cells += [cell] * len(group)
    return Booking(cells, tuple(slide.log() for slide in slides))


def enter(
    limits: Sequence[Limit], segments: Sequence[int], cells: Sequence[int], now: datetime, patience: int
) -> tuple[Log, ...]:
    """
    Return the logs of *limits*, in their order, with no more of what `book` has found than these messages.

    Args:
        limits: As they were given to `book`.
        segments: Of each message that stays, a beginning of those that were booked.
        cells: In which cell each of them is.
        now: As it was given to `book`.
        patience: As well.
    """
    slides = _slides(limits, now)
    for slide in slides:
        for wanted, cell in zip(segments, cells, strict=True):
            slide.take(wanted, cell, patience)
    return tuple(slide.log() for slide in slides)


def ahead_after(waited_s: float) -> int:
    """Return how many cells ahead a sender may begin to book that has waited so long for its turn."""
    return int(min(AHEAD_MOST, AHEAD_LEAST + waited_s / CELL_S / _CELLS_A_TURN))


def turn_after(turn_s: float, now_s: float, segments: int, rate_tps: int) -> float:
    """
    Return since when a sender waits for its next turn, in seconds of the clock that *now_s* is of.

    Whoever is let book little at a time, by a limit of its own, has used that much of its turn, and keeps the rest:
    else it would wait as long for its few as others for their many.

    Args:
        turn_s: Since when it has waited for this one.
        now_s: When it has booked.
        segments: How many it has booked.
        rate_tps: The limit it shares with others.
    """
    since_s = max(turn_s, now_s - _OVERDUE_S)
    return since_s + (now_s - since_s) * min(1.0, segments / (rate_tps * _TURN_S))


def release(log: Log, rate_tps: int, cell: int, segments: int, patience: int) -> Log:
    """Return the log without a message that was booked by these terms and did not leave."""
    until = _until(cell, segments, rate_tps, patience)
    booked = dict(log.booked)
    booked[until] = booked.get(until, 0) - segments
    return replace(log, booked=tuple(item for item in booked.items() if item[1] > 0))


def is_wide(limits: Iterable[Limit], wanted: int, share: float, now: datetime) -> bool:
    """Return whether *wanted* segments more would be no more than a *share* of what every limit allows in a second."""
    slides = (_Slide(limit, cell_of(now), is_fastest=True) for limit in limits)
    return all(slide.count(cell_of(now)) + wanted <= slide.rate_tps * share for slide in slides)


def is_spare(limit: Limit, now: datetime) -> bool:
    """Return whether those who send leave a part of the limit to others, as far as the last second tells."""
    # Looked at as of the last booking: what has not counted any more since then was used all the same.
    slide = _Slide(limit, min(cell_of(now), limit.log.last), is_fastest=True)
    if slide.last < cell_of(now) - _TELLING:
        return True
    lasted = min(_SECOND, slide.last - slide.began)
    if lasted < _TELLING:
        return False
    return slide.count(slide.last) < _USED_UP * limit.rate_tps * lasted / _SECOND


def _slides(limits: Sequence[Limit], now: datetime) -> list["_Slide"]:
    fastest = max(limit.rate_tps for limit in limits)
    return [_Slide(limit, cell_of(now), is_fastest=limit.rate_tps == fastest) for limit in limits]


class _Slide:
    """A limit's log while it is booked in."""

    def __init__(self, limit: Limit, now: int, *, is_fastest: bool) -> None:
        back = max(0, limit.log.last - now)
        # Whoever set the clock back must not stop the sending until the old time comes round again.
        back = back if back > _FURTHEST else 0
        counting = sorted((until - back, count) for until, count in limit.log.booked if until - back > now)
        self.rate_tps = limit.rate_tps
        self.is_fastest = is_fastest
        self.last = limit.log.last - back
        self.began = limit.log.began - back
        self._even = limit.log.even - back
        self._ends = [until for until, _ in counting]
        self._counts = [count for _, count in counting]
        # The first that still counts at the last cell booked, and the sum from there on.
        self._first, self._sum = 0, sum(self._counts)

    def find(self, wanted: int, cell: int) -> int:
        """Return the first cell from *cell* on that has room for *wanted* segments; not before one that is booked."""
        cell = max(cell, int(self._even) - (0 if self.is_fastest else _BURST))
        first, count = self._look(cell)
        # One that is too long for any second has one of its own.
        while count and count + wanted > self.rate_tps:
            cell = max(cell, self._ends[first])
            first, count = self._look(cell, first, count)
        return cell

    def take(self, wanted: int, cell: int, patience: int) -> None:
        """Book *wanted* segments in *cell*, which `find` has found."""
        self._first, self._sum = self._look(cell)
        if not self._sum:
            self.began = cell
        until = _until(cell, wanted, self.rate_tps, patience)
        place = bisect_left(self._ends, until)
        if place < len(self._ends) and self._ends[place] == until:
            self._counts[place] += wanted
        else:
            self._ends.insert(place, until)
            self._counts.insert(place, wanted)
        self._sum += wanted
        # A slower one that others have kept waiting makes up for that.
        self._even = (
            max(self._even, cell - (0 if self.is_fastest else 2 * _BURST)) + wanted * _HASTE * _SECOND / self.rate_tps
        )
        self.last = cell

    def count(self, cell: int) -> int:
        """Return how many segments still count at *cell*."""
        return self._look(cell)[1]

    def log(self) -> Log:
        """Return what is to be stored."""
        return Log(tuple(zip(self._ends, self._counts, strict=True)), self.last, self._even, self.began)

    def _look(self, cell: int, first: int | None = None, count: int = 0) -> tuple[int, int]:
        """Return where what counts at *cell* begins, and its sum."""
        if first is None:
            first, count = self._first, self._sum
        while first < len(self._ends) and self._ends[first] <= cell:
            count -= self._counts[first]
            first += 1
        return first, count


def _until(cell: int, segments: int, rate_tps: int, patience: int) -> int:
    """Return from which cell on what is booked does not count any more."""
    until = cell + _SECOND * max(1, ceil(segments / rate_tps)) + patience + _WIRE
    # To be read and written with each booking, a log may not have an entry for each cell of a long patience.
    step = max(1, patience // _ENTRIES)
    return until + -until % step


def _groups(segments: Sequence[int], together: int, least_tps: int) -> Iterable[list[int]]:
    """Yield the messages that leave at one moment: those of one request, or that an even pace lets leave in a cell."""
    group: list[int] = []
    more = 0
    for count in segments:
        more += count
        is_one = more <= least_tps * CELL_S or (len(group) < together and more <= least_tps * _REQUEST_S)
        if group and not is_one:
            yield group
            group, more = [], count
        group.append(count)
    if group:
        yield group
