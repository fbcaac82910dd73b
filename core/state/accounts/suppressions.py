"""Suppressions: the numbers an account does not send to."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.state.tables.models import SuppressionRow

# SQLite takes at most 32,766 values in a statement.
_AT_ONCE = 5_000


def add_suppressions(
    session: Session, account_id: str, msisdns: Iterable[str], reason: str, created_by: str, now: datetime
) -> int:
    """Suppress the numbers; those that are suppressed already stay as they are. Returns: How many are new."""
    wanted = list(dict.fromkeys(msisdns))
    known = _find_known(session, account_id, wanted)
    rows = [
        SuppressionRow(account_id=account_id, msisdn=msisdn, reason=reason, created_at=now, created_by=created_by)
        for msisdn in wanted
        if msisdn not in known
    ]
    session.add_all(rows)
    session.flush()
    return len(rows)


def list_suppressed(session: Session, account_id: str) -> list[str]:
    """Return the account's suppressed numbers, in no order."""
    return list(session.scalars(select(SuppressionRow.msisdn).where(SuppressionRow.account_id == account_id)))


def find_suppressed(session: Session, account_id: str, msisdns: Collection[str]) -> frozenset[str]:
    """Return which of the numbers are suppressed."""
    return _find_known(session, account_id, list(msisdns))


def _find_known(session: Session, account_id: str, msisdns: list[str]) -> frozenset[str]:
    known: set[str] = set()
    for part in _parts(msisdns):
        found = select(SuppressionRow.msisdn).where(
            SuppressionRow.account_id == account_id, SuppressionRow.msisdn.in_(part)
        )
        known.update(session.scalars(found))
    return frozenset(known)


def _parts(msisdns: list[str]) -> Iterable[list[str]]:
    return (msisdns[start : start + _AT_ONCE] for start in range(0, len(msisdns), _AT_ONCE))
