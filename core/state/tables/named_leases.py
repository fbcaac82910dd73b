"""Leases on what has no row of its own: who collects a gateway's receipts, who merges the inbox."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.state.tables.base import insert_of
from core.state.tables.leases import give_back, renew_lease, take_lease
from core.state.tables.models import LeaseRow


def take(session: Session, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take the lease called *name*; False when somebody else holds it."""
    session.execute(insert_of(session)(LeaseRow).values(name=name, lease_owner="").on_conflict_do_nothing())
    return take_lease(session, LeaseRow, LeaseRow.name == name, owner=owner, now=now, until=until)


def renew(session: Session, name: str, owner: str, until: datetime) -> bool:
    """Extend one's own; False when somebody else has taken it."""
    return renew_lease(session, LeaseRow, LeaseRow.name == name, owner=owner, until=until)


def release(session: Session, name: str, owner: str) -> None:
    """Let go of one's own at once."""
    give_back(session, LeaseRow, LeaseRow.name == name, owner=owner)
