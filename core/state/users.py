"""People and the accounts they belong to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.domain.permissions import Permission, Viewer
from core.state.models import MembershipRow, UserRow

ACTIVE = "Active"


@dataclass(frozen=True)
class NewUser:
    """A person to add. *email* in any case; *password_hash* as argon2id wrote it."""

    user_id: str
    email: str
    name: str
    password_hash: str
    permissions: frozenset[Permission]
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Credentials:
    """What signing in compares."""

    user_id: str
    password_hash: str
    active: bool


def count_users(session: Session) -> int:
    """Return how many people there are."""
    return session.scalar(select(func.count()).select_from(UserRow)) or 0


def add_user(session: Session, user: NewUser, now: datetime) -> None:
    """Add an active person; an email that is taken raises SQLAlchemy's IntegrityError."""
    session.add(
        UserRow(
            user_id=user.user_id,
            email=user.email.lower(),
            name=user.name,
            password_hash=user.password_hash,
            status=ACTIVE,
            permissions=sorted(user.permissions),
            time_zone=user.time_zone,
            created_at=now,
        )
    )
    session.flush()


def find_credentials(session: Session, email: str) -> Credentials | None:
    """Return the credentials of the person with this *email*, whatever its case."""
    row = session.scalar(select(UserRow).where(UserRow.email == email.lower()))
    return Credentials(row.user_id, row.password_hash, row.status == ACTIVE) if row else None


def set_password_hash(session: Session, user_id: str, password_hash: str) -> None:
    """Replace the stored hash, as when the cost parameters have grown."""
    row = session.get_one(UserRow, user_id)
    row.password_hash = password_hash


def find_viewer(session: Session, user_id: str) -> Viewer | None:
    """Return the person as a viewer, or None when gone or not active."""
    row = session.get(UserRow, user_id)
    if row is None or row.status != ACTIVE:
        return None
    accounts = session.scalars(select(MembershipRow.account_id).where(MembershipRow.user_id == user_id))
    return Viewer(
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        permissions=frozenset(Permission(name) for name in row.permissions),
        account_ids=frozenset(accounts),
        time_zone=row.time_zone,
    )


def list_time_zones(session: Session) -> list[str]:
    """Return the zones in which active people live, each once."""
    return list(session.scalars(select(UserRow.time_zone).where(UserRow.status == ACTIVE).distinct()))


def add_membership(session: Session, user_id: str, account_id: str) -> None:
    """Let the person work with the account; harmless when he or she already does."""
    session.merge(MembershipRow(user_id=user_id, account_id=account_id))


def find_user_id(session: Session, email: str = "") -> str | None:
    """Return who has this *email*, whatever its case; without one, the active person added first."""
    found = select(UserRow.user_id)
    if email:
        return session.scalar(found.where(UserRow.email == email.strip().lower()))
    return session.scalar(found.where(UserRow.status == ACTIVE).order_by(UserRow.created_at).limit(1))
