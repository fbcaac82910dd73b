"""Searching names as people type them."""

from typing import Any

from sqlalchemy import ColumnElement, String, case, func, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.domain.words.folding import fold, fold_in_sql
from core.errors import InvalidInput

# No name is longer, and SQLite takes no pattern of more than 50,000 bytes.
LONGEST_SEARCH = 1_000
# The combining marks that Unicode takes off letters of Latin, Greek and Cyrillic.
_MARKS = "[\u0300-\u036f\u0483-\u0489]"


class folded(FunctionElement[str]):  # noqa: N801 - it is written and read as a function of SQL
    """What `core.domain.words.folding.fold` returns, in SQL; SQLite calls that function itself."""

    name = "fold"
    type = String()
    inherit_cache = True


@compiles(folded)
def _in_sqlite(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    return f"fold({compiler.process(element.clauses, **options)})"


@compiles(folded, "postgresql")
def _in_postgresql(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return fold_in_sql(f"normalize(regexp_replace(normalize(lower({text}), NFD), '{_MARKS}', '', 'g'), NFC)")


def contains(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """
    Return the condition that *column* contains *search*, whatever case and accents, wildcards taken literally.

    Raises: InvalidInput: it is longer than anything it could be found in.
    """
    if len(search) > LONGEST_SEARCH:
        raise InvalidInput("The text to search for is too long.", hint="Type a part of the name.")
    escaped = fold(search).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return folded(column).like(f"%{escaped}%", escape="\\")


def exact_first(search: str, *columns: ColumnElement[str]) -> tuple[ColumnElement[int], ...]:
    """Return the order that puts what is *search* first: as it was typed, then as it is meant."""
    wanted = search.strip()
    if not wanted:
        return ()
    as_typed = or_(*(func.lower(column) == wanted.lower() for column in columns))
    as_meant = or_(*(folded(column) == fold(wanted) for column in columns))
    return (case((as_typed, 0), (as_meant, 1), else_=2),)
