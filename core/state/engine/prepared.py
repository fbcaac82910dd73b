"""
Prepared statements: SQLAlchemy's work on a statement is done once, and none of it for each row.

For the few statements that are asked for every message, or every sub-window of messages, where that work took longer
than the database. Their values pass the one door (`core.state.engine.door`) like all others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, TypeDecorator
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

from core.driver_errors import forget_values
from core.state.engine.door import PASSED, check_columns

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
        return self._run(session, [[value] for value in values])[1]

    def fetch(self, session: Session, *values: object) -> list[tuple[Any, ...]]:
        """Ask once, with a value for each name; return the rows, with a value for each column."""
        compiled, _, rows = self._run(session, [[value] for value in values])
        if not compiled.reads or not rows:
            return rows
        columns: list[Sequence[object]] = list(zip(*rows, strict=True))
        for place, read in compiled.reads:
            columns[place] = _convert_all(read, columns[place])
        return list(zip(*columns, strict=True))

    def run_many(self, session: Session, *columns: Sequence[object]) -> None:
        """Run it for each of one or more rows, given as columns of the same length: one for each name, in order."""
        self._run(session, columns)

    def _run(
        self, session: Session, columns: Sequence[Sequence[object]]
    ) -> tuple[_Compiled, int, list[tuple[Any, ...]]]:
        """
        Run it on the driver's own cursor, and return how many rows it changed and what it found.

        What SQLAlchemy does for each execution takes several times as long as that. Whoever watches the engine's
        statements hears of these, too, and errors come as SQLAlchemy would raise them.
        """
        connection = session.connection()
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        ready = [*columns]
        for place, bind in compiled.binds:
            ready[place] = _convert_all(bind, columns[place])
        check_columns(ready)
        rows: list[Any] = list(zip(*ready, strict=True))
        if not compiled.is_positional:
            rows = [dict(zip(self._names, row, strict=True)) for row in rows]
        is_many = len(rows) > 1
        given, execute = (rows, dialect.do_executemany) if is_many else (rows[0], dialect.do_execute)
        cursor = connection.connection.cursor()
        try:
            for hear in connection.dispatch.before_cursor_execute:
                hear(connection, cursor, compiled.sql, given, PASSED, is_many)
            execute(cursor, compiled.sql, given)
            found = [*map(tuple, cursor.fetchall())] if cursor.description and not is_many else []
            changed_count = cursor.rowcount
        except dialect.loaded_dbapi.Error as error:
            raise _wrapped(error, connection, cursor, compiled.sql, is_many=is_many) from error
        finally:
            cursor.close()
        return compiled, changed_count, found

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


def _convert_all(convert: _Convert, column: Sequence[object]) -> list[object]:
    """Return the column converted; of a value that stands there many times in a row, once."""
    converted, last, made = list[object](), object(), None
    for value in column:
        if value is not last:
            last, made = value, convert(value)
        converted.append(made)
    return converted


def _wrapped(
    error: DBAPIModule.Error, connection: Connection, cursor: DBAPICursor, sql: str, *, is_many: bool
) -> BaseException:
    """Return the driver's error as SQLAlchemy's, without values; a connection that is gone is let go."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    made = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_gone,
        dialect=dialect,
        ismulti=is_many,
    )
    forget_values(made)
    if is_gone:
        connection.invalidate(error)
    return made


def _where_any(conversions: Iterable[_Convert | None]) -> tuple[tuple[int, _Convert], ...]:
    return tuple((place, convert) for place, convert in enumerate(conversions) if convert is not None)
