"""
One computes at a time: who waits for a store meanwhile lets the next begin.

Python runs one thread at a time, and hands over to another one every five milliseconds. A hundred pages that are drawn
at once would all be drawn slowly, and each of the dozens of statements a page sends would queue behind all the others.
So a page begins when no other is being computed; it gives its turn back while the lake answers.

Whoever comes back from the lake goes on at once: it may hold a lock that others wait for, and would hold them up for
good. So at times two or three compute, but no new one begins.

Who neither ends nor comes to a store or back for a while is no longer counted: it waits for a store that is away, or
for something that nobody told of, and must not make those wait for so long who need none of it.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.errors import StorageError

T = TypeVar("T")

MOST_UNDER_WAY = 6
PATIENCE_S = 0.25

_mine = threading.local()


@dataclass(eq=False)
class _Turn:
    """One thread's turn, since when it computes or waits for a store, and what it waits for before it begins."""

    turns: "Turns"
    begins: threading.Event = field(default_factory=threading.Event)
    since_s: float = 0.0
    is_away: bool = False


class Turns:
    """
    A queue of threads, first come first served.

    Args:
        most: So many are under way at most, those that wait for a store among them.
        patience_s: Who has computed, or waited for a store, for so long at a stretch is not counted until it goes on:
            what takes long may be a store that is away, or a file that is read.
    """

    def __init__(self, most: int = MOST_UNDER_WAY, patience_s: float = PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._waiting: deque[_Turn] = deque()
        self._under_way: set[_Turn] = set()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and keep it while the block runs; a thread that has one needs no other."""
        if getattr(_mine, "turn", None) is not None:
            yield
            return
        turn = _Turn(self)
        self._begin(turn)
        _mine.turn = turn
        try:
            yield
        finally:
            _mine.turn = None
            with self._lock:
                self._under_way.remove(turn)
                self._admit()

    @contextmanager
    def give_back(self, turn: _Turn, *, counts: bool) -> Iterator[None]:
        """Let others compute while the block runs, *counts* says whether this one is under way; not again within."""
        if turn.is_away:
            yield
            return
        self._move(turn, since_s=time.monotonic() if counts else -math.inf, is_away=True)
        try:
            yield
        finally:
            self._move(turn, since_s=time.monotonic(), is_away=False)

    def _begin(self, turn: _Turn) -> None:
        with self._lock:
            self._waiting.append(turn)
            self._admit()
        while not turn.begins.wait(self._patience_s):
            # Whoever looks lets in the first one: those who are stuck do not say so.
            with self._lock:
                self._admit()

    def _move(self, turn: _Turn, *, since_s: float, is_away: bool) -> None:
        with self._lock:
            turn.since_s, turn.is_away = since_s, is_away
            self._admit()

    def _admit(self) -> None:
        if not self._waiting:
            return
        now_s = time.monotonic()
        counted = [turn for turn in self._under_way if now_s - turn.since_s < self._patience_s]
        if len(counted) < self._most and all(turn.is_away for turn in counted):
            first = self._waiting.popleft()
            first.since_s = now_s
            self._under_way.add(first)
            first.begins.set()


def elsewhere() -> AbstractContextManager[None]:
    """While the block waits for a store, let others compute, if this thread has a turn at all."""
    return _give_back(counts=True)


def away() -> AbstractContextManager[None]:
    """The same while the block waits for long, and takes nothing that others need."""
    return _give_back(counts=False)


def _give_back(*, counts: bool) -> AbstractContextManager[None]:
    turn: _Turn | None = getattr(_mine, "turn", None)
    return turn.turns.give_back(turn, counts=counts) if turn else nullcontext()


@contextmanager
def held(lock: threading.Lock) -> Iterator[bool]:
    """Hold *lock* while the block runs, and let others compute as long as it is not free; tells whether it was not."""
    waited = not lock.acquire(blocking=False)
    if waited:
        with away():
            lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


class OneForAll:
    """
    A lock for what one thread asks a store for all: who waits for it meanwhile hears, too, that the store is away.

    Else each of a hundred would find that out by itself, one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: StorageError | None = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """
        Be the one while the block runs, as soon as nobody else is.

        Raises: StorageError: what the one before raised, as long as this thread waited for it; its cause is the same.
        """
        with held(self._lock) as waited:
            fault = self._fault
            if waited and fault is not None:
                raise StorageError(fault.message, hint=fault.hint, field=fault.field) from fault.__cause__
            self._fault = None
            try:
                yield
            except StorageError as error:
                self._fault = error
                raise


class Once(Generic[T]):
    """What one thread finds for all who ask, when the first of them does."""

    def __init__(self) -> None:
        self._finding = OneForAll()
        self._found: list[T] = []

    def get(self, find: Callable[[], T]) -> T:
        """Return what was found, by this call or before. Raises: what *find* raises; the next one tries again."""
        if not self._found:
            with self._finding.hold():
                if not self._found:
                    self._found.append(find())
        return self._found[0]
