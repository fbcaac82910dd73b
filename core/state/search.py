"""Searching names as people type them."""

from sqlalchemy import ColumnElement, func


def contains(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """Return the condition that *column* contains *search*, whatever the case, wildcards taken literally."""
    escaped = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(f"%{escaped}%", escape="\\")
