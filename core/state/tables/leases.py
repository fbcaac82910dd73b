"""
Leases: who works on a row, and until when nobody else may.

A lease is two columns, `lease_owner` and `lease_until`. Taking one is a conditional UPDATE, so of
two workers exactly one succeeds on either dialect. A worker that dies simply stops renewing.
"""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, or_, update
from sqlalchemy.orm import Session

from core.state.tables.base import count_changed
from core.state.tables.models import BatchRow, CampaignRow, DemoRow, ExportRow, LeaseRow, ListRow, TrafficImportRow
from core.state.tables.suppression_models import SuppressionImportRow

Leasable = type[
    BatchRow | CampaignRow | DemoRow | ExportRow | LeaseRow | ListRow | SuppressionImportRow | TrafficImportRow
]

LEASED: tuple[Leasable, ...] = (
    BatchRow,
    CampaignRow,
    DemoRow,
    ExportRow,
    LeaseRow,
    ListRow,
    SuppressionImportRow,
    TrafficImportRow,
)


# A time, or what it is bound to when the statement is asked.
Moment = datetime | BindParameter[datetime]


def is_free(table: Leasable, now: Moment) -> ColumnElement[bool]:
    """Return the condition that nobody holds the row at *now*."""
    return or_(table.lease_until.is_(None), table.lease_until < now)


def take_lease(
    session: Session, table: Leasable, which: ColumnElement[bool], *, owner: str, now: datetime, until: datetime
) -> bool:
    """Take a free lease, or renew one's own; False when somebody else holds it or the row is gone."""
    mine_or_free = or_(is_free(table, now), table.lease_owner == owner)
    return _changed(session, table, which & mine_or_free, owner, until)


def renew_lease(session: Session, table: Leasable, which: ColumnElement[bool], *, owner: str, until: datetime) -> bool:
    """
    Extend one's own lease; False when somebody else has taken it, or has done so and is through.

    One that ran out while its owner was held up is still the owner's until then: whoever takes it writes another name.
    """
    return _changed(session, table, which & (table.lease_owner == owner), owner, until)


def give_back(session: Session, table: Leasable, which: ColumnElement[bool], *, owner: str) -> None:
    """Let go of one's own lease at once."""
    _changed(session, table, which & (table.lease_owner == owner), "", None)


def _changed(session: Session, table: Leasable, which: ColumnElement[bool], owner: str, until: datetime | None) -> bool:
    statement = update(table).where(which).values(lease_owner=owner, lease_until=until)
    return count_changed(session, statement) > 0
