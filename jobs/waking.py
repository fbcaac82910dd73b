"""A queue in an SQLite file whose threads wait to be woken, instead of looking into the file again and again."""

import threading

from huey import Huey
from huey.storage import SqliteStorage

# Until a thread looks by itself; who puts a task in, and who ends the worker, wakes it.
WAIT_S = 10.0


class WakingStorage(SqliteStorage):
    """
    Wakes a thread of this process for each task that is put in by it.

    Of what another process put in, and has no thread for, `wake` tells: the pulse sees it with its next beat.
    """

    blocking = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take what Huey's storage takes; nothing connects."""
        super().__init__(*args, **kwargs)
        self._changed = threading.Condition()
        # How often anything may have been put in; who waits has looked into the file before the last time.
        self._news = 0
        self._is_over = False

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Put a task in, and let a thread take it at once."""
        super().enqueue(data, priority)
        self.wake()

    def dequeue(self) -> bytes | None:
        """Return the next task; None when none came for `WAIT_S`, or it was woken for nothing."""
        with self._changed:
            seen = self._news
        data: bytes | None = super().dequeue()
        if data is None:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._news != seen, WAIT_S)
            data = super().dequeue()
        return data

    def wake(self) -> None:
        """Let every thread that waits look into the file."""
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def end_waiting(self) -> None:
        """Let no thread wait any more, not even one that is just about to: the worker ends."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


class WakingHuey(Huey):
    """Huey over such a file."""

    storage_class = WakingStorage
