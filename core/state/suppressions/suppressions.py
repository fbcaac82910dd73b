"""
Setting, lifting and looking up suppressions.

A number has a row for each source it is suppressed by: a STOP beside what a person has decided, and each is lifted by
itself. Whoever changes a scope (an account, or all of them) holds its row until the transaction ends, so that changes
have an order in which they came to count, which is that of their numbers.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from sqlalchemy import ColumnElement, bindparam, delete, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from core.domain.accounts.suppressions import EVERYWHERE, Origin, SuppressionSource
from core.domain.messages.messages import Exclusion
from core.state.engine.prepared import Prepared
from core.state.suppressions.numbers import Numbers, arrange, pack, table_of, to_msisdn, to_number, to_numbers
from core.state.tables.base import insert_of
from core.state.tables.suppression_models import (
    LiftedSuppressionRow,
    SuppressionChangeRow,
    SuppressionOriginRow,
    SuppressionRow,
    SuppressionScopeRow,
)

# As the column has them; a number is never given to another source.
CODES: Mapping[SuppressionSource, int] = {
    SuppressionSource.STOP: 1,
    SuppressionSource.IMPORT: 2,
    SuppressionSource.PERSON: 3,
}
SOURCES: Mapping[int, SuppressionSource] = {code: source for source, code in CODES.items()}
_NO_SOURCE = 0
_TOKEN_BITS = 62

# SQLite takes at most 32,766 values in a statement.
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Lifting:
    """By whom suppressions are lifted, when and why."""

    by: str
    at: datetime
    reason: str


def add_suppressions(session: Session, account_id: str, msisdns: Iterable[str], origin: Origin) -> int:
    """
    Suppress the numbers for an account, or for all (`EVERYWHERE`); those that are by the same source stay as they are.

    Returns: How many are new.
    """
    numbers = to_numbers(msisdns)
    if not len(numbers):
        return 0
    origin_no = add_origin(session, account_id, origin)
    added = add_numbers(session, account_id, numbers, origin.source, origin_no, origin.created_at)
    if not added:
        session.execute(delete(SuppressionOriginRow).where(SuppressionOriginRow.origin_no == origin_no))
    return added


def add_origin(session: Session, account_id: str, origin: Origin) -> int:
    """Note where suppressions of one scope come from; return its number, for `add_numbers`."""
    facts = {
        "scope_no": _lock_scope(session, account_id).scope_no,
        "source": CODES[origin.source],
        "reason": origin.reason,
        "created_at": origin.created_at,
        "created_by": origin.created_by,
        "live_count": 0,
    }
    added = insert(SuppressionOriginRow).values(facts).returning(SuppressionOriginRow.origin_no)
    return session.scalars(added).one()


def add_numbers(
    session: Session, account_id: str, numbers: Numbers, source: SuppressionSource, origin_no: int, now: datetime
) -> int:
    """Suppress the numbers as part of what `add_origin` has noted. Returns: How many were not, by this source."""
    scope = _lock_scope(session, account_id)
    given = table_of(session, numbers)
    rows = select(literal(scope.scope_no), given.c.number, literal(CODES[source]), literal(origin_no))
    # The condition is for SQLite, which would take ON CONFLICT for a part of a join.
    adding = insert_of(session)(SuppressionRow).from_select(
        ["scope_no", "number", "source", "origin_no"], rows.where(given.c.number > 0)
    )
    added = session.execute(adding.on_conflict_do_nothing().returning(SuppressionRow.number)).scalars()
    new = np.sort(np.fromiter(added, np.int64))
    if len(new):
        which = SuppressionOriginRow.origin_no == origin_no
        more = SuppressionOriginRow.live_count + len(new)
        session.execute(
            update(SuppressionOriginRow).where(which).values(live_count=more),
            execution_options={"synchronize_session": False},
        )
        _note_change(session, scope, new, now, is_lifted=False)
    return len(new)


def lift_suppressions(
    session: Session, account_id: str, msisdns: Iterable[str], source: SuppressionSource, lifting: Lifting
) -> int:
    """
    Let the numbers be sent to again, as far as this source goes; what others say stays.

    Returns: How many were suppressed by it. They are kept among what was lifted.
    """
    numbers = to_numbers(msisdns)
    if not len(numbers):
        return 0
    scope = _lock_scope(session, account_id)
    given = table_of(session, numbers)
    mine = (SuppressionRow.scope_no == scope.scope_no, SuppressionRow.source == CODES[source])
    gone = session.execute(
        delete(SuppressionRow)
        .where(*mine, SuppressionRow.number.in_(select(given.c.number)))
        .returning(SuppressionRow.number, SuppressionRow.origin_no),
        execution_options={"synchronize_session": False},
    ).all()
    if not gone:
        return 0
    facts = {"scope_no": scope.scope_no, "source": CODES[source], "lifted_at": lifting.at}
    facts |= {"lifted_by": lifting.by, "reason": lifting.reason}
    session.execute(
        insert(LiftedSuppressionRow),
        [facts | {"number": number, "origin_no": origin_no} for number, origin_no in sorted(map(tuple, gone))],
    )
    for origin_no, count in zip(*np.unique([row.origin_no for row in gone], return_counts=True), strict=True):
        less = SuppressionOriginRow.live_count - int(count)
        session.execute(
            update(SuppressionOriginRow)
            .where(SuppressionOriginRow.origin_no == int(origin_no))
            .values(live_count=less),
            execution_options={"synchronize_session": False},
        )
    lifted = np.sort(np.fromiter((row.number for row in gone), np.int64))
    free = np.setdiff1d(lifted, _find_known(session, scope.scope_no, lifted), assume_unique=True)
    if len(free):
        _note_change(session, scope, free, lifting.at, is_lifted=True)
    return len(gone)


def find_suppressed(
    session: Session, account_id: str, msisdns: Collection[str], *, by_people: bool = False
) -> dict[str, Exclusion]:
    """
    Return which of the numbers an account does not send to, and whether it is itself or all that do not.

    Args:
        session: Of the moment that counts.
        account_id: The account; what is suppressed for all accounts is for it, too.
        msisdns: The numbers.
        by_people: Only those that a person has suppressed, himself or with a file, and no STOP alone.
    """
    but = CODES[SuppressionSource.STOP] if by_people else _NO_SOURCE
    found = dict[str, Exclusion]()
    numbers = [to_number(msisdn) for msisdn in msisdns]
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        for number, whose in _finding(len(part)).fetch(session, account_id, but, *part):
            # The account's own is said where there are both.
            if whose is not None or to_msisdn(number) not in found:
                found[to_msisdn(number)] = Exclusion.SUPPRESSED if whose else Exclusion.SUPPRESSED_EVERYWHERE
    return found


def find_stopped(session: Session, account_id: str, msisdns: Collection[str]) -> frozenset[str]:
    """Return which of the numbers have said STOP to the account."""
    given = table_of(session, to_numbers(msisdns))
    found = (
        select(SuppressionRow.number)
        .join(SuppressionScopeRow, SuppressionScopeRow.scope_no == SuppressionRow.scope_no)
        .where(SuppressionScopeRow.account_id == account_id)
        .where(SuppressionRow.source == CODES[SuppressionSource.STOP])
        .where(SuppressionRow.number.in_(select(given.c.number)))
    )
    return frozenset(map(to_msisdn, session.scalars(found)))


def ensure_scope(session: Session, account_id: str) -> int:
    """Let nobody else change the account's suppressions until the transaction ends; return the number of its scope."""
    return _lock_scope(session, account_id).scope_no


