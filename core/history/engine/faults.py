"""What DuckDB and DuckLake raise, sorted: try again, tell a person, or let it fail as the bug it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from core.errors import StorageError

_LOCKED_WORDS = ("database is locked",)
# DuckLake reports these as plain text only; every one means that the transaction did not happen. Two that commit upon
# the same snapshot want the same number for the next one, and the catalog gives it to one of them.
_CONFLICT_WORDS = (
    *_LOCKED_WORDS,
    "conflict",
    "could not serialize",
    "deadlock detected",
    "duplicate key value violates unique constraint",
    "unique constraint failed",
)
# What SQLite, and DuckLake above it, say of a catalog that is not there any more, or not readable.
_LOST_WORDS = (
    "file is not a database",
    "disk image is malformed",
    "unable to open database",
    "readonly database",
    "disk i/o error",
    "table with name ducklake_",
    "no such table: ducklake_",
    'relation "public.ducklake_',
    "no snapshot found in ducklake",
    # PostgreSQL's answer to whatever follows a statement that failed, such as one for a table that is gone.
    "current transaction is aborted",
)
# What PostgreSQL's library says of a server that went away; DuckDB wraps it into whatever it was just about to do.
_AWAY_WORDS = (
    "server closed the connection",
    "terminating connection",
    "connection to server",
    "no connection to the server",
    "connection refused",
    "connection has been closed",
    "could not receive data from server",
    "could not send data to server",
    # A limit that the server or its administrator sets, such as lock_timeout; or its standby's own way.
    "canceling statement due to",
)
_FULL_WORDS = ("no space left", "disk is full", "database or disk is full", "disk quota exceeded")
_MEMORY_WORDS = ("out of memory", "failed to allocate", "could not allocate")


def is_conflict(error: duckdb.Error) -> bool:
    """Return whether another writer came first, so that the same work may succeed now."""
    return _says(error, _CONFLICT_WORDS)


def is_broken(error: duckdb.Error) -> bool:
    """Return whether the DuckDB instance must be opened again before it can be used."""
    return isinstance(error, duckdb.FatalException | duckdb.InternalException)


def is_lost(error: duckdb.Error) -> bool:
    """Return whether the catalog seems to be gone, damaged, or out of reach, so that it must be looked at anew."""
    return _says(error, _LOST_WORDS)


def is_full(error: duckdb.Error) -> bool:
    """Return whether there is no room on the disk."""
    return _says(error, _FULL_WORDS)


def full_disk() -> StorageError:
    """Return the error for a disk without room."""
    return StorageError(
        "The disk that holds the message history is full.", hint="Make room on it, then try again; nothing was lost."
    )


def explain(error: duckdb.Error) -> StorageError | None:
    """
    Put an operational error into words; None when it is a mistake in our SQL and must stay visible.

    The text of *error* is left out: it may hold the catalog's password. It remains as the cause.
    """
    if is_full(error):
        return full_disk()
    if isinstance(error, duckdb.OutOfMemoryException) or _says(error, _MEMORY_WORDS):
        return StorageError(
            "The message history needs more memory than it may use.",
            hint="Ask for a shorter period, or raise HELIOGRAPH_DUCKDB_MEMORY_MIB.",
        )
    if _says(error, _LOCKED_WORDS):
        return StorageError(
            "The catalog of the message history is busy: another program keeps it locked.",
            hint="Try again in a minute, and end any program that copies or changes that file.",
        )
    if is_conflict(error):
        return StorageError(
            "The message history could not be written: others were writing at the same time.",
            hint="Try again in a minute.",
        )
    # What the extensions raise has no class of its own: it is about a catalog or a file, never about our SQL.
    plain = isinstance(error, duckdb.OperationalError) or type(error) is duckdb.Error
    if plain or is_broken(error) or is_lost(error) or _says(error, _AWAY_WORDS):
        return StorageError(
            "The message history could not be reached.",
            hint="Check that its catalog and its files can be reached, then try again.",
        )
    return None


@contextmanager
def explained() -> Iterator[None]:
    """Turn the operational errors of a block into `StorageError`s that have them as their cause."""
    try:
        yield
    except duckdb.Error as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise sentence from error


def _says(error: duckdb.Error, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)
