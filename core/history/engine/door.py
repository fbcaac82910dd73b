"""
The one door to the lake: whatever goes into a statement passes here, and nobody else holds DuckDB's own connection.

DuckLake 1.5.5 writes the constants of a filter into the query it asks its catalog, as text: bound values, and the least
and greatest text of what a table is joined with. It doubles quotes, but a NUL ends the text there, and what the next
value says is then read as SQL (`tests/integration/history/engine/test_injection.py`). So binding values is not enough.

- `Cursor.execute` refuses control characters and halves of a surrogate pair in the statement and in all it binds,
  however deep. Prose may hold line breaks, which do no harm (tried with each control character, on both catalogs), but
  only where the caller says that it is prose.
- `Cursor.register` looks through a whole table, many values at a time.
- Statements are what we write: queries, changes and tables. ATTACH, COPY, LOAD and the like are refused, and so are
  functions that reach another database.
- `Instance.lock_down` takes DuckDB's reach away: no file outside the lake's, no extension, no setting.

Those who put things in clean or refuse them in words of their own; that this door says no is the last resort.
"""

import math
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any, Self
from uuid import UUID

import duckdb
import pyarrow as pa

from core.domain.words.control_characters import Prose, find_control, refuse_controls
from core.errors import InvalidInput
from core.history.engine.spill import Spill
from core.history.sql.arrow_texts import find_fault
from core.turns import elsewhere

# Nothing is ever downloaded, and only what is signed is loaded.
CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_unsigned_extensions": "false",
}
# The one setting that is changed later on: how large maintenance makes files.
TARGET_FILE_SIZE = "ducklake_target_file_size"

_numbers = count(1)
_PLAIN = (datetime, date, time, timedelta, UUID)
_MOST_BITS = 127
_KINDS = "SELECT INSERT UPDATE DELETE MERGE_INTO CREATE DROP ALTER CALL TRANSACTION EXPLAIN"
_ALLOWED = {getattr(duckdb.StatementType, name) for name in _KINDS.split()}
_TARGET_SIZE = re.compile(rf"(?:SET GLOBAL {TARGET_FILE_SIZE} = '\d+B'|RESET GLOBAL {TARGET_FILE_SIZE})")
# DuckDB's lock does not hold for SQLite's scanner, which opens any file.
_REACHES_OUT = re.compile(
    r"(?:sqlite|postgres)_(?:scan|query|attach|execute)|\bread_(?:csv|json|ndjson|text|blob)"
    r"|\bcreate\s+(?:or\s+replace\s+)?(?:persistent\s+|temporary\s+)?secret\b",
    re.IGNORECASE,
)


