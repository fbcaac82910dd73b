"""People and the accounts they belong to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import AccountStatus
from core.domain.people.people import Person, SmsSettings, UserStatus, check_move
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.reports.paging import Page, PageRequest
from core.errors import NotFound
from core.state.tables.models import AccountRow
from core.state.tables.people_models import AvatarRow, MembershipRow, UserRow
from core.state.tables.search import contains, exact_first, folded

ACTIVE = UserStatus.ACTIVE
# What a page of people may be sorted by.
SORTABLE = ("name", "email", "status", "created_at")


@dataclass(frozen=True)
class NewUser:
    """A person to add. *email* in any case; *password_hash* as argon2id wrote it, "" for who is invited."""

    user_id: str
    email: str
    name: str
    password_hash: str
    permissions: frozenset[Permission]
    time_zone: str = "UTC"
    status: UserStatus = UserStatus.ACTIVE


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
    """Add the person; an email that is taken raises SQLAlchemy's IntegrityError."""
    session.add(
        UserRow(
            user_id=user.user_id,
            email=user.email.lower(),
            name=user.name,
            password_hash=user.password_hash,
            status=user.status,
            permissions=sorted(user.permissions),
            time_zone=user.time_zone,
            created_at=now,
        )
    )
    session.flush()


def find_credentials(session: Session, email: str, *, lock: bool = False) -> Credentials | None:
    """Return the credentials of the person with this *email*, whatever its case; *lock* keeps them until the end."""
    found = select(UserRow).where(UserRow.email == email.lower())
    row = session.scalar(found.with_for_update() if lock else found)
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
    mine = session.execute(
        select(AccountRow.account_id, AccountRow.status)
        .join(MembershipRow, MembershipRow.account_id == AccountRow.account_id)
        .where(MembershipRow.user_id == user_id)
    )
    return make_viewer(row, ((account_id, status) for account_id, status in mine))


def find_permissions(session: Session, user_id: str, account_id: str) -> frozenset[Permission]:
    """Return what the person may do with the account; nothing when gone, not active, or not of this account."""
    mine = select(MembershipRow).where(MembershipRow.user_id == UserRow.user_id, MembershipRow.account_id == account_id)
    held = select(UserRow.permissions).where(UserRow.user_id == user_id, UserRow.status == ACTIVE, mine.exists())
    return frozenset(map(Permission, session.scalar(held) or ()))


def list_holders(session: Session, account_id: str, permissions: Collection[Permission]) -> list[str]:
    """Return the active people of the account who hold at least one of the *permissions*."""
    mine = select(MembershipRow).where(MembershipRow.user_id == UserRow.user_id, MembershipRow.account_id == account_id)
    people = select(UserRow.user_id, UserRow.permissions).where(UserRow.status == ACTIVE, mine.exists())
    rows = session.execute(people.order_by(UserRow.user_id))
    return [user_id for user_id, held in rows if not {*permissions}.isdisjoint(held)]


