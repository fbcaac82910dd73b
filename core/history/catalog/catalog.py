"""The catalog as a file or a database, looked at before DuckLake touches it: whether it is there, whole, and whose."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import duckdb
import psycopg

from core.errors import StorageError
from core.history.catalog.location import SQLITE_BUSY_MS, quote
from core.history.catalog.locks import unreachable
from core.history.engine.door import Instance
from core.history.engine.extensions import load_extensions
from core.history.engine.faults import full_disk, is_full

# Our row among DuckLake's own facts about itself, in ducklake_metadata.
IDENTITY_KEY = "heliograph_lake_id"
_TABLES = {"ducklake_metadata", "ducklake_snapshot", "ducklake_data_file"}
_HINT = (
    "Put the newest copy of it in its place, or rebuild it from its files: python -m core history recover. "
    "See docs/operations.md."
)


class UnusableCatalog(StorageError):
    """It cannot be opened, is damaged, or is none."""


class Catalog(Protocol):
    """What names the lake's files. Every method raises `StorageError`: it cannot be reached, or is damaged."""

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""

    def find_identity(self, *, thoroughly: bool = False) -> str | None:
        """Return whose lake it says it is, "" when it does not say, None when there is no catalog or an empty one."""

    def write_identity(self, lake_id: str) -> None:
        """Let it say whose lake it is."""

    def check_writable(self) -> None:
        """Raise StorageError if this process may not write it; nothing is asked of a server."""

    def token(self) -> object:
        """Return what differs when another has been put in its place; nothing is asked of a server."""

    def set_aside(self, name: str) -> str:
        """Keep what is there under another name, and leave the place empty. Returns: Where it is now."""


