"""Links that are sent by email and work once: invitations, resets, confirmations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.state.tables.people_models import LinkRow


class Purpose(StrEnum):
    """What a link is for; one of another purpose does not open the door."""

    INVITATION = "invitation"
    PASSWORD_RESET = "password reset"  # noqa: S105 - the name of a purpose
    EMAIL_CHANGE = "email change"


@dataclass(frozen=True)
class Link:
    """Whose it is, and the *email* it is about: where it was sent."""

    user_id: str
    email: str
    expires_at: datetime


def add_link(session: Session, token_hash: str, purpose: Purpose, link: Link, now: datetime) -> None:
    """Keep a new link; the person's earlier ones of the same purpose work no more."""
    delete_links(session, link.user_id, purpose)
    session.add(
        LinkRow(
            token_hash=token_hash,
            purpose=purpose,
            user_id=link.user_id,
            email=link.email,
            created_at=now,
            expires_at=link.expires_at,
        )
    )
    session.flush()


def find_link(session: Session, token_hash: str, purpose: Purpose, now: datetime) -> Link | None:
    """Return the link unless it is unknown, used, of another purpose or too old."""
    row = session.get(LinkRow, token_hash)
    if row is None or row.purpose != purpose or row.expires_at <= now:
        return None
    return Link(row.user_id, row.email, row.expires_at)


def take_link(session: Session, token_hash: str, purpose: Purpose, now: datetime) -> Link | None:
    """Return the link as `find_link` does and use it up: of two who come at once, one gets it."""
    found = find_link(session, token_hash, purpose, now)
    if found is None:
        return None
    used = session.scalars(delete(LinkRow).where(LinkRow.token_hash == token_hash).returning(LinkRow.token_hash))
    return found if used.one_or_none() else None


def find_pending(session: Session, user_id: str, purpose: Purpose, now: datetime) -> Link | None:
    """Return the person's link of this *purpose* that still works, or None."""
    row = session.scalar(
        select(LinkRow).where(LinkRow.user_id == user_id, LinkRow.purpose == purpose, LinkRow.expires_at > now)
    )
    return Link(row.user_id, row.email, row.expires_at) if row else None


def delete_links(session: Session, user_id: str, purpose: Purpose | None = None) -> int:
    """Make the person's links, of one *purpose* or all, work no more; return how many there were."""
    mine = delete(LinkRow).where(LinkRow.user_id == user_id).returning(LinkRow.token_hash)
    return len(session.scalars(mine.where(LinkRow.purpose == purpose) if purpose else mine).all())


def delete_expired(session: Session, now: datetime) -> int:
    """Delete the links that nobody has used in time; return how many."""
    return len(session.scalars(delete(LinkRow).where(LinkRow.expires_at <= now).returning(LinkRow.token_hash)).all())
