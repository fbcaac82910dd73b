"""
One computes at a time: who waits for a store meanwhile lets the next begin.

Python runs one thread at a time, and hands over to another one every five milliseconds. A hundred pages that are drawn
at once would all be drawn slowly, and each of the dozens of statements a page sends would queue behind all the others.
So a page begins when no other is being computed; it gives its turn back while the lake answers.

Whoever comes back from the lake goes on at once: it may hold a lock that others wait for, and would hold them up for
good. So at times two or three compute, but no new one begins.

Who neither ends nor comes to a store for a while is no longer counted: it waits for something that nobody told of, and
one person's slow file must not make everybody wait for that long.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

MOST_UNDER_WAY = 6
PATIENCE_S = 0.25

_mine = threading.local()


class _Turn:
    """One thread's turn; who waits for it waits for *may_begin*."""

    def __init__(self, turns: "Turns") -> None:
        self.turns = turns
        self.may_begin = threading.Event()
        # When it began, or came back from a store.
        self.moved_at_s = 0.0


class Turns:
    """
    A queue of threads, first come first served.

    Args:
        most: So many are under way at most, those that wait for a store among them.
        patience_s: Who has computed for so long is not counted until it moves again. When for so long nobody at all
            came to an end or gave back a turn, the next begins all the same: a store may be away.
    """

    def __init__(self, most: int = MOST_UNDER_WAY, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._waiting: deque[_Turn] = deque()
        self._computing: set[_Turn] = set()
        self._elsewhere = 0
        self._moved_at_s = time.monotonic()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and keep it while the block runs; a thread that has one needs no other."""
        if getattr(_mine, "turn", None) is not None:
            yield
            return
        turn = self._begin()
        _mine.turn = turn
        try:
            yield
        finally:
            _mine.turn = None
            with self._lock:
                self._computing.discard(turn)
                self._move()

    @contextmanager
    def give_back(self, turn: _Turn, *, counts: bool) -> Iterator[None]:
        """Let others compute while the block runs, which *counts* as under way or not."""
        with self._lock:
            self._computing.discard(turn)
            self._elsewhere += counts
            self._move()
        try:
            yield
        finally:
            with self._lock:
                self._elsewhere -= counts
                self._computing.add(turn)
                turn.moved_at_s = time.monotonic()

    def _begin(self) -> _Turn:
        turn = _Turn(self)
        with self._lock:
            self._waiting.append(turn)
            self._admit()
        while not turn.may_begin.wait(self._patience_s):
            with self._lock:
                self._admit()
                stuck = time.monotonic() - self._moved_at_s >= self._patience_s
                if stuck and self._waiting and self._waiting[0] is turn:
                    self._let_in()
        return turn

    def _move(self) -> None:
        self._moved_at_s = time.monotonic()
        self._admit()

    def _admit(self) -> None:
        since_s = time.monotonic() - self._patience_s
        if self._waiting and self._elsewhere < self._most and all(on.moved_at_s <= since_s for on in self._computing):
            self._let_in()

    def _let_in(self) -> None:
        turn = self._waiting.popleft()
        self._moved_at_s = turn.moved_at_s = time.monotonic()
        self._computing.add(turn)
        turn.may_begin.set()


def elsewhere() -> AbstractContextManager[None]:
    """While the block waits for a store, let others compute, if this thread has a turn at all."""
    return _give_back(counts=True)


def away() -> AbstractContextManager[None]:
    """The same while the block waits for long, and for nothing that others need."""
    return _give_back(counts=False)


def _give_back(*, counts: bool) -> AbstractContextManager[None]:
    turn: _Turn | None = getattr(_mine, "turn", None)
    return turn.turns.give_back(turn, counts=counts) if turn else nullcontext()