class SqliteCatalog:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """Where it is."""
        return str(self._path)

    def find_identity(self, *, thoroughly: bool = False) -> str | None:
        """
        Return whose lake it says it is, "" when it does not say, None when there is no catalog or an empty one.

        *thoroughly*: the whole file is looked at, which takes a moment with a large one.
        Raises: StorageError: it is damaged, is something else, or cannot be opened.
        """
        try:
            if self._path.is_file() and not self._path.stat().st_size:
                return None
            if not os.path.lexists(self._path):
                return None
        except OSError as error:
            raise self._closed(str(error.strerror)) from error
        with self._asking("READ_ONLY") as ask:
            tables = {str(name) for (name,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return None
            if not tables >= _TABLES:
                raise foreign(self.place)
            if thoroughly and (fault := str(ask("PRAGMA quick_check(1)")[0][0])) != "ok":
                raise damaged(self.place, fault.splitlines()[-1])
            found = ask(f"SELECT value FROM ducklake_metadata WHERE key = '{IDENTITY_KEY}'")
        return str(found[0][0]) if found else ""

    def write_identity(self, lake_id: str) -> None:
        """Let it say whose lake it is."""
        with self._attached() as (beside, name):
            table = f"{name}.ducklake_metadata"
            beside.set_up("BEGIN TRANSACTION")
            beside.set_up(f"DELETE FROM {table} WHERE key = '{IDENTITY_KEY}'")
            beside.set_up(f"INSERT INTO {table} (key, value) VALUES ('{IDENTITY_KEY}', {quote(lake_id)})")
            beside.set_up("COMMIT")

    def check_writable(self) -> None:
        """Raise StorageError if this process may not write the file, or none beside it."""
        for path in (self._path.parent, self._path):
            if not os.access(path, os.W_OK):
                raise StorageError(f"{path} cannot be written.", hint="Let Heliograph read and write its data folder.")

    def token(self) -> object:
        """Return what differs when another file has been put in its place."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def set_aside(self, name: str) -> str:
        """Rename it, and what SQLite keeps beside it."""
        kept = self._path.with_name(f"{self._path.name}.{name}")
        # What it keeps beside it first: a new file must never meet the log of the old one.
        for ending in ("-wal", "-shm", ""):
            path = self._path.with_name(self._path.name + ending)
            if os.path.lexists(path):
                path.rename(kept.with_name(kept.name + ending))
        return str(kept)

    @contextmanager
    def _asking(self, *options: str) -> Iterator[Callable[[str], list[tuple[object, ...]]]]:
        """Give what asks SQLite itself; nothing is created by looking."""
        with self._attached(*options) as (beside, name):
            yield lambda sql: beside.look(f"FROM sqlite_query({quote(name)}, {quote(sql)})")

    @contextmanager
    def _attached(self, *options: str) -> Iterator[tuple[Instance, str]]:
        if not os.access(self._path, os.R_OK | os.W_OK):
            raise self._closed("permission denied")
        if not self._path.is_file():
            raise self._closed("it is not a file")
        name, listed = f"catalog_{uuid4().hex}", ", ".join(["TYPE sqlite", f"BUSY_TIMEOUT {SQLITE_BUSY_MS}", *options])
        try:
            with _beside() as beside:
                beside.set_up(f"ATTACH {quote(str(self._path))} AS {name} ({listed})")
                yield beside, name
        except duckdb.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: duckdb.Error) -> StorageError:
        reason = str(error)
        if is_full(error):
            return full_disk()
        if "disk I/O error" in reason:
            # A full disk makes SQLite say so as well, when it has no room for what it keeps beside the file.
            return UnusableCatalog(
                f"The catalog of the message history, {self.place}, cannot be read or written: disk I/O error.",
                hint=f"Make room on its disk if that is full, then try again. Otherwise: {_HINT[0].lower()}{_HINT[1:]}",
            )
        if "locked" in reason:
            return StorageError(
                f"The catalog of the message history, {self.place}, is busy.", hint="Try again in a minute."
            )
        if "unable to open" in reason:
            return self._closed("the system refuses it")
        return damaged(self.place, reason.splitlines()[0].rsplit(": ", 1)[-1])

    def _closed(self, reason: str) -> StorageError:
        return UnusableCatalog(
            f"The catalog of the message history, {self.place}, cannot be opened: {reason}.",
            hint="Let the user that Heliograph runs as read and write the file, or put a copy back.",
        )


@contextmanager
def _beside() -> Iterator[Instance]:
    """
    Give a DuckDB of its own that opens SQLite's files with the same library as the lake's.

    Python's is another one. Of two in a process neither sees the other's locks, and closing a file in one takes the
    locks of both: readers of the lake then stayed at an old snapshot for ever.
    """
    beside = Instance({"threads": "1"})
    try:
        load_extensions(beside, "sqlite_scanner")
        yield beside
    finally:
        beside.close()


class PostgresCatalog:
    """Tables in a database of PostgreSQL."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @property
    def place(self) -> str:
        """Which database it is in."""
        try:
            parts = psycopg.conninfo.conninfo_to_dict(self._dsn)
        except psycopg.ProgrammingError:
            return "the database of HELIOGRAPH_LAKE_CATALOG"
        return f"the database {parts.get('dbname', '')!r} of HELIOGRAPH_LAKE_CATALOG"

    def find_identity(self, *, thoroughly: bool = False) -> str | None:  # noqa: ARG002 - the server sees to its files
        """Return whose lake it says it is, "" when it does not say, None when there are no tables of a catalog."""
        with self._open() as connection:
            sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            listed = connection.execute(sql)
            there = {str(name) for (name,) in listed.fetchall()} & _TABLES
            if not there:
                return None
            if there != _TABLES:
                raise damaged(self.place, f"it has no table {min(_TABLES - there)}")
            sql = "SELECT value FROM public.ducklake_metadata WHERE key = %s"
            found = connection.execute(sql, [IDENTITY_KEY]).fetchone()
        return str(found[0]) if found else ""

    def write_identity(self, lake_id: str) -> None:
        """Let it say whose lake it is."""
        with self._open() as connection:
            connection.execute("DELETE FROM public.ducklake_metadata WHERE key = %s", [IDENTITY_KEY])
            sql = "INSERT INTO public.ducklake_metadata (key, value) VALUES (%s, %s)"
            connection.execute(sql, [IDENTITY_KEY, lake_id])

    def check_writable(self) -> None:
        """Know nothing: the server says it to whoever writes."""

    def token(self) -> object:
        """Return nothing: a database that is replaced ends its connections."""
        return None

    def set_aside(self, name: str) -> str:
        """Move its tables into a schema of their own, all in one transaction."""
        schema = psycopg.sql.Identifier(name)
        with self._open() as connection:
            connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(schema))
            listed = connection.execute(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_schema = 'public' AND starts_with(table_name, 'ducklake_')"
            )
            for (table,) in listed.fetchall():
                move = psycopg.sql.SQL("ALTER TABLE public.{} SET SCHEMA {}")
                connection.execute(move.format(psycopg.sql.Identifier(str(table)), schema))
        return f"the schema {name!r} of {self.place}"

    @contextmanager
    def _open(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        try:
            with psycopg.connect(self._dsn) as connection:
                yield connection
        except psycopg.Error as error:
            raise unreachable() from error


def missing(place: str) -> StorageError:
    """Return the error for a catalog that is gone while its installation, or its files, are there."""
    return StorageError(f"The catalog of the message history, {place}, is missing or empty.", hint=_HINT)


def damaged(place: str, reason: str) -> StorageError:
    """Return the error for a catalog that cannot be read."""
    return UnusableCatalog(f"The catalog of the message history, {place}, is damaged: {reason}.", hint=_HINT)


def unclaimed(place: str) -> StorageError:
    """Return the error for a lake of which the state store knows nothing: the store is new, or the old one was lost."""
    return UnusableCatalog(
        f"{place} exists, but the state store knows of no message history.",
        hint=(
            "If the state store was lost or moved, put it or its backup back in its place: accounts, lists and "
            "campaigns are in it. Only if the history is to continue with this new one, run: "
            "python -m core history adopt"
        ),
    )


def foreign(place: str) -> StorageError:
    """Return the error for a catalog of another lake, or for something that is none."""
    return UnusableCatalog(
        f"{place} is not the catalog of this installation's message history.",
        hint=(
            "Put the right one in its place. If it is this one, because state and history come from different backups, "
            "run: python -m core history adopt"
        ),
    )
