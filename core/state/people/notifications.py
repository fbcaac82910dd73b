"""What people are told."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.domain.people.notifications import Notification, Tag
from core.identifiers import new_id
from core.state.tables.base import count_changed
from core.state.tables.people_models import NotificationRow


def notify(session: Session, user_id: str, tag: Tag, text: str, now: datetime) -> None:
    """Tell the person something: plain text, shown as it is."""
    session.add(
        NotificationRow(
            notification_id=new_id(), user_id=user_id, tag=tag, text=text[:500], created_at=now, read_at=None
        )
    )


def list_newest(session: Session, user_id: str, limit: int) -> list[Notification]:
    """Return what the person was told, newest first."""
    newest = (NotificationRow.created_at.desc(), NotificationRow.notification_id.desc())
    rows = session.scalars(
        select(NotificationRow).where(NotificationRow.user_id == user_id).order_by(*newest).limit(limit)
    )
    return [Notification(row.notification_id, Tag(row.tag), row.text, row.created_at, row.read_at) for row in rows]


def delete_old(session: Session, before: datetime) -> int:
    """Forget what people were told before then, read or not; return how much that was."""
    return count_changed(session, delete(NotificationRow).where(NotificationRow.created_at < before))