def make_viewer(person: UserRow | Row[*tuple[Any, ...]], mine: Iterable[tuple[str, str]]) -> Viewer:
    """Return the person as a viewer; *mine* are the ids and statuses of his or her accounts."""
    accounts = dict(mine)
    return Viewer(
        user_id=person.user_id,
        name=person.name,
        email=person.email,
        permissions=frozenset(Permission(name) for name in person.permissions),
        account_ids=frozenset(accounts),
        time_zone=person.time_zone,
        inactive_ids=frozenset(key for key, status in accounts.items() if status == AccountStatus.INACTIVE),
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


def get_person(session: Session, user_id: str) -> Person:
    """Return the person. Raises: NotFound."""
    return _person(session, _get_row(session, user_id))


def page_people(session: Session, request: PageRequest) -> Page[Person]:
    """Return a page of all people whose name or email contains the search."""
    found = select(UserRow)
    if request.search.strip():
        search = request.search.strip()
        found = found.where(contains(UserRow.name.expression, search) | contains(UserRow.email.expression, search))
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    name = request.sort if request.sort in SORTABLE else "name"
    column = folded(UserRow.name.expression) if name == "name" else getattr(UserRow, name)
    order = column.desc() if request.descending else column.asc()
    exact = exact_first(request.search, UserRow.name.expression, UserRow.email.expression)
    rows = session.scalars(found.order_by(*exact, order, UserRow.user_id).limit(request.size).offset(request.offset))
    return Page(_people(session, rows.all()), total)


def list_active(session: Session) -> tuple[Person, ...]:
    """Return everybody who is active, by name."""
    rows = session.scalars(select(UserRow).where(UserRow.status == ACTIVE).order_by(folded(UserRow.name)))
    return _people(session, rows.all())


def lock_administrators(session: Session) -> frozenset[str]:
    """Return who is active and may do everything; until the transaction ends this cannot change."""
    # In one order, so that two who lock them do not wait for each other; and not as strongly as a deletion would:
    # somebody who is just signing in does not matter here.
    rows = session.execute(
        select(UserRow.user_id, UserRow.permissions)
        .where(UserRow.status == ACTIVE)
        .order_by(UserRow.user_id)
        .with_for_update(key_share=True)
    )
    everything = PRESETS["Administrator"]
    return frozenset(user_id for user_id, names in rows if everything.issubset(names))


def lock_person(session: Session, user_id: str) -> Person:
    """Return the person as he or she is now; until the transaction ends nobody else changes that. Raises: NotFound."""
    found = select(UserRow).where(UserRow.user_id == user_id).with_for_update(key_share=True)
    row = session.scalar(found.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such person.")
    return _person(session, row)


def move_person(session: Session, user_id: str, to: UserStatus) -> None:
    """Change the status. Raises: NotFound, InvalidTransition."""
    row = _get_row(session, user_id)
    check_move(UserStatus(row.status), to)
    row.status = to


def set_access(
    session: Session, user_id: str, permissions: frozenset[Permission], account_ids: Collection[str]
) -> None:
    """Replace what the person may do, and with which accounts."""
    _get_row(session, user_id).permissions = sorted(permissions)
    session.execute(delete(MembershipRow).where(MembershipRow.user_id == user_id))
    session.add_all(MembershipRow(user_id=user_id, account_id=account_id) for account_id in sorted(account_ids))
    session.flush()


def set_name(session: Session, user_id: str, name: str) -> None:
    """Change the name."""
    _get_row(session, user_id).name = name


def set_email(session: Session, user_id: str, email: str) -> None:
    """Change the email; one that is taken raises SQLAlchemy's IntegrityError."""
    _get_row(session, user_id).email = email.lower()
    session.flush()


def set_profile(session: Session, user_id: str, *, name: str, phone: str, language: str, time_zone: str) -> None:
    """Replace what the person says of himself or herself."""
    row = _get_row(session, user_id)
    row.name, row.phone, row.language, row.time_zone = name, phone, language, time_zone


def set_sms_settings(session: Session, user_id: str, settings: SmsSettings) -> None:
    """Replace what the person's messages begin with."""
    row = _get_row(session, user_id)
    row.simplifies, row.sender_id = settings.simplifies, settings.sender_id


def delete_person(session: Session, user_id: str) -> None:
    """Remove the person with everything that is only his or hers; campaigns and lists stay."""
    session.delete(_get_row(session, user_id))
    session.flush()


def set_avatar(session: Session, user_id: str, image: bytes, digest: str) -> None:
    """Replace the person's picture."""
    session.merge(AvatarRow(user_id=user_id, image=image, digest=digest))


def delete_avatar(session: Session, user_id: str) -> None:
    """Forget the person's picture; harmless without one."""
    session.execute(delete(AvatarRow).where(AvatarRow.user_id == user_id))


def find_avatar(session: Session, user_id: str) -> tuple[bytes, str] | None:
    """Return the person's picture (PNG) and its digest, or None."""
    row = session.get(AvatarRow, user_id)
    return (row.image, row.digest) if row else None


def find_avatar_digest(session: Session, user_id: str) -> str:
    """Return the digest of the person's picture, "" without one."""
    return session.scalar(select(AvatarRow.digest).where(AvatarRow.user_id == user_id)) or ""


def _get_row(session: Session, user_id: str) -> UserRow:
    row = session.get(UserRow, user_id)
    if row is None:
        raise NotFound("There is no such person.")
    return row


def _person(session: Session, row: UserRow) -> Person:
    return _people(session, [row])[0]


def _people(session: Session, rows: Sequence[UserRow]) -> tuple[Person, ...]:
    """Return who the rows are, in their order; whose accounts are whose is asked once for all of them."""
    wanted = MembershipRow.user_id.in_([row.user_id for row in rows])
    account_ids: dict[str, set[str]] = {row.user_id: set() for row in rows}
    for user_id, account_id in session.execute(select(MembershipRow.user_id, MembershipRow.account_id).where(wanted)):
        account_ids[user_id].add(account_id)
    return tuple(_as_person(row, frozenset(account_ids[row.user_id])) for row in rows)


def _as_person(row: UserRow, account_ids: frozenset[str]) -> Person:
    return Person(
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        status=UserStatus(row.status),
        permissions=frozenset(Permission(name) for name in row.permissions),
        account_ids=account_ids,
        phone=row.phone,
        language=row.language,
        time_zone=row.time_zone,
        sms=SmsSettings(row.simplifies, row.sender_id),
        has_password=bool(row.password_hash),
        created_at=row.created_at,
    )
