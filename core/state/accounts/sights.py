"""What processes tell of their gateways: a row for each process, written again and again, believed for a while."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from core.domain.gateways.sights import GatewaySight, InUse, LinkState, LinkStatus, ProcessSight, SeenFault
from core.state.tables.base import insert_of
from core.state.tables.gateway_models import SightRow


def write_sight(session: Session, sight: ProcessSight) -> None:
    """Store what the process sees, in the place of what it has told before."""
    facts = {name: _write(each) for name, each in sight.gateways.items()}
    new = insert_of(session)(SightRow).values(
        process=sight.process, is_worker=sight.is_worker, seen_at=sight.seen_at, facts=facts
    )
    session.execute(
        new.on_conflict_do_update(
            index_elements=[SightRow.process], set_={"seen_at": new.excluded.seen_at, "facts": new.excluded.facts}
        )
    )


def list_sights(session: Session, since: datetime, until: datetime) -> tuple[ProcessSight, ...]:
    """Return what was told in this time, by process."""
    fresh = SightRow.seen_at.between(since, until)
    return tuple(
        ProcessSight(row.process, row.is_worker, row.seen_at, {name: _read(each) for name, each in row.facts.items()})
        for row in session.scalars(select(SightRow).where(fresh).order_by(SightRow.process))
    )


def delete_sight(session: Session, process: str) -> None:
    """Forget what the process has told: it ends."""
    session.execute(delete(SightRow).where(SightRow.process == process))


def delete_sights(session: Session, since: datetime, until: datetime) -> int:
    """Forget what was told before or after this time, by processes that are gone; return of how many."""
    old = select(SightRow.process).where(or_(SightRow.seen_at < since, SightRow.seen_at > until))
    gone = list(session.scalars(old))
    session.execute(delete(SightRow).where(SightRow.process.in_(gone)))
    return len(gone)


def _write(sight: GatewaySight) -> dict[str, Any]:
    facts = asdict(sight)
    for each in facts["links"]:
        each["since"] = each["since"].isoformat()
    for each in facts["faults"]:
        each["first_at"], each["last_at"] = each["first_at"].isoformat(), each["last_at"].isoformat()
    for name in ("worked_at", "refused_at"):
        facts[name] = facts[name].isoformat() if facts[name] else ""
    return facts


def _read(facts: Mapping[str, Any]) -> GatewaySight:
    return GatewaySight(
        tuple(_read_link(each) for each in facts["links"]),
        InUse(**facts["in_use"]),
        facts["submitted_per_s"],
        facts["receipts_per_s"],
        tuple(SeenFault(each["text"], _moment(each["first_at"]), _moment(each["last_at"])) for each in facts["faults"]),
        # Processes of an earlier version do not tell these.
        *(_moment(facts[name]) if facts.get(name) else None for name in ("worked_at", "refused_at")),
    )


def _read_link(facts: Mapping[str, Any]) -> LinkState:
    return LinkState(**{**facts, "status": LinkStatus(facts["status"]), "since": _moment(facts["since"])})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
