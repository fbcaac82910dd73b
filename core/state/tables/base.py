"""
What all tables of the state store share.

Times are stored in UTC; SQLite keeps no zone, so `UtcDateTime` refuses naive values on the way in and returns aware
ones on the way out. Identifiers are UUIDv7 text.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import JSON, CursorResult, DateTime, Delete, Dialect, MetaData, Numeric, TypeDecorator, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

Id = TypeVar("Id", int, str)

# SQLite and PostgreSQL both limit how many values a statement may bind.
_MOST_BOUND = 1_000


def _as_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        message = f"naive datetime {value!r}"
        raise ValueError(message)
    return value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    return None if value is None else _as_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every dialect."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive values; store UTC."""
        return None if value is None else _as_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], object] | None:
        """Write SQLite's text, which is SQLAlchemy's own, in a quarter of the time: every message has some times."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Read that text in as short a time."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


class Base(DeclarativeBase):
    """The metadata every table shares."""

    # Named constraints can be changed by a later migration; SQLite gives unnamed ones no name at all.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        Decimal: Numeric(12, 4),
    }


def insert_of(session: Session) -> Callable[..., sqlite.Insert | postgresql.Insert]:
    """Return the dialect's own INSERT: both have ON CONFLICT, which the one of all dialects has not."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def count_changed(session: Session, statement: Update | Delete) -> int:
    """
    Run an UPDATE or DELETE and return of how many rows it was.

    What the session has read of them stays as it was: for who has read none, or reads none any more.
    """
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount


def in_portions(ids: Collection[Id]) -> Iterator[list[Id]]:
    """Give *ids* in lists that a statement may bind."""
    ordered = sorted(ids)
    return (ordered[start : start + _MOST_BOUND] for start in range(0, len(ordered), _MOST_BOUND))
