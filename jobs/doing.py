"""Knowing what this process is doing just now."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from core.services.work_queue import Work


class Doing:
    """
    Counts what threads of this process do.

    Huey's signals would not do for that: it writes to the queue between a task's end and the signal of it, and a queue
    that is locked just then leaves the task under way for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: Counter[Work] = Counter()

    @contextmanager
    def under_way(self, work: Work) -> Iterator[None]:
        """Count *work* within the block, however that ends."""
        with self._lock:
            self._works[work] += 1
        try:
            yield
        finally:
            with self._lock:
                self._works[work] -= 1

    def counts(self) -> Counter[Work]:
        """Return how many threads do each piece of work."""
        with self._lock:
            self._works = +self._works
            return self._works.copy()


doing = Doing()
