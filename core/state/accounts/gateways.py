"""Gateways as they were set up, their secrets sealed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from core.domain.gateways.gateways import GatewaySetup, GatewayStatus
from core.domain.words.control_characters import as_told
from core.errors import NotFound
from core.state.engine.prepared import Prepared
from core.state.tables.gateway_models import GatewayRow

_RATE = Prepared(
    select(GatewayRow.rate_tps).where(GatewayRow.name == bindparam("key"), GatewayRow.deleted_at.is_(None)), ("key",)
)

# The gateways there are, with their versions. Asked all the time, and so built once.
VERSIONS = select(GatewayRow.name, GatewayRow.version).where(GatewayRow.deleted_at.is_(None))

# Those of them by which nothing can be sent.
FAILING = select(GatewayRow.name).where(GatewayRow.deleted_at.is_(None), GatewayRow.status == GatewayStatus.FAILING)

# Until it is looked at whether one that fails is back; doubled every time it seemed to be and took no message.
PROBE_FIRST, PROBE_MOST = timedelta(seconds=15), timedelta(minutes=15)


@dataclass(frozen=True)
class HealthReport:
    """Whether nothing can be sent by it, whether that it works is a guess, and when a person's test last went well."""

    is_failing: bool
    is_doubtful: bool
    tested_at: datetime | None


@dataclass(frozen=True)
class Sealed:
    """Secrets of a gateway, encrypted; *callback_hash* is that of its callback's token, None without one."""

    text: str = field(default="", repr=False)
    names: frozenset[str] = frozenset()
    at: datetime | None = None
    callback_hash: str | None = None


@dataclass(frozen=True)
class StoredGateway:
    """A gateway with its secrets."""

    setup: GatewaySetup
    sealed: Sealed


def list_gateways(session: Session) -> tuple[GatewaySetup, ...]:
    """Return all gateways, by name."""
    found = select(GatewayRow).where(GatewayRow.deleted_at.is_(None)).order_by(func.lower(GatewayRow.name))
    return tuple(_setup(row) for row in session.scalars(found))


def list_versions(session: Session) -> Mapping[str, int]:
    """Return the version of each gateway, by name."""
    return dict(session.execute(VERSIONS).all())


def get_gateway(session: Session, name: str) -> StoredGateway:
    """Return the gateway. Raises: NotFound."""
    return _stored(_get(session, name, lock=False))


def lock_gateway(session: Session, name: str) -> StoredGateway:
    """Return the gateway; until the transaction ends nobody else changes or deletes it. Raises: NotFound."""
    return _stored(_get(session, name, lock=True))


def is_name_taken(session: Session, name: str) -> bool:
    """Return whether a gateway is called *name*, whatever the case."""
    same = func.lower(GatewayRow.name) == name.lower()
    return session.scalar(select(GatewayRow.name).where(same, GatewayRow.deleted_at.is_(None))) is not None


def find_rate(session: Session, name: str) -> int | None:
    """Return its segments per second over all accounts, as they are this moment; None for no limit of its own."""
    found = _RATE.fetch(session, name)
    return found[0][0] if found else None


def find_former_kind(session: Session, name: str) -> str:
    """Return the kind of a gateway that was called exactly *name*, "" if none was: messages still carry its name."""
    former = _find_deleted(session, name)
    return former.kind if former is not None else ""


def find_kind(session: Session, name: str) -> str:
    """Return the kind of the gateway called *name*, also of one that was deleted; "" where there never was one."""
    return session.scalar(select(GatewayRow.kind).where(GatewayRow.name == name)) or ""


def add_gateway(session: Session, setup: GatewaySetup, sealed: Sealed, now: datetime) -> None:
    """
    Add the gateway; where one of its name was deleted, it takes that one's place.

    A name that is taken raises SQLAlchemy's IntegrityError.
    """
    former = _find_deleted(session, setup.name)
    if former is not None:
        session.delete(former)
        session.flush()
    session.add(
        GatewayRow(
            name=setup.name,
            kind=setup.kind,
            settings=dict(setup.settings),
            rate_tps=setup.rate_tps,
            resumes=setup.resumes,
            status=GatewayStatus.WORKING,
            # Whoever is connected to the former one must notice.
            version=former.version + 1 if former is not None else 1,
            created_at=now,
            **_columns(sealed),
        )
    )
    session.flush()


