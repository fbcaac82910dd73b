"""
Where SQLite keeps the state store, and whether the file there is still the one that was opened.

An open connection goes on with a file that was moved away or replaced, and all that it writes is lost with the last
process that has it open; a new connection makes an empty file where none is. Neither says a word.
"""

from pathlib import Path
from threading import Event

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from core.errors import StorageError


class ReadOnly(StorageError):
    """The state store's file may not be written."""

    def __init__(self) -> None:
        super().__init__(
            "The state store cannot be written: its file, or its folder, is read-only.",
            hint="Let Heliograph read and write its data folder.",
        )


class SqliteFile:
    """Remembers the first file that connections of an engine opened, and lets no other one do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None
        self._closing = Event()

    def watch(self, engine: Engine) -> None:
        """Look before each connection and each use of one. Both raise StorageError: `check` does."""
        event.listen(engine, "do_connect", self._before_connecting)
        event.listen(engine, "connect", self._after_connecting)
        event.listen(engine, "checkout", self._before_using)

    def forget(self) -> None:
        """Take whichever file is there next; no connection is open any more."""
        self._opened = None

    def begin_closing(self) -> None:
        """
        Let nobody in until all connections of this process are closed: `end_closing` does so.

        SQLite's connections of one process share what they know of the file. One opened while it was read-only keeps
        all others so, also those opened after it no longer is.
        """
        self._closing.set()

    def end_closing(self, engine: Engine) -> None:
        """Close the connections and let others in, if that was begun and none is in use: whoever had one asks."""
        if self._closing.is_set() and isinstance(engine.pool, QueuePool) and engine.pool.checkedout() == 0:
            engine.dispose()
            self._closing.clear()

    def check(self) -> None:
        """Raise StorageError if another file is where the one that was opened was, or none, or all are closing."""
        if self._closing.is_set():
            raise ReadOnly
        if self._opened is not None and self._find() != self._opened:
            raise StorageError(
                f"{self._path} was moved away or replaced while Heliograph was running.",
                hint="Put it back. If the new one is meant, stop web and worker, and start them again.",
            )

    def _find(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _before_connecting(self, *_: object) -> None:
        self.check()

    def _after_connecting(self, _connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        if self._opened is None:
            self._opened = self._find()

    def _before_using(
        self, _connection: DBAPIConnection, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        self.check()
