"""
One computes at a time: who waits for a store meanwhile lets the next begin.

Python runs one thread at a time, and hands over to another one every five milliseconds. A hundred pages that are drawn
at once would all be drawn slowly, and each of the dozens of statements a page sends would queue behind all the others.
So a page begins when no other is being computed; it gives its turn back while the lake answers.

Whoever comes back from the lake goes on at once: it may hold a lock that others wait for, and would hold them up for
good. So at times two or three compute, but no new one begins.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MOST_UNDER_WAY = 6
PATIENCE_S = 0.25

_mine = threading.local()


class Turns:
    """
    A queue of threads, first come first served.

    Args:
        most: So many are under way at most, those that wait for a store among them.
        patience_s: When for so long nobody came to an end or gave back a turn, the next begins all the same: what takes
            long may be a store that is away, or a file that is read.
    """

    def __init__(self, most: int = MOST_UNDER_WAY, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._under_way = self._computing = 0
        self._moved_at_s = time.monotonic()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and keep it while the block runs; a thread that has one needs no other."""
        if getattr(_mine, "turns", None) is not None:
            yield
            return
        self._begin()
        _mine.turns = self
        try:
            yield
        finally:
            _mine.turns = None
            self._move(computing=-1, under_way=-1)

    @contextmanager
    def give_back(self) -> Iterator[None]:
        """Let others compute while the block runs."""
        self._move(computing=-1)
        try:
            yield
        finally:
            with self._lock:
                self._computing += 1

    def _begin(self) -> None:
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            self._admit()
        while not mine.wait(self._patience_s):
            with self._lock:
                stuck = time.monotonic() - self._moved_at_s >= self._patience_s
                if stuck and self._waiting and self._waiting[0] is mine:
                    self._let_in()

    def _move(self, computing: int, under_way: int = 0) -> None:
        with self._lock:
            self._computing += computing
            self._under_way += under_way
            self._moved_at_s = time.monotonic()
            self._admit()

    def _admit(self) -> None:
        if self._waiting and not self._computing and self._under_way < self._most:
            self._let_in()

    def _let_in(self) -> None:
        self._waiting.popleft().set()
        self._under_way += 1
        self._computing += 1
        self._moved_at_s = time.monotonic()


@contextmanager
def elsewhere() -> Iterator[None]:
    """While the block waits for a store, let others compute, if this thread has a turn at all."""
    turns: Turns | None = getattr(_mine, "turns", None)
    if turns is None:
        yield
        return
    with turns.give_back():
        yield
