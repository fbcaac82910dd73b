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


def list_suppressed(session: Session, account_id: str) -> list[str]:
    """Return the account's suppressed numbers, in no order."""
    return list(session.scalars(select(SuppressionRow.msisdn).where(SuppressionRow.account_id == account_id)))


def find_suppressed(session: Session, account_id: str, msisdns: Collection[str]) -> frozenset[str]:
    """Return which of the numbers are suppressed."""
    return _find_known(session, account_id, list(msisdns))


def _find_known(session: Session, account_id: str, msisdns: list[str]) -> frozenset[str]:
    known: set[str] = set()
    for part in _parts(msisdns):
        known.update(msisdn for (msisdn,) in _finding(len(part)).fetch(session, account_id, *part))
    return frozenset(known)


@lru_cache(maxsize=64)
def _finding(count: int) -> Prepared:
    """Return the question which of so many numbers an account does not send to."""
    names = [f"msisdn_{number}" for number in range(count)]
    one_of = SuppressionRow.msisdn.in_([bindparam(name) for name in names])
    found = select(SuppressionRow.msisdn).where(SuppressionRow.account_id == bindparam("account"), one_of)
    return Prepared(found, ["account", *names])


def _parts(msisdns: list[str]) -> Iterable[list[str]]:
    return (msisdns[start : start + _AT_ONCE] for start in range(0, len(msisdns), _AT_ONCE))
