"""
What a driver says of a statement that failed, without the values it was given.

A log and a page are read by people who may not see a number, an email or a text, and PostgreSQL's DETAIL shows the
whole row: `Failing row contains (...)`. Which constraint it was, of which table, stands in the first sentence.
"""

import re
import sqlite3

# "Data exception" in PostgreSQL's Appendix A: of all classes the one whose first sentence quotes what was bound.
_DATA_EXCEPTION = "22"
_QUOTED = re.compile('".*"', re.DOTALL)
# Of a text that is no UTF-8, which only a damaged file holds.
_UNDECODED = " with text "


def forget_values(error: BaseException) -> None:
    """Take the values out of *error* and of all it came from: drivers' own, and SQLAlchemy's around them."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__, getattr(each, "orig", None)]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
    for each in found:
        orig = getattr(each, "orig", None)
        said = _said(orig) if isinstance(orig, BaseException) else None
        if said is not None:
            each.args = (f"({type(orig).__module__}.{type(orig).__name__}) {said}", *each.args[1:])
    for each in found:
        said = _said(each)
        if said is not None:
            each.args = (said,)


def _said(error: BaseException) -> str | None:
    """Return what a driver's error may say; None for one that is no driver's, or that no server sent."""
    if isinstance(error, sqlite3.Error):
        return str(error).partition(_UNDECODED)[0]
    # psycopg's, by what it carries: it need not be installed.
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    if not isinstance(said, str):
        return None
    is_data = str(getattr(error, "sqlstate", "")).startswith(_DATA_EXCEPTION)
    return _QUOTED.sub('"..."', said) if is_data else said
