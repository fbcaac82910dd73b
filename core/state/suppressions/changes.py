"""
For whoever holds a sorted copy of the numbers: how far it is behind, what has changed since, and all of them.

The changes of a scope have numbers without gaps, in the order in which they came to count. A copy says up to which one
it goes, and that one's token. What changed since is read from there; where that is not known any more, or the token is
another one, the copy is made anew from all numbers.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, delete, func, or_, select
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import EVERYWHERE
from core.state.suppressions.numbers import Numbers, parse_list, unpack
from core.state.tables.base import count_changed
from core.state.tables.suppression_models import SuppressionChangeRow, SuppressionRow, SuppressionScopeRow

# So many numbers are asked for at once where all are.
_AT_ONCE = 200_000


@dataclass(frozen=True)
class Scope:
    """Whose suppressions, by account_id or `EVERYWHERE`, and the number of what changed last; 0: nothing is known."""

    scope_no: int
    account_id: str
    change_no: int


@dataclass(frozen=True)
class Change:
    """Numbers that have come to be suppressed, by any source, or that are not any more, by none."""

    change_no: int
    token: int
    is_lifted: bool
    numbers: Numbers


def find_scopes(session: Session, account_ids: Collection[str]) -> tuple[Scope, ...]:
    """Return the scopes of these accounts that have ever had a suppression; `EVERYWHERE` asks for that of all."""
    column = SuppressionScopeRow.account_id
    everywhere = column.is_(None) if EVERYWHERE in account_ids else column.in_(())
    whose = or_(column.in_([each for each in account_ids if each != EVERYWHERE]), everywhere)
    asked = select(SuppressionScopeRow.scope_no, column, SuppressionScopeRow.change_no).where(whose)
    rows = session.execute(asked.order_by(SuppressionScopeRow.scope_no))
    return tuple(Scope(scope_no, account_id or EVERYWHERE, change_no) for scope_no, account_id, change_no in rows)


def list_scoped(session: Session) -> frozenset[str]:
    """Return the accounts that have ever had a suppression, and `EVERYWHERE`."""
    return frozenset(account_id or EVERYWHERE for account_id in session.scalars(select(SuppressionScopeRow.account_id)))


def find_token(session: Session, scope_no: int, change_no: int) -> int | None:
    """Return the token of a change; None where there is none, or not any more."""
    which = (SuppressionChangeRow.scope_no == scope_no, SuppressionChangeRow.change_no == change_no)
    return session.scalar(select(SuppressionChangeRow.token).where(*which))


def list_changes(session: Session, scope_no: int, after: int) -> Sequence[Change]:
    """Return what came after the change *after*, in order."""
    asked = select(SuppressionChangeRow).where(SuppressionChangeRow.scope_no == scope_no)
    rows = session.scalars(asked.where(SuppressionChangeRow.change_no > after).order_by(SuppressionChangeRow.change_no))
    return [Change(row.change_no, row.token, row.is_lifted, unpack(row.numbers)) for row in rows]


def iterate_numbers(session: Session, scope_no: int) -> Iterator[Numbers]:
    """Yield all numbers of the scope, each once, in ascending order, some hundred thousand at a time."""
    last = 0
    while True:
        # The database puts them together: a row for each would take ten times as long.
        mine = select(SuppressionRow.number).where(SuppressionRow.scope_no == scope_no, SuppressionRow.number > last)
        part = mine.distinct().order_by(SuppressionRow.number).limit(_AT_ONCE).subquery()
        text = session.scalar(select(func.aggregate_strings(cast(part.c.number, String), ",")))
        if not text:
            return
        found = parse_list(text)
        last = int(found[-1])
        yield found


def delete_old(session: Session, before: datetime) -> int:
    """Forget what changed before then, but for the last change of each scope; return how much that was."""
    which = (SuppressionChangeRow.scope_no == SuppressionScopeRow.scope_no) & (
        SuppressionChangeRow.change_no < SuppressionScopeRow.change_no
    )
    old = SuppressionChangeRow.changed_at < before
    return count_changed(
        session, delete(SuppressionChangeRow).where(old, select(SuppressionScopeRow.scope_no).where(which).exists())
    )