class Cursor:
    """A cursor of the lake: DuckDB's, as far as we use it. Answers are taken from it after `execute`, as there."""

    __slots__ = ("__raw", "instance_no")

    def __init__(self, raw: duckdb.DuckDBPyConnection, instance_no: int = 0) -> None:
        """Take DuckDB's own, and the number that tells its instance from all others of this process."""
        self.__raw = raw
        self.instance_no = instance_no

    def execute(self, sql: str, values: Mapping[str, object] | Sequence[object] | None = None) -> Self:
        """
        Run *sql* with bound *values*.

        Raises: InvalidInput: a value cannot go into the lake. ValueError, TypeError: the statement, or the type of a
            value, is none of ours.
        """
        check_statement(sql)
        if isinstance(values, Mapping):
            for name, value in values.items():
                check_value(value, name)
        elif values:
            check_value(values, "value")
        with elsewhere():
            if values:
                self.__raw.execute(sql, dict(values) if isinstance(values, Mapping) else list(values))
            else:
                self.__raw.execute(sql)
        return self

    def register(self, name: str, table: pa.Table) -> None:
        """
        Let statements read *table* as *name*, from now until `unregister` or the cursor's end.

        Raises: InvalidInput: a text in it cannot go into the lake. TypeError: a column of bytes, or no table.
        """
        if not isinstance(table, pa.Table):
            raise TypeError("only Arrow tables are registered")
        if fault := find_fault(table):
            raise InvalidInput(
                f"A text has a character that the message history cannot store ({fault}).",
                hint="Remove the invisible control characters from what is imported.",
            )
        self.__raw.register(name, table)

    def unregister(self, name: str) -> None:
        """Forget a registered table."""
        self.__raw.unregister(name)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None after the last."""
        row: tuple[Any, ...] | None = self.__raw.fetchone()
        return row

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        rows: list[tuple[Any, ...]] = self.__raw.fetchall()
        return rows

    def fetchmany(self, row_count: int) -> list[tuple[Any, ...]]:
        """Return up to *row_count* of the rows that are left."""
        rows: list[tuple[Any, ...]] = self.__raw.fetchmany(row_count)
        return rows

    def fetchnumpy(self) -> dict[str, Any]:
        """Return the columns by name."""
        columns: dict[str, Any] = self.__raw.fetchnumpy()
        return columns

    def to_arrow_table(self) -> pa.Table:
        """Return the rows as one table."""
        with elsewhere():
            return self.__raw.to_arrow_table()

    def to_arrow_reader(self, row_count: int) -> pa.RecordBatchReader:
        """Return a reader of batches of about *row_count* rows."""
        return self.__raw.to_arrow_reader(row_count)


class Instance:
    """DuckDB in this process: set up, locked down, and from then on reached by its cursors only."""

    __slots__ = ("__number", "__raw", "__remove_spill", "__weakref__")

    def __init__(self, settings: Mapping[str, str] | None = None, spill: Spill | None = None) -> None:
        """Open one in memory, with *settings* besides our own; what does not fit there goes to *spill*, its own now."""
        self.__number = next(_numbers)
        # One that is broken is never closed, but forgotten by all who still use it.
        self.__remove_spill = weakref.finalize(self, spill.remove) if spill else None
        ours = {**CONFIG, **({"temp_directory": str(spill.folder)} if spill else {})}
        self.__raw = duckdb.connect(":memory:", config={**ours, **(settings or {})})

    @property
    def number(self) -> int:
        """What tells it from all others of this process."""
        return self.__number

    def set_up(self, sql: str) -> None:
        """
        Run a statement of the set-up, which only the code and the settings of the installation make.

        Raises: InvalidInput: a setting holds a control character.
        """
        refuse_controls(sql, "A setting of the lake")
        self.__raw.execute(sql)

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a question of the set-up. Raises: as `set_up`."""
        self.set_up(sql)
        rows: list[tuple[Any, ...]] = self.__raw.fetchall()
        return rows

    def lock_down(self, folders: Sequence[str]) -> None:
        """Take away every file but those in *folders* (of this machine, or s3:// prefixes), and every setting."""
        listed = ", ".join("'" + folder.replace("'", "''") + "'" for folder in folders)
        self.set_up(f"SET GLOBAL allowed_directories = [{listed}]")
        self.set_up(f"SET GLOBAL allowed_configs = ['{TARGET_FILE_SIZE}']")
        self.set_up("SET GLOBAL enable_external_access = false")
        self.set_up("SET GLOBAL lock_configuration = true")

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """Give a cursor of its own to each call."""
        with self.__raw.cursor() as raw:
            yield Cursor(raw, self.__number)

    def close(self) -> None:
        """Close it; what still runs on it fails."""
        self.__raw.close()
        if self.__remove_spill is not None:
            self.__remove_spill()


@lru_cache(maxsize=2_048)
def check_statement(sql: str) -> None:
    """Let a statement of ours pass. Raises: ValueError: it is none, or holds a control character."""
    if found := find_control(sql, is_prose=True):
        raise ValueError(f"a statement holds {found[0]!r}")
    if reaches := _REACHES_OUT.search(sql):
        raise ValueError(f"{reaches[0]} is not for the lake")
    for statement in duckdb.extract_statements(sql):
        if statement.type not in _ALLOWED and not _TARGET_SIZE.fullmatch(statement.query.strip().rstrip(";")):
            raise ValueError(f"{statement.type} is not for the lake")


def check_value(value: object, name: str) -> None:
    """
    Let a value that is bound pass.

    Raises: InvalidInput: a control character, half a pair, no finite number, or one that is too large. TypeError: of no
        type that we bind.
    """
    if isinstance(value, str):
        refuse_controls(value, f"The value of {name}", is_prose=isinstance(value, Prose), field=name)
    elif isinstance(value, int | float | Decimal):
        if not _is_bindable(value):
            raise InvalidInput(
                f"The value of {name} is not a number that can be used.", hint="Type a smaller one.", field=name
            )
    elif isinstance(value, Mapping):
        check_value([*value, *value.values()], name)
    elif isinstance(value, list | tuple):
        for each in value:
            check_value(each, name)
    elif not (value is None or isinstance(value, _PLAIN)):
        raise TypeError(f"{name} is {type(value).__name__}, which is not bound")


def _is_bindable(number: float | Decimal) -> bool:
    if isinstance(number, int):
        return number.bit_length() <= _MOST_BITS
    # DuckDB makes a double of a decimal that is too long for its own.
    return not (isinstance(number, Decimal) and not number.is_finite()) and math.isfinite(float(number))
