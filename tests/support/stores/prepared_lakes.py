"""
Databases of PostgreSQL with a lake's tables at hand, which to make takes longer than most tests.

They lie in a schema where nobody looks for a catalog: whoever asks for one finds none, as in an empty database, until
this process would make it. What other processes do is not shortened.
"""

import shutil
from pathlib import Path

import psycopg

from core.config import Settings
from core.history.catalog.catalog import IDENTITY_KEY
from core.history.catalog.location import Location
from core.history.lake.connection import Lake

SCHEMA = "prepared"


def prepare(dsn: str, folder: Path) -> None:
    """Make a lake in the empty database *dsn*, its files below *folder*, and lay its tables aside."""
    lake = Lake(Settings(data_dir=folder, lake_catalog=dsn))
    lake.ping()
    lake.close()
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM ducklake_metadata WHERE key = %s", [IDENTITY_KEY])
        connection.execute(f"ALTER SCHEMA public RENAME TO {SCHEMA}")
        connection.execute("CREATE SCHEMA public")
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '{folder / 'history' / 'files'}'")


def take_prepared(location: Location) -> None:
    """Let the tables that were laid aside, if any, be the catalog of *location*, which has none and no files yet."""
    with psycopg.connect(location.catalog) as connection:
        # Of two threads that get here at once, the second finds nothing aside any more.
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        sql = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"
        found = connection.execute(sql, [SCHEMA]).fetchone()
        if found is None:
            return
        # Fails where somebody else has made tables meanwhile, rather than take them away.
        connection.execute("DROP SCHEMA public")
        connection.execute(f"ALTER SCHEMA {SCHEMA} RENAME TO public")
        # Who asks for what is an hour old must not find a lake as old as the whole run.
        connection.execute("UPDATE ducklake_snapshot SET snapshot_time = clock_timestamp()")
        shutil.copytree(found[0], location.files, dirs_exist_ok=True)
