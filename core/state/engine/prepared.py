"""
Prepared statements: SQLAlchemy's work on a statement is done once, and none of it for each row.

For the few statements that are asked for every message, or every sub-window of messages, where that work took longer
than the database. Their values pass the one door (`core.state.engine.door`) like all others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

_Bind = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """A statement in a dialect's own words; *binds* makes values ready for the driver, by their place."""

    sql: str
    is_positional: bool
    binds: tuple[tuple[int, _Bind], ...]


class Prepared:
    """
    A statement whose values are all given each time, by place.

    Args:
        statement: Without any value of its own.
        names: What its parameters are called, in the order in which they stand in it and are given.
    """

    def __init__(self, statement: UpdateBase | Select[Any], names: Sequence[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, _Compiled] = {}

    def run(self, session: Session, *values: object) -> CursorResult[Any]:
        """Run it once, with a value for each name."""
        return self._run(session, [[value] for value in values])

    def run_many(self, session: Session, *columns: Sequence[object]) -> None:
        """Run it for each of one or more rows, given as columns of the same length: one for each name, in order."""
        self._run(session, columns)

    def _run(self, session: Session, columns: Sequence[Sequence[object]]) -> CursorResult[Any]:
        connection = session.connection()
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        ready: list[Iterable[object]] = [*columns]
        for place, bind in compiled.binds:
            ready[place] = map(bind, columns[place])
        rows = list(zip(*ready, strict=True))
        if compiled.is_positional:
            return connection.exec_driver_sql(compiled.sql, rows)
        return connection.exec_driver_sql(compiled.sql, [dict(zip(self._names, row, strict=True)) for row in rows])

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._names)
        if set(compiled.binds) != set(self._names) or (dialect.positional and compiled.positiontup != [*self._names]):
            raise AssertionError(f"{self._names} are not the parameters of {compiled}")
        processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in self._names]
        binds = tuple((place, bind) for place, bind in enumerate(processors) if bind is not None)
        made = self._compiled[dialect.name] = _Compiled(str(compiled), dialect.positional, binds)
        return made
