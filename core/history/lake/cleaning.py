"""
Taking control characters out of a lake: rows that an older version wrote, before the door was there.

The lake gives such a row back, but what it gives does not come in again: a question that joins what it has just read,
as most do, was refused for everybody. So they are replaced where they lie, once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from core.history.engine.door import Cursor

# As `core.domain.words.control_characters` has them; no text of the lake holds half of a surrogate pair.
_ANY, _NOT_IN_PROSE = r"[\x00-\x1f\x7f-\x9f]", r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]"
_PROSE = {("audience", "text"), ("contacts", "fields"), ("unsent", "reason")}
# What the rollups call their groups. Two of them may have become one: they are made anew from the messages.
_GROUPS = ("routes", "traffic_log")
_ROLLUPS = ("series", "series_days", "series_delay_days", "rollup_months", "rollup_patches", *_GROUPS)


def clean(cursor: Cursor) -> None:
    """Put a replacement character in the place of each, inside the caller's transaction; safe to run twice."""
    tables = _list_texts(cursor)
    if any(_is_odd(cursor, table, tables[table]) for table in _GROUPS):
        for table in _ROLLUPS:
            cursor.execute(f"DELETE FROM lake.{table}")
    for table, columns in tables.items():
        if _is_odd(cursor, table, columns):
            replaced = ", ".join(_replaced(table, name, kind) for name, kind in columns.items())
            cursor.execute(f"UPDATE lake.{table} SET {replaced} WHERE {_condition(table, columns)}")


def _list_texts(cursor: Cursor) -> dict[str, dict[str, str]]:
    """Return the columns of text, and of lists of texts, with their type, by table."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    rows = cursor.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'lake' AND data_type IN ('VARCHAR', 'VARCHAR[]') ORDER BY ALL"
    )
    for table, column, kind in rows.fetchall():
        found[str(table)][str(column)] = str(kind)
    return found


def _is_odd(cursor: Cursor, table: str, columns: Mapping[str, str]) -> bool:
    sql = f"SELECT 1 FROM lake.{table} WHERE {_condition(table, columns)} LIMIT 1"
    return bool(cursor.execute(sql).fetchall())


def _condition(table: str, columns: Mapping[str, str]) -> str:
    """Return what is true for a row that holds one: each kind of text is searched as one."""
    searched: dict[str, list[str]] = defaultdict(list)
    for name, kind in columns.items():
        searched[_kind(table, name)].append(name if kind == "VARCHAR" else f"array_to_string({name}, '')")
    return " OR ".join(f"regexp_matches({_joined(names)}, '{odd}')" for odd, names in searched.items())


def _joined(names: Sequence[str]) -> str:
    return f"concat({', '.join(names)})"


def _replaced(table: str, name: str, kind: str) -> str:
    odd = _kind(table, name)
    if kind == "VARCHAR":
        return f"{name} = regexp_replace({name}, '{odd}', '\N{REPLACEMENT CHARACTER}', 'g')"
    each = f"regexp_replace(x, '{odd}', '\N{REPLACEMENT CHARACTER}', 'g')"
    return f"{name} = list_transform({name}, lambda x: {each})"


def _kind(table: str, name: str) -> str:
    return _NOT_IN_PROSE if (table, name) in _PROSE else _ANY
