"""Suppressions: the numbers an account does not send to."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from core.state.engine.prepared import Prepared
from core.state.tables.base import in_portions, insert_of
from core.state.tables.models import SuppressionRow

# The reason of those that a STOP has set, and that a START lifts; any other one is a person's decision.
STOPPED = "STOP reply"
_NO_REASON = " "

# SQLite takes at most 32,766 values in a statement.
_AT_ONCE = 5_000


def add_suppressions(
    session: Session, account_id: str, msisdns: Iterable[str], reason: str, created_by: str, now: datetime
) -> int:
    """Suppress the numbers; those that are suppressed already stay as they are. Returns: How many are new."""
    facts = {"account_id": account_id, "reason": reason, "created_at": now, "created_by": created_by}
    # In one order everywhere: two transactions that add the same ones would else wait for each other.
    rows = [facts | {"msisdn": msisdn} for msisdn in sorted(set(msisdns))]
    if not rows:
        return 0
    # Two may add the same one at once, past what each of them could look up before.
    adding = insert_of(session)(SuppressionRow).on_conflict_do_nothing().returning(SuppressionRow.msisdn)
    return len(session.connection().execute(adding, rows).all())


def lift_suppressions(session: Session, account_id: str, msisdns: Iterable[str], reason: str) -> None:
    """Let the account send to the numbers again, where they are suppressed for this reason and no other."""
    for part in in_portions(set(msisdns)):
        which = (SuppressionRow.account_id == account_id, SuppressionRow.msisdn.in_(part))
        session.execute(
            delete(SuppressionRow).where(*which, SuppressionRow.reason == reason),
            execution_options={"synchronize_session": False},
        )


def list_suppressed(session: Session, account_id: str, *, by_people: bool = False) -> list[str]:
    """Return the account's suppressed numbers, or only those that a person has suppressed, in no order."""
    which = (SuppressionRow.account_id == account_id, SuppressionRow.reason != _left_out(by_people=by_people))
    return list(session.scalars(select(SuppressionRow.msisdn).where(*which)))


def find_suppressed(
    session: Session, account_id: str, msisdns: Collection[str], *, by_people: bool = False
) -> frozenset[str]:
    """Return which of the numbers are suppressed, or which of them a person has suppressed."""
    return _find_known(session, account_id, list(msisdns), _left_out(by_people=by_people))


def _left_out(*, by_people: bool) -> str:
    return STOPPED if by_people else _NO_REASON


def find_stopped(session: Session, account_id: str, msisdns: Collection[str]) -> frozenset[str]:
    """Return which of the numbers a STOP has suppressed."""
    which = (SuppressionRow.account_id == account_id, SuppressionRow.reason == STOPPED)
    found = set[str]()
    for part in in_portions(set(msisdns)):
        found.update(session.scalars(select(SuppressionRow.msisdn).where(*which, SuppressionRow.msisdn.in_(part))))
    return frozenset(found)


def _find_known(session: Session, account_id: str, msisdns: list[str], but: str) -> frozenset[str]:
    known: set[str] = set()
    for part in _parts(msisdns):
        known.update(msisdn for (msisdn,) in _finding(len(part)).fetch(session, account_id, but, *part))
    return frozenset(known)


@lru_cache(maxsize=64)
def _finding(count: int) -> Prepared:
    """Return the question which of so many numbers an account does not send to."""
    names = [f"msisdn_{number}" for number in range(count)]
    one_of = SuppressionRow.msisdn.in_([bindparam(name) for name in names])
    mine = (SuppressionRow.account_id == bindparam("account"), SuppressionRow.reason != bindparam("but"))
    return Prepared(select(SuppressionRow.msisdn).where(*mine, one_of), ["account", "but", *names])


def _parts(msisdns: list[str]) -> Iterable[list[str]]:
    return (msisdns[start : start + _AT_ONCE] for start in range(0, len(msisdns), _AT_ONCE))
