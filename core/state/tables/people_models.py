"""Tables of people: who they are, how they come in, what they did and what they are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.state.tables.base import Base


class UserRow(Base):
    """A person. *email* is stored lower-cased; without a *password_hash* nobody can log in."""

    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10))
    permissions: Mapped[list[str]]
    time_zone: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(16), default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    simplifies: Mapped[bool] = mapped_column(default=False)
    sender_id: Mapped[str] = mapped_column(String(17), default="")
    created_at: Mapped[datetime]


class AvatarRow(Base):
    """A person's picture, as we drew it: PNG. *digest* changes with it."""

    __tablename__ = "avatars"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    image: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(64))


class LinkRow(Base):
    """A link that was sent by email and works once. Only the hash of its token is kept; gone once it is used."""

    __tablename__ = "links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditRow(Base):
    """A line of the audit. The database refuses to change or delete one; people may go, their lines stay."""

    __tablename__ = "audit_log"
    entry_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[str] = mapped_column(String(36))
    who: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(64))
    subject_name: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]


class NotificationRow(Base):
    """Something a person is told; *tag* is one of the guide's."""

    __tablename__ = "notifications"
    notification_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    tag: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class MembershipRow(Base):
    """Which accounts a person belongs to."""

    __tablename__ = "memberships"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True)


class SessionRow(Base):
    """A signed-in browser. Only the hash of its token is kept."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    active_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # By which the person ends it from elsewhere, and what he or she knows it by.
    session_id: Mapped[str] = mapped_column(String(36), unique=True)
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")


class AttemptRow(Base):
    """Failed log-ins in a row of one key (an email or an address); forgotten after a while without one."""

    __tablename__ = "sign_in_attempts"
    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    failed_count: Mapped[int]
    blocked_until: Mapped[datetime]
