"""
The one door to the state store: whatever is bound to a statement of an engine passes here.

SQLite and PostgreSQL take values apart from the statement, so no value is ever read as SQL. But neither driver takes
half a surrogate pair, PostgreSQL takes no NUL, and SQLite no whole number of more than 64 bits: each says so in an
error of its own that no person can read. Line breaks stay: messages, and reasons why a file was refused, have them.

Those who put things in clean or refuse them in words of their own; that this door says no is the last resort.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExecutionContext
from sqlalchemy.engine.interfaces import DBAPICursor

from core.domain.words.control_characters import refuse_controls
from core.errors import InvalidInput

_MOST_BITS = 63
# Set on a statement's context: a large insert goes out in parts, and each of them asks again.
_CHECKED = "heliograph_checked"


class _Passed:
    """Instead of a statement's context: what is bound has passed the door."""


PASSED = _Passed()


def watch(engine: Engine) -> None:
    """Let every statement of *engine* pass the door. Statements raise InvalidInput for what is not taken."""
    event.listen(engine, "before_cursor_execute", _check)


def check_value(value: object) -> None:
    """Let a value that is bound pass, however deep. Raises: InvalidInput: no store takes it."""
    if isinstance(value, str):
        refuse_controls(value, "A text", is_prose=True)
    elif isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise _no_number()
    elif isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise _no_number()
    elif isinstance(value, Mapping):
        for name, part in value.items():
            check_value(name)
            check_value(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            check_value(part)


def _check(
    _connection: Connection,
    _cursor: DBAPICursor,
    _statement: str,
    parameters: object,
    context: ExecutionContext | _Passed | None,
    _executemany: bool,
) -> None:
    if context is PASSED:
        return
    # Before they are made ready for the driver: what is stored as JSON is text of ASCII only by then.
    bound = getattr(context, "compiled_parameters", None)
    if not bound:
        rows: Sequence[Any] = parameters if isinstance(parameters, list) else (parameters,)
        _check_rows(row.values() if isinstance(row, Mapping) else row or () for row in rows)
    elif not getattr(context, _CHECKED, False):
        # By the names that the statement itself gave them.
        _check_rows(row.values() for row in bound)
        setattr(context, _CHECKED, True)


def check_columns(columns: Iterable[Sequence[object]]) -> None:
    """Let the values of many rows pass, column by column, as fast as can be. Raises: InvalidInput: as `check_value`."""
    for column in columns:
        try:
            is_clean = "".join(column).isprintable()  # type: ignore[arg-type]
        except TypeError:
            # They are not all texts.
            is_clean = False
        if not is_clean:
            last: object = None
            for value in column:
                if value is not last and value is not None:
                    check_value(value)
                last = value


def _check_rows(rows: Iterable[Iterable[object]]) -> None:
    texts = list[str]()
    for value in chain.from_iterable(rows):
        if type(value) is str:
            texts.append(value)
        elif value is not None:
            check_value(value)
    # To look at all of them at once takes a fraction of the time; most statements have nothing else.
    if not "".join(texts).isprintable():
        for text in texts:
            check_value(text)


def _no_number() -> InvalidInput:
    return InvalidInput("A number cannot be used.", hint="Type a smaller one.")
