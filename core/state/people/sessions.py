"""Signed-in browsers, and the failed attempts that throttle signing in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from core.domain.people.people import UserStatus
from core.domain.people.permissions import Viewer
from core.identifiers import new_id
from core.state.people.users import make_viewer
from core.state.tables.base import insert_of
from core.state.tables.models import AccountRow
from core.state.tables.people_models import AttemptRow, MembershipRow, SessionRow, UserRow


@dataclass(frozen=True)
class SignedIn:
    """A live session: whose, since when, last active when."""

    user_id: str
    created_at: datetime
    active_at: datetime


@dataclass(frozen=True)
class Browser:
    """Where a session is from: the browser's *address* and what it calls itself."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it, to end it from elsewhere."""

    session_id: str
    token_hash: str
    browser: Browser
    created_at: datetime
    active_at: datetime


@dataclass(frozen=True)
class Attempts:
    """Failures in a row of one key and until when it has to wait."""

    failed_count: int
    blocked_until: datetime


_NOWHERE = Browser()


def add_session(session: Session, token_hash: str, user_id: str, now: datetime, browser: Browser = _NOWHERE) -> None:
    """Record a new session under the hash of its token."""
    session.add(
        SessionRow(
            token_hash=token_hash,
            user_id=user_id,
            created_at=now,
            active_at=now,
            revoked_at=None,
            session_id=new_id(),
            address=browser.address[:64],
            agent=browser.agent[:200],
        )
    )


def list_open(session: Session, user_id: str, active_since: datetime, created_since: datetime) -> list[OpenSession]:
    """Return the person's sessions that are neither revoked, idle nor too old, the last active one first."""
    rows = session.scalars(
        select(SessionRow)
        .where(
            SessionRow.user_id == user_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.active_at >= active_since,
            SessionRow.created_at >= created_since,
        )
        .order_by(SessionRow.active_at.desc(), SessionRow.session_id)
    )
    return [
        OpenSession(row.session_id, row.token_hash, Browser(row.address, row.agent), row.created_at, row.active_at)
        for row in rows
    ]


def _revoke(session: Session, mine: Iterable[ColumnElement[bool]], now: datetime) -> int:
    ended = update(SessionRow).where(*mine).values(revoked_at=now).returning(SessionRow.session_id)
    return len(session.scalars(ended).all())


def revoke_by_id(session: Session, user_id: str, session_id: str, now: datetime) -> bool:
    """End one of the person's sessions; return whether there was such a one that had not ended."""
    mine = (SessionRow.user_id == user_id, SessionRow.session_id == session_id, SessionRow.revoked_at.is_(None))
    return _revoke(session, mine, now) == 1


def revoke_all(session: Session, user_id: str, now: datetime, *, but: str = "") -> int:
    """End the person's sessions, but for the one with the token hash *but*; return how many."""
    mine = (SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None), SessionRow.token_hash != but)
    return _revoke(session, mine, now)


def find_session(session: Session, token_hash: str) -> SignedIn | None:
    """Return the session unless it is unknown or revoked; ages are the caller's business."""
    row = session.get(SessionRow, token_hash)
    if row is None or row.revoked_at is not None:
        return None
    return SignedIn(row.user_id, row.created_at, row.active_at)


_VIEWER = (
    select(
        SessionRow.created_at,
        SessionRow.active_at,
        UserRow.user_id,
        UserRow.name,
        UserRow.email,
        UserRow.permissions,
        UserRow.time_zone,
        MembershipRow.account_id,
        AccountRow.status.label("account_status"),
    )
    .join(UserRow, UserRow.user_id == SessionRow.user_id)
    .outerjoin(MembershipRow, MembershipRow.user_id == UserRow.user_id)
    .outerjoin(AccountRow, AccountRow.account_id == MembershipRow.account_id)
    .where(
        SessionRow.token_hash == bindparam("token_hash"),
        SessionRow.revoked_at.is_(None),
        UserRow.status == UserStatus.ACTIVE,
    )
)


def find_viewer(connection: Connection, token_hash: str) -> tuple[SignedIn, Viewer] | None:
    """
    Return the session and who is behind it, as `find_session` and an active person.

    One statement, made once: it is asked for every request.
    """
    rows = connection.execute(_VIEWER, {"token_hash": token_hash}).all()
    if not rows:
        return None
    first = rows[0]
    mine = ((row.account_id, row.account_status) for row in rows if row.account_id is not None)
    return SignedIn(first.user_id, first.created_at, first.active_at), make_viewer(first, mine)


def record_activity(session: Session, token_hash: str, now: datetime) -> None:
    """Move the session's last activity forward, never back."""
    session.execute(
        update(SessionRow).where(SessionRow.token_hash == token_hash, SessionRow.active_at < now).values(active_at=now)
    )


def revoke_session(session: Session, token_hash: str, now: datetime) -> bool:
    """End the session; return whether it had not ended."""
    return _revoke(session, (SessionRow.token_hash == token_hash, SessionRow.revoked_at.is_(None)), now) == 1


def delete_ended(session: Session, revoked_before: datetime, active_before: datetime, created_before: datetime) -> int:
    """Delete the sessions that were revoked, last active or begun before these moments; return how many."""
    ended = or_(
        SessionRow.revoked_at < revoked_before,
        SessionRow.active_at < active_before,
        SessionRow.created_at < created_before,
    )
    return len(session.scalars(delete(SessionRow).where(ended).returning(SessionRow.session_id)).all())


def find_attempts(session: Session, key: str) -> Attempts | None:
    """Return the failures of *key*, or None when there are none."""
    row = session.get(AttemptRow, key)
    return Attempts(row.failed_count, row.blocked_until) if row else None


def lock_attempts(session: Session, key: str, now: datetime) -> Attempts:
    """Return the failures of *key*, none at first; until the transaction ends nobody else counts for it."""
    locked = (
        insert_of(session)(AttemptRow)
        .values(key=key, failed_count=0, blocked_until=now)
        .on_conflict_do_update(index_elements=[AttemptRow.key], set_={"key": key})
        .returning(AttemptRow.failed_count, AttemptRow.blocked_until)
    )
    failed_count, blocked_until = session.execute(locked).one()
    return Attempts(failed_count, blocked_until)


def record_failure(session: Session, key: str, failed_count: int, blocked_until: datetime) -> None:
    """Set the failures of *key*; whoever counts has locked them before."""
    session.merge(AttemptRow(key=key, failed_count=failed_count, blocked_until=blocked_until))


def forget_attempts(session: Session, before: datetime) -> None:
    """Forget the failures of every key that was free to try again already at *before*."""
    # Those that somebody is just counting are left out: waiting for each other's rows, two could wait for ever.
    old = select(AttemptRow.key).where(AttemptRow.blocked_until < before).with_for_update(skip_locked=True)
    session.execute(delete(AttemptRow).where(AttemptRow.key.in_(old)))


def clear_attempts(session: Session, key: str) -> None:
    """Forget the failures of *key*."""
    session.execute(delete(AttemptRow).where(AttemptRow.key == key))