@lru_cache(maxsize=64)
def _finding(count: int) -> Prepared:
    """Return the question which of so many numbers an account does not send to, and whose suppressions they are."""
    names = [f"number_{place}" for place in range(count)]
    one_of = SuppressionRow.number.in_([bindparam(name) for name in names])
    scopes = or_(SuppressionScopeRow.account_id == bindparam("account"), SuppressionScopeRow.account_id.is_(None))
    asked = (
        select(SuppressionRow.number, SuppressionScopeRow.account_id)
        .join(SuppressionScopeRow, SuppressionScopeRow.scope_no == SuppressionRow.scope_no)
        .where(scopes, SuppressionRow.source != bindparam("but"), one_of)
    )
    return Prepared(asked, ["account", "but", *names])


def _find_known(session: Session, scope_no: int, numbers: Numbers) -> Numbers:
    given = table_of(session, numbers)
    of_scope = SuppressionRow.scope_no == scope_no
    found = select(SuppressionRow.number).where(of_scope, SuppressionRow.number.in_(select(given.c.number)))
    return arrange(np.fromiter(session.scalars(found), np.int64))


def _lock_scope(session: Session, account_id: str) -> SuppressionScopeRow:
    whose = is_scope_of(account_id)
    asked = select(SuppressionScopeRow).where(whose).with_for_update().execution_options(populate_existing=True)
    row = session.scalar(asked)
    if row is None:
        # Of two that are the first for an account, one adds it and the other waits for that.
        new = insert_of(session)(SuppressionScopeRow).values(account_id=account_id or None, change_no=0)
        session.execute(new.on_conflict_do_nothing())
        row = session.scalars(asked).one()
    return row


def is_scope_of(account_id: str) -> ColumnElement[bool]:
    """Return the condition that a scope is the account's, or that of all accounts."""
    column = SuppressionScopeRow.account_id
    return column.is_(None) if account_id == EVERYWHERE else column == account_id


def _note_change(
    session: Session, scope: SuppressionScopeRow, numbers: Numbers, now: datetime, *, is_lifted: bool
) -> None:
    scope.change_no += 1
    session.add(
        SuppressionChangeRow(
            scope_no=scope.scope_no,
            change_no=scope.change_no,
            token=secrets.randbits(_TOKEN_BITS),
            is_lifted=is_lifted,
            numbers=pack(numbers),
            changed_at=now,
        )
    )
    session.flush()
