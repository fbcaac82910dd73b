"""How other programs attach the lake: the SQL for this installation, to read and never to write."""

import psycopg

from core.errors import ConfigurationError
from core.history.catalog.location import SQLITE_BUSY_MS, SQLITE_ONE_SNAPSHOT, Location, quote
from core.history.engine.extensions import find_extension


def attach_statements(location: Location) -> list[str]:
    """
    Return the SQL that attaches the lake read-only as `lake`, in order, each without its semicolon.

    No secret is in it: libpq finds a password itself, in PGPASSWORD or the password file, and the keys of an object
    storage stand as <AWS_…> for whoever pastes them.

    Raises: ConfigurationError: an extension's package is missing, or the catalog's libpq string cannot be read.
    """
    statements = [f"LOAD {quote(str(find_extension(name)))}" for name in location.extensions]
    statements.append("SET TimeZone = 'UTC'")
    if location.on_object_storage:
        statements.append(
            "CREATE SECRET lake_files (TYPE s3, KEY_ID '<AWS_ACCESS_KEY_ID>', SECRET '<AWS_SECRET_ACCESS_KEY>', "
            "REGION '<AWS_REGION>')"
        )
    options = ["READ_ONLY", f"DATA_PATH {quote(location.files)}", "OVERRIDE_DATA_PATH true"]
    if location.catalog:
        source = f"ducklake:postgres:{_without_password(location.catalog)}"
    else:
        statements.append(SQLITE_ONE_SNAPSHOT)
        source = f"ducklake:sqlite:{location.folder / 'catalog.sqlite'}"
        options.append(f"META_BUSY_TIMEOUT {SQLITE_BUSY_MS}")
    return [*statements, f"ATTACH {quote(source)} AS lake ({', '.join(options)})"]


def _without_password(catalog: str) -> str:
    try:
        parts = psycopg.conninfo.conninfo_to_dict(catalog)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            "HELIOGRAPH_LAKE_CATALOG is not a libpq string.", hint="Write it as dbname=… host=… user=…."
        ) from error
    return psycopg.conninfo.make_conninfo("", **{name: value for name, value in parts.items() if name != "password"})