def change_gateway(session: Session, setup: GatewaySetup, sealed: Sealed) -> None:
    """Store what the gateway connects by, its rate and its version, as they are in *setup* and *sealed*."""
    row = _get(session, setup.name, lock=False)
    if row.version != setup.version:
        # Somebody has seen to it: whether it works now is looked at again.
        row.needs_person, row.proven_at, row.relapse_count = False, None, 0
        _forget_test(row)
    row.settings, row.rate_tps, row.resumes, row.version = (
        dict(setup.settings),
        setup.rate_tps,
        setup.resumes,
        setup.version,
    )
    for name, value in _columns(sealed).items():
        setattr(row, name, value)


def set_failing(session: Session, name: str, fault: str, now: datetime, *, needs_person: bool) -> None:
    """
    Store that nothing can be sent by it, why, and if that is news since when, and when to look whether it is back.

    Raises: NotFound.
    """
    row = _get(session, name, lock=False)
    if row.status != GatewayStatus.FAILING:
        row.fault_at, row.probe_at = now, now + find_pause(row.relapse_count)
    row.status, row.fault, row.needs_person = GatewayStatus.FAILING, as_told(fault), needs_person


def set_working(session: Session, name: str, now: datetime, *, is_guess: bool = False) -> bool:
    """
    Store that it works; return whether that is news.

    It is a guess where it has connected and taken nothing: if it fails again it is looked at ever less often.
    Raises: NotFound.
    """
    row = _get(session, name, lock=True)
    was_failing = row.status == GatewayStatus.FAILING
    row.status, row.fault, row.fault_at, row.needs_person = GatewayStatus.WORKING, "", None, False
    row.probe_at, row.proven_at = None, row.proven_at or now
    row.relapse_count = row.relapse_count + 1 if is_guess and was_failing else 0
    return was_failing


def put_probe_off(session: Session, name: str, now: datetime) -> None:
    """Store when it is looked at again whether it is back: it is not."""
    failing = (GatewayRow.name == name) & (GatewayRow.status == GatewayStatus.FAILING)
    session.execute(update(GatewayRow).where(failing).values(probe_at=now + PROBE_FIRST))


def set_tested(session: Session, name: str, now: datetime) -> None:
    """Store that a person's test of it has gone well."""
    row = _get(session, name, lock=True)
    row.tested_at, row.proven_at = now, row.proven_at or now
    _forget_test(row)


def set_test_failed(session: Session, name: str, fault: str, now: datetime) -> None:
    """Store why a person's test of it failed, until it works; of one that works or fails more is known already."""
    untried = (GatewayRow.name == name) & (GatewayRow.status == GatewayStatus.WORKING) & GatewayRow.proven_at.is_(None)
    session.execute(update(GatewayRow).where(untried).values(fault=as_told(fault), fault_at=now))


def set_proven(session: Session, name: str, version: int, now: datetime) -> None:
    """Store that it works as it is set up in this *version*; what is set up otherwise by now is another matter."""
    same = (GatewayRow.name == name) & (GatewayRow.version == version) & GatewayRow.proven_at.is_(None)
    # What a test has found before is over; why it fails, if it does, is not.
    works = same & (GatewayRow.status == GatewayStatus.WORKING)
    session.execute(update(GatewayRow).where(works).values(fault="", fault_at=None))
    session.execute(update(GatewayRow).where(same).values(proven_at=now))


def list_reports(session: Session) -> Mapping[str, HealthReport]:
    """Return what is known of the health of each gateway, by name."""
    columns = (GatewayRow.name, GatewayRow.status, GatewayRow.relapse_count, GatewayRow.tested_at)
    found = session.execute(select(*columns).where(GatewayRow.deleted_at.is_(None)))
    return {
        name: HealthReport(status == GatewayStatus.FAILING, relapses > 0, tested_at)
        for name, status, relapses, tested_at in found
    }


