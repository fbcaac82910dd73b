"""Results of the lake as Arrow tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from core.history.engine.door import Cursor


def fetch(cursor: Cursor, sql: str, values: Mapping[str, object] | None = None) -> pa.Table:
    """
    Run *sql* with bound *values*.

    Returns: An Arrow table with the query's columns. Timestamps, which the lake keeps as plain UTC,
        are aware: timestamp[us, tz=UTC]; UUIDs are text.
    """
    return _aware(cursor.execute(sql, dict(values or {})).to_arrow_table())


def fetch_batches(cursor: Cursor, sql: str, values: Mapping[str, object], row_count: int) -> Iterator[pa.Table]:
    """Yield the rows as `fetch` returns them, about *row_count* at a time: never all of them in memory."""
    for batch in cursor.execute(sql, dict(values)).to_arrow_reader(row_count):
        yield _aware(pa.Table.from_batches([batch]))


def _aware(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([_make_aware(field) for field in table.schema]))


def fetch_one(cursor: Cursor, sql: str, values: Mapping[str, object] | None = None) -> tuple[Any, ...]:
    """Run *sql*, which always yields a row, and return its first one."""
    row = cursor.execute(sql, dict(values or {})).fetchone()
    if row is None:
        raise ValueError("the query yields no row")
    return row


def _make_aware(field: pa.Field) -> pa.Field:
    if pa.types.is_timestamp(field.type) and field.type.tz is None:
        return field.with_type(pa.timestamp(field.type.unit, tz="UTC"))
    return field
