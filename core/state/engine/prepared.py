"""
Prepared statements: SQLAlchemy's work on a statement is done once, and none of it for each row.

For the few statements that are asked for every message, or every sub-window of messages, where that work took longer
than the database. Their values pass the one door (`core.state.engine.door`) like all others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Dialect, TypeDecorator
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """
    A statement in a dialect's own words.

    *binds* makes values ready for the driver, *reads* makes of the driver's what is meant, both by their place.
    """

    sql: str
    is_positional: bool
    binds: tuple[tuple[int, _Convert], ...]
    reads: tuple[tuple[int, _Convert], ...]


class Prepared:
    """
    A statement whose values are all given each time, by place.

    Args:
        statement: Without any value of its own.
        names: What its parameters are called, in the order in which they stand in it and are given.
    """

    def __init__(self, statement: UpdateBase | Select[*tuple[Any, ...]], names: Sequence[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, _Compiled] = {}

    def run(self, session: Session, *values: object) -> int:
        """Run it once, with a value for each name; return how many rows it changed."""
        return self._run(session, [[value] for value in values])[1].rowcount

    def fetch(self, session: Session, *values: object) -> list[tuple[Any, ...]]:
        """Ask once, with a value for each name; return the rows, with a value for each column."""
        compiled, result = self._run(session, [[value] for value in values])
        rows = [tuple(row) for row in result]
        for place, read in compiled.reads:
            rows = [(*row[:place], read(row[place]), *row[place + 1 :]) for row in rows]
        return rows

    def run_many(self, session: Session, *columns: Sequence[object]) -> None:
        """Run it for each of one or more rows, given as columns of the same length: one for each name, in order."""
        self._run(session, columns)

    def _run(self, session: Session, columns: Sequence[Sequence[object]]) -> tuple[_Compiled, CursorResult[Any]]:
        connection = session.connection()
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        ready: list[Iterable[object]] = [*columns]
        for place, bind in compiled.binds:
            ready[place] = map(bind, columns[place])
        rows: list[Any] = list(zip(*ready, strict=True))
        if not compiled.is_positional:
            rows = [dict(zip(self._names, row, strict=True)) for row in rows]
        return compiled, connection.exec_driver_sql(compiled.sql, rows)

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._names)
        if set(compiled.binds) != set(self._names) or (dialect.positional and compiled.positiontup != [*self._names]):
            raise AssertionError(f"{self._names} are not the parameters of {compiled}")
        binds = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in self._names]
        asked = self._statement
        columns = asked.selected_columns if isinstance(asked, Select) else asked.exported_columns
        reads = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            # SQLite knows neither times nor amounts; of PostgreSQL's all come as they are meant but our own times.
            if dialect.name == "sqlite" or isinstance(column.type, TypeDecorator)
            else None
            for column in columns.values()
        ]
        made = _Compiled(str(compiled), dialect.positional, _where_any(binds), _where_any(reads))
        return self._compiled.setdefault(dialect.name, made)


def _where_any(conversions: Iterable[_Convert | None]) -> tuple[tuple[int, _Convert], ...]:
    return tuple((place, convert) for place, convert in enumerate(conversions) if convert is not None)
