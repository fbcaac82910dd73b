"""What the installation knows about itself, and requests for demo data."""

from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from core.state.tables.leases import Moment, is_free, take_lease
from core.state.tables.models import DemoRow, SettingRow


def find_setting(session: Session, name: str) -> str | None:
    """Return the value of *name*, or None."""
    row = session.get(SettingRow, name)
    return row.value if row else None


def set_setting(session: Session, name: str, value: str) -> None:
    """Set *name* to *value*."""
    session.merge(SettingRow(name=name, value=value))


def delete_setting(session: Session, name: str) -> None:
    """Forget *name*."""
    session.execute(delete(SettingRow).where(SettingRow.name == name))


def request_demo(session: Session, user_id: str, now: datetime) -> None:
    """Ask the worker to create the demo company for this person."""
    session.merge(DemoRow(user_id=user_id, requested_at=now, lease_owner="", lease_until=None))


def waiting(now: Moment) -> Select[str]:
    """Find the people who asked for the demo company and whose request nobody is working on."""
    return select(DemoRow.user_id).where(is_free(DemoRow, now))


def list_demo_requests(session: Session, now: datetime) -> list[str]:
    """Return the people whose request nobody is working on."""
    return list(session.scalars(waiting(now)))


def lease_demo(session: Session, user_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take the request; False when somebody else has it or it is gone."""
    return take_lease(session, DemoRow, DemoRow.user_id == user_id, owner=owner, now=now, until=until)


def delete_demo_request(session: Session, user_id: str) -> None:
    """The demo company is there."""
    session.execute(delete(DemoRow).where(DemoRow.user_id == user_id))
