"""
Maintenance: what keeps the lake's files few, and gives back what nobody reads any more.

Every method is one bounded step that does nothing when there is nothing to do. Steps that change tables run as the
lake's only writer, in one transaction each; killed in the middle they have not happened. Files are deleted only when
the catalog itself has listed them for that, and nothing has named them for a while, which the caller says: a reader may
hold an older snapshot. Files the catalog does not know are found and never deleted.

Who reads meanwhile has a snapshot of the catalog, and sees what he saw. Only writing a catalog in SQLite anew waits for
a moment in which nobody reads (`core.history.catalog.locks.FileGate`), and raises `ReadersInside` when none comes.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from core.history.catalog.catalog_file import vacuum
from core.history.engine.door import TARGET_FILE_SIZE, Cursor
from core.history.engine.results import fetch_one
from core.history.lake.changes import note_unchanged
from core.history.lake.connection import Lake
from core.history.sql.statements import load_statements

_SQL = load_statements("lake/maintenance.sql")
log = logging.getLogger(__name__)

_MIB = 1 << 20
# A merged file is at most this large, and one from half of it on is left alone: about 300,000 messages, written in
# about half a second.
MOST_BYTES = 16 * _MIB
SMALL_BYTES = MOST_BYTES // 2
# The catalog lists a snapshot in a few hundred bytes, and expiring looks through all files once per step.
MOST_SNAPSHOTS = 5_000
# Files deleted per step: local ones take some 20 µs each, remote ones a request.
MOST_DELETED = 1_000


@dataclass(frozen=True)
class StepBounds:
    """
    How much one step takes on.

    *files* are opened at most by one merge. A rewrite takes files of which at least *share* of the rows are deleted,
    or *share_small* of small ones; those alike in it go together, so that it may take more.
    """

    files: int = 250
    share: float = 0.3
    share_small: float = 0.0


@dataclass(frozen=True)
class TableState:
    """
    A table's files as they are read now.

    *bytes* are all its files'; *worn* files have deleted rows; *small* is the largest number of small, unworn files
    in one partition; *inlined* rows are in the catalog instead, with those deleted there.
    """

    name: str
    files: int
    bytes: int
    worn: int
    small: int
    inlined: int


class Maintenance:
    """The steps; safe to run at any time, and twice."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the right to maintain while the block runs; False when another thread or process has it."""
        with self._lake.try_maintenance() as held:
            yield held

    def survey(self) -> list[TableState]:
        """Return every table of the lake, by name."""
        with self._lake.read() as cursor:
            inlined = [
                _SQL["inlined_rows"].format(table_id=table_id, table=table)
                for table_id, table in cursor.execute(_SQL["inlined_tables"]).fetchall()
            ]
            nothing = "SELECT 0::BIGINT AS table_id, 0 AS inlined"
            sql = _SQL["census"].format(files=_files(cursor), inlined=" UNION ALL ".join(inlined) or nothing)
            return [
                TableState(str(name), *map(int, counts)) for name, *counts in _rows(cursor, sql, {"small": SMALL_BYTES})
            ]

    def flush(self, table: str) -> int:
        """Move the table's rows from the catalog into a file. Returns: How many rows."""

        def flush(cursor: Cursor) -> int:
            # DuckLake records what had been deleted from files, and goes there now, as deleted in this commit.
            note_unchanged(cursor)
            return int(fetch_one(cursor, _SQL["flush"].format(table=table))[0])

        return self._lake.write(flush)

    def merge(self, table: str, bounds: StepBounds) -> int:
        """Make one file of adjacent small ones in each partition. Returns: How many files were merged."""

        def merge(cursor: Cursor) -> int:
            values = {"small": SMALL_BYTES, "most": bounds.files, "most_bytes": MOST_BYTES}
            sql = _SQL["merge_size"].format(files=_files(cursor, table))
            outputs, most_bytes = fetch_one(cursor, sql, values)
            # The setting is the whole process's, but whoever writes holds the writer's lock, and that is us.
            cursor.execute(f"SET GLOBAL {TARGET_FILE_SIZE} = '{most_bytes}B'")
            try:
                return int(fetch_one(cursor, _SQL["merge"].format(table=table, outputs=outputs))[0])
            finally:
                cursor.execute(f"RESET GLOBAL {TARGET_FILE_SIZE}")

        return self._lake.write(merge)

    def rewrite(self, table: str, bounds: StepBounds) -> int:
        """Write files anew without their deleted rows, those with the most first. Returns: How many files."""

        def rewrite(cursor: Cursor) -> int:
            values = {
                "small": SMALL_BYTES,
                "most": bounds.files,
                "most_bytes": MOST_BYTES,
                "least_share": bounds.share,
                "least_share_small": bounds.share_small,
            }
            sql = _SQL["rewrite_share"].format(files=_files(cursor, table))
            share = fetch_one(cursor, sql, values)[0]
            if share is None:
                return 0
            return int(fetch_one(cursor, _SQL["rewrite"].format(table=table, share=_just_below(share)))[0])

        return self._lake.write(rewrite)

    def expire(self, before: datetime) -> int:
        """Forget snapshots older than *before*, oldest first. Returns: How many."""

        def expire(cursor: Cursor) -> int:
            # By number: in a SQLite catalog DuckLake compares times as text, and takes those of the whole day.
            values = {"before": before, "most": MOST_SNAPSHOTS}
            versions = [str(version) for (version,) in _rows(cursor, _SQL["old_snapshots"], values)]
            if not versions:
                return 0
            return int(fetch_one(cursor, _SQL["expire"].format(versions=", ".join(versions)))[0])

        with self._lake.read() as cursor:
            if not _rows(cursor, _SQL["old_snapshots"], {"before": before, "most": 1}):
                return 0
        return self._lake.write(expire)

    def delete_files(self, before: datetime) -> tuple[int, int]:
        """
        Delete files that no snapshot has named since *before*.

        Returns: How many, and their bytes (0 on object storage, where nobody looks).
        """
        with self._lake.read() as cursor:
            found = _rows(cursor, _SQL["unused_files"], {"before": before, "most": MOST_DELETED})
        if not found:
            return 0, 0
        if self._lake.location.on_object_storage:
            return self._clean_up(before, found[-1][3]), 0
        # The files first: what is listed and gone does no harm, what is there and not listed would be an orphan.
        paths = [Path(self._lake.location.files) / path if relative else Path(path) for _, path, relative, _ in found]
        freed = sum(map(_unlink, paths))
        ids = [data_file_id for data_file_id, *_ in found]
        self._lake.write(lambda cursor: cursor.execute(_SQL["forget_files"], {"ids": ids}).fetchall())
        return len(found), freed

    def find_orphans(self, before: datetime) -> list[str]:
        """
        Return the files below the lake's that its catalog does not name and that were written before *before*.

        Killed writers leave them behind. But in an older catalog that was put back, or in a rebuilt one, they are the
        messages it does not know of: nothing tells the two apart, so nothing deletes them.
        """
        sql = _SQL["find_orphans"].format(before=before.isoformat())
        return self._lake.tend(lambda cursor: [str(path) for (path,) in _rows(cursor, sql)])

    def set_aside(self, paths: Sequence[str], name: str) -> int:
        """
        Move files that `find_orphans` gave to `set-aside/<name>` beside the lake's, each into its own folder.

        Returns: How many; 0 on object storage, where files cannot be moved.
        """
        location = self._lake.location
        if location.on_object_storage:
            return 0
        root = Path(location.files)
        for path in map(Path, paths):
            place = location.folder / "set-aside" / name / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)
        return len(paths)

    def scrub(self) -> None:
        """
        Write a catalog in SQLite anew, without what was deleted there; PostgreSQL does so by itself.

        Rows that were few lay in the catalog, and it knew the least and the greatest value of each file. Raises:
        ReadersInside. StorageError: as `Lake.write`.
        """
        if not self._lake.location.catalog:
            self._lake.idle(partial(vacuum, self._lake.location.catalog_file))

    def _clean_up(self, before: datetime, last: datetime) -> int:
        """Let DuckLake delete what was listed before *before*, and not after *last* (plain UTC) if it can tell."""
        if self._lake.location.catalog:
            until = min(before, last.replace(tzinfo=before.tzinfo) + timedelta(microseconds=1))
            sql = _SQL["clean_up"].format(before=until.isoformat())
            return self._lake.tend(lambda cursor: int(fetch_one(cursor, sql)[0]))
        # In a SQLite catalog it takes all that was listed on the day of the moment it is given.
        sql = _SQL["clean_up"].format(before=(before - timedelta(days=1)).isoformat())
        return self._lake.write(lambda cursor: int(fetch_one(cursor, sql)[0]))


def _files(cursor: Cursor, table: str = "") -> str:
    """Return the query of the files that are read now, of one table or of all."""
    tables = [(table_id, name) for table_id, name in _rows(cursor, _SQL["tables"]) if table in {"", name}]
    parts = [_SQL["inlined_deletes"].format(table_id=table_id) for table_id, _ in tables]
    deletes = "".join(f" UNION ALL {part}" for part in parts if _exists(cursor, part))
    only = f" AND d.table_id IN ({', '.join(str(table_id) for table_id, _ in tables)})" if table else ""
    return _SQL["live_files"].format(deletes=deletes) + only


def _exists(cursor: Cursor, sql: str) -> bool:
    """Return whether the table of *sql* is there: DuckLake makes those of deleted rows when they are first needed."""
    try:
        cursor.execute(f"{sql} LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def _rows(cursor: Cursor, sql: str, values: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
    return cursor.execute(sql, values or {}).fetchall()


def _just_below(share: float) -> float:
    return max(0.0, share - 1e-9)


def _unlink(path: Path) -> int:
    """Delete the file and return its bytes, 0 when it was gone already."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size