def find_pause(relapse_count: int) -> timedelta:
    """Return how long it is until one that fails is looked at, after so many times that it seemed to be back."""
    doubled: int = 2 ** min(relapse_count, 10)
    return min(PROBE_MOST, PROBE_FIRST * doubled)


def list_failing(session: Session) -> tuple[GatewaySetup, ...]:
    """Return the gateways by which nothing can be sent, by name."""
    failing = FAILING.with_only_columns(GatewayRow).order_by(GatewayRow.name)
    return tuple(_setup(row) for row in session.scalars(failing))


def delete_gateway(session: Session, name: str, now: datetime) -> None:
    """Forget how the gateway was set up; its name and kind stay. Raises: NotFound."""
    row = _get(session, name, lock=False)
    row.settings, row.deleted_at, row.version = {}, now, row.version + 1
    for column, value in _columns(Sealed()).items():
        setattr(row, column, value)


def list_sealed(session: Session) -> tuple[tuple[str, str], ...]:
    """Return the name of each gateway that has secrets, and those, encrypted; the rows stay locked."""
    found = select(GatewayRow).where(GatewayRow.secrets != "").order_by(GatewayRow.name).with_for_update()
    return tuple((row.name, row.secrets) for row in session.scalars(found))


def reseal_gateway(session: Session, name: str, encrypted: str) -> None:
    """Replace the gateway's secrets by the same ones, encrypted otherwise."""
    session.get_one(GatewayRow, name).secrets = encrypted


def list_callbacks(session: Session) -> Mapping[str, tuple[str, int]]:
    """Return the name and version of each gateway whose provider may report, by the hash of its callback's token."""
    found = select(GatewayRow.callback_hash, GatewayRow.name, GatewayRow.version).where(
        GatewayRow.callback_hash.is_not(None), GatewayRow.deleted_at.is_(None)
    )
    return {callback_hash: (name, version) for callback_hash, name, version in session.execute(found) if callback_hash}


def _forget_test(row: GatewayRow) -> None:
    if row.status == GatewayStatus.WORKING:
        row.fault, row.fault_at = "", None


def _find_deleted(session: Session, name: str) -> GatewayRow | None:
    return session.scalar(select(GatewayRow).where(GatewayRow.name == name, GatewayRow.deleted_at.is_not(None)))


def _get(session: Session, name: str, *, lock: bool) -> GatewayRow:
    which = select(GatewayRow).where(GatewayRow.name == name, GatewayRow.deleted_at.is_(None))
    # What this transaction read before it had to wait may be old.
    row = session.scalar(which.with_for_update() if lock else which, execution_options={"populate_existing": lock})
    if row is None:
        raise NotFound(f"There is no gateway called {name[:40]!r}.")
    return row


def _columns(sealed: Sealed) -> dict[str, Any]:
    return {
        "secrets": sealed.text,
        "secret_names": sorted(sealed.names),
        "secrets_at": sealed.at,
        "callback_hash": sealed.callback_hash,
    }


def _stored(row: GatewayRow) -> StoredGateway:
    names: Collection[str] = row.secret_names
    return StoredGateway(_setup(row), Sealed(row.secrets, frozenset(names), row.secrets_at, row.callback_hash))


def _setup(row: GatewayRow) -> GatewaySetup:
    return GatewaySetup(
        name=row.name,
        kind=row.kind,
        settings=row.settings,
        secrets_set=frozenset(row.secret_names),
        secrets_at=row.secrets_at,
        rate_tps=row.rate_tps,
        resumes=row.resumes,
        status=GatewayStatus(row.status),
        fault=row.fault,
        fault_at=row.fault_at,
        needs_person=row.needs_person,
        proven_at=row.proven_at,
        tested_at=row.tested_at,
        probe_at=row.probe_at,
        version=row.version,
        created_at=row.created_at,
    )
