"""Where the lake is: its catalog, its files, its writer's lock, and how DuckDB attaches them."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import Settings
from core.history.catalog.catalog_file import empty_log
from core.history.catalog.locks import (
    MAINTENANCE_KEY,
    AdvisoryLock,
    FileGate,
    FileLock,
    OpenGate,
    ReaderGate,
    WriterLock,
)
from core.history.engine.door import Instance

# Milliseconds a reader or writer waits for SQLite's own short locks.
SQLITE_BUSY_MS = 10_000
# DuckDB else reads each table of a catalog in SQLite through connections that it opens for it, of which each sees what
# is there by then: of a commit in between a reader saw new files without what was deleted from them, or the reverse.
# Now all that a transaction reads goes through its own connection, which has one snapshot. For the whole instance:
# DuckLake asks its catalog in sessions of its own.
SQLITE_ONE_SNAPSHOT = "SET GLOBAL sqlite_disable_multithreaded_scans = true"


@dataclass(frozen=True)
class Location:
    """
    *catalog* is a libpq string, or "" for SQLite in *folder*; *files* a folder or an s3:// prefix, ending in /.

    *is_rebuilt*: the catalog is being rebuilt. A file is so beside the one that counts.
    """

    folder: Path
    catalog: str
    files: str
    is_rebuilt: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "Location":
        """Return the place the settings name."""
        folder = settings.data_dir.resolve() / "history"
        files = settings.lake_files or str(folder / "files")
        if not files.startswith("s3://"):
            files = str(Path(files).resolve())
        return cls(folder, settings.lake_catalog, files.rstrip("/") + "/")

    @property
    def catalog_file(self) -> Path:
        """The catalog, when it is in SQLite."""
        return self.folder / ("catalog.rebuilt.sqlite" if self.is_rebuilt else "catalog.sqlite")

    def beside(self) -> "Location":
        """Return the place where the catalog of the same files is rebuilt."""
        return replace(self, is_rebuilt=True)

    def remove_leftover(self) -> None:
        """Delete what a rebuilding that was killed has left."""
        for ending in ("", "-wal", "-shm"):
            self.catalog_file.with_name(self.catalog_file.name + ending).unlink(missing_ok=True)

    def move_in(self) -> None:
        """
        Let the rebuilt file be the catalog; there is no other one any more. In PostgreSQL it is in its place.

        Raises: StorageError: what is in its log cannot be put into the file.
        """
        if self.catalog:
            return
        empty_log(self.catalog_file)
        self.catalog_file.rename(replace(self, is_rebuilt=False).catalog_file)

    @property
    def spill_dir(self) -> Path:
        """Folder of the folders for what does not fit into DuckDB's memory limit, one for each instance."""
        return self.folder / "spill"

    @property
    def on_object_storage(self) -> bool:
        """Whether the files are on S3 or something that speaks like it."""
        return self.files.startswith("s3://")

    @property
    def extensions(self) -> tuple[str, ...]:
        """DuckDB extensions that reach this place."""
        scanner = "postgres_scanner" if self.catalog else "sqlite_scanner"
        return ("ducklake", scanner, *(["httpfs"] if self.on_object_storage else []))

    def lock(self) -> WriterLock:
        """Return the lock all writers of this lake share."""
        return AdvisoryLock(self.catalog) if self.catalog else FileLock(self.folder / "writer.lock")

    def gate(self) -> ReaderGate:
        """Return the gate all readers of this lake go through."""
        return OpenGate() if self.catalog else FileGate(self.folder)

    def maintenance_lock(self) -> WriterLock:
        """Return the lock of whoever maintains this lake: two would do the same twice."""
        if self.catalog:
            return AdvisoryLock(self.catalog, MAINTENANCE_KEY)
        return FileLock(self.folder / "maintenance.lock")

    def make_folders(self) -> None:
        """Create the folders of this machine that are missing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.on_object_storage:
            Path(self.files).mkdir(parents=True, exist_ok=True, mode=0o700)

    def has_files(self, instance: Instance) -> bool:
        """Return whether there is any Parquet file where the lake's are, that its catalog should know."""
        if self.is_rebuilt:
            return False
        if not self.on_object_storage:
            return any(Path(self.files).rglob("*.parquet"))
        _use_credentials(instance)
        with instance.cursor() as cursor:
            sql = "SELECT 1 FROM glob($pattern) LIMIT 1"
            return cursor.execute(sql, {"pattern": f"{self.files}**/*.parquet"}).fetchone() is not None

    def attach(self, instance: Instance, *, create: bool) -> None:
        """Attach the lake as `lake`; its catalog must be there, but is created when there is none if *create*."""
        if self.on_object_storage:
            _use_credentials(instance)
        # The files are listed relative to their folder: overriding lets a backup be restored elsewhere.
        options = [f"DATA_PATH {quote(self.files)}", "OVERRIDE_DATA_PATH true", f"CREATE_IF_NOT_EXISTS {create}"]
        if self.catalog:
            source = f"ducklake:postgres:{self.catalog}"
        else:
            instance.set_up(SQLITE_ONE_SNAPSHOT)
            source = f"ducklake:sqlite:{self.catalog_file}"
            # Without WAL, readers wait for writers and commits fail with "database is locked".
            options += ["META_JOURNAL_MODE 'WAL'", f"META_BUSY_TIMEOUT {SQLITE_BUSY_MS}"]
        instance.set_up(f"ATTACH {quote(source)} AS lake ({', '.join(options)})")


def _use_credentials(instance: Instance) -> None:
    """Hand DuckDB the object storage's credentials, from the variables every S3 client reads."""
    given = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", ""),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN", ""),
        "REGION": os.environ.get("AWS_REGION", "") or os.environ.get("AWS_DEFAULT_REGION", ""),
    }
    address = os.environ.get("AWS_ENDPOINT_URL_S3", "") or os.environ.get("AWS_ENDPOINT_URL", "")
    if address:
        scheme, _, host = address.partition("://")
        # Servers that are not Amazon's have no host name per bucket.
        given |= {"ENDPOINT": host.rstrip("/"), "URL_STYLE": "path", "USE_SSL": str(scheme != "http").lower()}
    options = "".join(f", {name} {quote(value)}" for name, value in given.items() if value)
    instance.set_up(f"CREATE OR REPLACE SECRET lake_files (TYPE s3{options})")


def quote(text: str) -> str:
    """Return *text* as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
