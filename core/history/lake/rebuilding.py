"""
Rebuilding a lost catalog from the Parquet files, as far as they tell.

The rows of all files are read and written into a new lake; the old files stay, unknown to it, and so does the old
catalog, under another name. What the files do not tell: rows that were only in the catalog (lots of up to ten, until
they are flushed at night), and which of two versions of a row counted. A message is taken in its most advanced state,
everything with a key from its newest file. Rollups and the index of numbers are not copied: the worker makes them anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath

from core.config import Settings
from core.errors import Conflict, StorageError
from core.history.catalog.catalog import UnusableCatalog
from core.history.catalog.identity import Identity, LakeRegister
from core.history.catalog.location import Location
from core.history.engine.door import Cursor
from core.history.lake.cleaning import clean
from core.history.lake.connection import LOCK_TIMEOUT_S, Lake
from core.history.sql.statements import load_statements
from core.identifiers import new_id

_SQL = load_statements("lake/rebuilding.sql")

# Made anew from the messages, by this or by the worker; or not at all.
DERIVED = frozenset(
    {
        "schema_migrations", "message_months", "routes", "series", "traffic_log", "series_days", "series_delay_days",
        "rollup_months", "rollup_patches", "receiver_endings", "indexed_spans", "unindexed_slots",
    }
)  # fmt: skip
# What tells a row from all others of its table. The other tables have no such thing.
_KEYS = {
    "messages": "message_id",
    "contacts": "list_id, row_no",
    "audience": "message_id",
    "frozen_audiences": "campaign_id",
    "appended_batches": "batch_id",
    "imported_chunks": "import_id, chunk_no",
    "receipts": "gateway, gateway_message_id, receipt_no, received_at",
}
# As in core.domain.messages.receipts: a final state never goes back, and Delivered is the last word.
_MESSAGE_RANK = "CASE delivery_status WHEN 'Delivered' THEN 2 WHEN 'Undelivered' THEN 1 ELSE 0 END DESC,"
_ORDERS = {"messages": "sent_at, message_id", "receipts": "sent_at, message_id", "audience": "campaign_id, position"}


@dataclass(frozen=True)
class Known:
    """What the installation knows of its history: the lists that are there, and the campaigns."""

    list_ids: Collection[str]
    campaign_ids: Collection[str]


@dataclass
class Rebuilt:
    """
    The *rows* of each table that were found, in how many *files*, and those of each list.

    *kept* is where the old catalog is now, "" when there was none.
    """

    rows: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    files: int = 0
    kept: str = ""


class Rebuilding:
    """Runs while nothing else does: whoever writes meanwhile is kept waiting, and then finds another catalog."""

    def __init__(self, settings: Settings, register: LakeRegister) -> None:
        self._settings = settings
        self._register = register
        self._location = Location.of(settings)
        self._identity = Identity(self._location, register)

    def rebuild(self, known: Known, now: datetime, *, replace: bool) -> Rebuilt:
        """
        Make a new catalog of what the files tell.

        *replace*: even if there is a usable catalog. The old one is kept under another name in any case.

        Raises: Conflict: there is one, and nobody said so. StorageError: as `Lake.write`, or there are no files.
        """
        self._refuse_whole(replace=replace)
        if not self._location.on_object_storage and not any(Path(self._location.files).rglob("*.parquet")):
            raise self._no_files()
        lake_id = self._register.find() or new_id()
        # From here on a catalog that is half rebuilt is refused, and what is to be done is to rebuild it once more.
        self._register.finish(lake_id)
        rebuilt = Rebuilt()
        beside = self._location.beside()
        self._location.make_folders()
        beside.remove_leftover()
        with self._location.lock().hold(LOCK_TIMEOUT_S):
            if self._location.catalog and self._is_there():
                rebuilt.kept = self._set_aside(now)
        lake = Lake(self._settings, location=beside)
        try:
            self._fill(lake, known, now, rebuilt)
        finally:
            lake.close()
        with self._location.lock().hold(LOCK_TIMEOUT_S):
            if not self._location.catalog and self._is_there():
                rebuilt.kept = self._set_aside(now)
            Identity(beside, None).catalog.write_identity(lake_id)
            beside.move_in()
        return rebuilt

    def _refuse_whole(self, *, replace: bool) -> None:
        try:
            found = self._identity.catalog.find_identity(thoroughly=True)
        except UnusableCatalog:
            return
        if found is not None and not replace:
            raise Conflict(
                f"The catalog of the message history, {self._identity.catalog.place}, can be used.",
                hint="Rebuilding would know less than it does. To rebuild anyway, add --replace.",
            )

    def _no_files(self) -> StorageError:
        return StorageError(
            f"There are no files of a message history in {self._location.files}.",
            hint="Put them back from a backup, together with their catalog.",
        )

    def _is_there(self) -> bool:
        try:
            return self._identity.catalog.find_identity() is not None
        except UnusableCatalog:
            return True

    def _set_aside(self, now: datetime) -> str:
        return self._identity.catalog.set_aside(f"before_{now:%Y%m%dt%H%M%S}")

    def _fill(self, lake: Lake, known: Known, now: datetime, rebuilt: Rebuilt) -> None:
        with lake.read() as cursor:
            tables = _data_tables(cursor)
            found = _files_by_table(cursor, self._location.files)
        if not found:
            raise self._no_files()
        for table in tables:
            for files, dead in _portions(found.get(table, [])):
                rebuilt.files += len(files)
                lake.write(partial(_copy, table=table, files=files, dead=dead, known=known))
        lake.write(lambda cursor: _complete(cursor, now))
        with lake.read() as cursor:
            for table in tables:
                rebuilt.rows[table] = int(cursor.execute(f"SELECT count(*) FROM lake.{table}").fetchall()[0][0])
            rebuilt.contacts = {str(name): int(count) for name, count in cursor.execute(_SQL["lists"]).fetchall()}


def _data_tables(cursor: Cursor) -> list[str]:
    named = cursor.execute("SELECT table_name FROM ducklake_table_info('lake') ORDER BY table_name").fetchall()
    return [str(name) for (name,) in named if name not in DERIVED]


def _files_by_table(cursor: Cursor, root: str) -> dict[str, list[str]]:
    """Return the Parquet files below the lake's by the folder of their table."""
    paths = cursor.execute("SELECT file FROM glob($pattern) ORDER BY file", {"pattern": f"{root}**/*.parquet"})
    found: dict[str, list[str]] = defaultdict(list)
    for (path,) in paths.fetchall():
        parts = PurePosixPath(str(path).removeprefix(root)).parts
        # The folder of the schema, that of the table, those of its partitions.
        if len(parts) > 2:
            found[parts[1]].append(str(path))
    return found


