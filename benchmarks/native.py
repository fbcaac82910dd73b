"""The same messages in a DuckDB file of their own, as one would have them without a lake."""

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from benchmarks import traffic

_MONTH = re.compile(r"year=(\d+)/month=(\d+)/")


class NativeFile:
    """Answers SQL over a table `messages` with the lake's columns."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take a connection to the file."""
        self._connection = connection

    def ask(self, sql: str, values: Mapping[str, object]) -> object:
        """Run a question whose table is written {messages}."""
        return self._connection.execute(sql.format(messages="messages"), dict(values)).to_arrow_table()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def prepare(path: Path, made: traffic.Traffic) -> NativeFile:
    """Return the file at *path*, filled now unless it is there."""
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with duckdb.connect(str(draft)) as connection:
            # Each file is in order already, and so are the months: sorting a hundred million rows spills for minutes.
            files = sorted(map(str, made.files.rglob("*.parquet")), key=_month_of)
            connection.execute("CREATE TABLE messages AS FROM read_parquet($files)", {"files": files})
        draft.rename(path)
    connection = duckdb.connect(str(path), read_only=True, config={"memory_limit": f"{traffic.MEMORY_MIB}MiB"})
    connection.execute("SET TimeZone = 'UTC'")
    return NativeFile(connection)


def _month_of(path: str) -> tuple[int, int]:
    found = _MONTH.search(path)
    if found is None:
        raise ValueError(f"{path} is in no month's folder")
    return int(found[1]), int(found[2])
