"""Signed-in browsers, and the failed attempts that throttle signing in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from core.state.models import AttemptRow, SessionRow


@dataclass(frozen=True)
class SignedIn:
    """A live session: whose, since when, last active when."""

    user_id: str
    created_at: datetime
    active_at: datetime


@dataclass(frozen=True)
class Attempts:
    """Failures in a row of one key and until when it has to wait."""

    failed_count: int
    blocked_until: datetime


def add_session(session: Session, token_hash: str, user_id: str, now: datetime) -> None:
    """Record a new session under the hash of its token."""
    session.add(SessionRow(token_hash=token_hash, user_id=user_id, created_at=now, active_at=now, revoked_at=None))


def find_session(session: Session, token_hash: str) -> SignedIn | None:
    """Return the session unless it is unknown or revoked; ages are the caller's business."""
    row = session.get(SessionRow, token_hash)
    if row is None or row.revoked_at is not None:
        return None
    return SignedIn(row.user_id, row.created_at, row.active_at)


def record_activity(session: Session, token_hash: str, now: datetime) -> None:
    """Move the session's last activity forward, never back."""
    session.execute(
        update(SessionRow).where(SessionRow.token_hash == token_hash, SessionRow.active_at < now).values(active_at=now)
    )


def revoke_session(session: Session, token_hash: str, now: datetime) -> None:
    """End the session; harmless when it has ended."""
    session.execute(
        update(SessionRow)
        .where(SessionRow.token_hash == token_hash, SessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def find_attempts(session: Session, key: str) -> Attempts | None:
    """Return the failures of *key*, or None when there are none."""
    row = session.get(AttemptRow, key)
    return Attempts(row.failed_count, row.blocked_until) if row else None


def record_failure(session: Session, key: str, failed_count: int, blocked_until: datetime) -> None:
    """Set the failures of *key*."""
    session.merge(AttemptRow(key=key, failed_count=failed_count, blocked_until=blocked_until))


def forget_attempts(session: Session, before: datetime) -> None:
    """Forget the failures of every key that was free to try again already at *before*."""
    session.execute(delete(AttemptRow).where(AttemptRow.blocked_until < before))


def clear_attempts(session: Session, key: str) -> None:
    """Forget the failures of *key*."""
    session.execute(delete(AttemptRow).where(AttemptRow.key == key))