def _portions(paths: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """Return the files of each partition, with all files of deletions of the table: one portion is one commit."""
    dead = [path for path in paths if path.endswith("-delete.parquet")]
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not path.endswith("-delete.parquet"):
            folders[str(PurePosixPath(path).parent)].append(path)
    return [(files, dead) for _, files in sorted(folders.items())]


def _copy(cursor: Cursor, table: str, files: Sequence[str], dead: Sequence[str], known: Known) -> None:
    there = {str(name) for (name,) in cursor.execute(_SQL["columns_of_files"], {"files": files}).fetchall()}
    named = cursor.execute(_SQL["columns"].format(table=table)).fetchall()
    columns = ", ".join(f'"{name}"' for (name,) in named if name in there)
    # A message is never deleted, only replaced; the file that says so may be of a write that did not happen.
    ignored = table == "messages" or not dead
    alive = _SQL["alive"].format(columns=columns, dead="" if ignored else _SQL["without_dead"])
    values: dict[str, object] = {"files": files} if ignored else {"files": files, "dead": dead}
    if table not in _KEYS:
        cursor.execute(_SQL["insert_counted"].format(table=table, columns=columns, alive=alive), values)
        return
    condition = {
        "contacts": "list_id IN (SELECT unnest($known::VARCHAR[]))",
        "audience": "campaign_id IN (SELECT unnest($known::VARCHAR[]))",
    }.get(table, "true")
    if condition != "true":
        values["known"] = sorted(known.list_ids if table == "contacts" else known.campaign_ids)
    sql = _SQL["insert_newest"].format(
        table=table,
        columns=columns,
        alive=alive,
        condition=condition,
        key=_KEYS[table],
        rank=_MESSAGE_RANK if table == "messages" else "",
        order=_ORDERS.get(table, _KEYS[table]),
    )
    cursor.execute(sql, values)


def _complete(cursor: Cursor, now: datetime) -> None:
    """Add what follows from what is there, once it is what may be in a lake: old files may be of an old version."""
    clean(cursor)
    cursor.execute(_SQL["months"])
    cursor.execute(_SQL["frozen"], {"now": now})
    cursor.execute(_SQL["tags"], {"now": now})
