"""
The send ledger: batches of a frozen audience and the messages in flight.

A message that is in no ledger row is pending. It is claimed before it is submitted; a claim whose
outcome was never written is unknown and is not sent again. A settled batch has left for history.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Select, bindparam, case, delete, exists, func, insert, literal_column, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import LedgerState
from core.state.campaigns import part_ids
from core.state.campaigns.part_ids import Parts, note_parts
from core.state.engine.prepared import Prepared
from core.state.tables.base import UtcDateTime, in_portions
from core.state.tables.leases import Moment, give_back, is_free, take_lease
from core.state.tables.models import BatchRow, CampaignRow, LedgerRow

_ROW = LedgerRow.__table__.c
_CLAIM = Prepared(insert(LedgerRow), [column.name for column in _ROW])
_RECORD = Prepared(
    update(LedgerRow)
    .where(_ROW.message_id == bindparam("key"), _ROW.state == literal_column(f"'{LedgerState.CLAIMED}'"))
    .values(
        state=bindparam("new_state"),
        error_code=bindparam("code"),
        gateway_message_id=bindparam("theirs"),
        submitted_at=bindparam("at"),
    ),
    ("new_state", "code", "theirs", "at", "key"),
)
_RENEW = Prepared(
    update(BatchRow)
    .where(BatchRow.batch_id == bindparam("key"), BatchRow.lease_owner == bindparam("owner"))
    .values(lease_until=bindparam("until")),
    ("until", "key", "owner"),
)


@dataclass(frozen=True)
class Batch:
    """A slice of a frozen audience under lease."""

    batch_id: str
    campaign_id: str
    batch_no: int
    message_count: int


class Claim(NamedTuple):
    """A message about to be submitted to *gateway*."""

    message_id: str
    msisdn: str
    gateway: str


class Outcome(NamedTuple):
    """
    What became of a claimed message; *gateway* is whom it was claimed for, "" when it never was.

    *part_ids* are what the gateway calls its other parts, where it may report one of those alone.
    """

    message_id: str
    state: LedgerState
    submitted_at: datetime
    error_code: str = ""
    gateway_message_id: str = ""
    gateway: str = ""
    part_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class InFlight:
    """Messages of unsettled batches: how many in each state; *pending* includes the claimed ones."""

    pending: int
    sent: int
    unknown: int
    failed: dict[str, int]
    excluded: dict[str, int]


def add_batches(session: Session, campaign_id: str, sizes: Iterable[tuple[int, int]]) -> None:
    """Cut the audience into batches of (batch_no, message_count)."""
    rows = [
        {
            "batch_id": f"{campaign_id}-{batch_no}",
            "campaign_id": campaign_id,
            "batch_no": batch_no,
            "message_count": message_count,
            "lease_owner": "",
            "lease_until": None,
        }
        for batch_no, message_count in sizes
    ]
    if rows:
        session.execute(insert(BatchRow), rows)


def sendable(now: Moment) -> Select[str]:
    """Find the active campaigns with a batch nobody is working on."""
    free = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id, is_free(BatchRow, now))
    return select(CampaignRow.campaign_id).where(CampaignRow.status == CampaignStatus.ACTIVE, free)


def list_sendable(session: Session, now: datetime) -> list[str]:
    """Return the active campaigns with a batch nobody is working on."""
    return list(session.scalars(sendable(now).order_by(CampaignRow.launched_at)))


def count_leased(session: Session, now: datetime) -> dict[str, int]:
    """Return on how many of its batches each campaign is worked on; campaigns without any are absent."""
    leased = select(BatchRow.campaign_id, func.count()).where(~is_free(BatchRow, now)).group_by(BatchRow.campaign_id)
    return dict(session.execute(leased).all())


def do_others_wait(session: Session, campaign_id: str, now: datetime) -> bool:
    """Return whether another active campaign has batches and nobody is working on any of them."""
    ((found,),) = _others_waiting().fetch(session, campaign_id, now)
    return bool(found)


@cache
def _others_waiting() -> Prepared:
    batches = select(BatchRow.batch_id).where(BatchRow.campaign_id == CampaignRow.campaign_id)
    waiting = select(CampaignRow.campaign_id).where(
        CampaignRow.status == literal_column(f"'{CampaignStatus.ACTIVE}'"),
        CampaignRow.campaign_id != bindparam("but"),
        batches.exists(),
        ~batches.where(~is_free(BatchRow, bindparam("now", type_=UtcDateTime()))).exists(),
    )
    return Prepared(select(waiting.exists()), ("but", "now"))


def lease_batch(session: Session, campaign_id: str, owner: str, now: datetime, until: datetime) -> Batch | None:
    """
    Take the campaign's next free batch, or None.

    Claims that a dead worker left in it become unknown: whether they were sent cannot be told.
    """
    row = session.scalars(
        select(BatchRow)
        .where(BatchRow.campaign_id == campaign_id, is_free(BatchRow, now))
        .order_by(BatchRow.batch_no)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    taken = take_lease(session, BatchRow, BatchRow.batch_id == row.batch_id, owner=owner, now=now, until=until)
    if not taken:
        return None
    _forget_claims(session, [row.batch_id], now)
    return Batch(row.batch_id, row.campaign_id, row.batch_no, row.message_count)


def abandoned(now: Moment) -> Select[str]:
    """
    Find the campaigns in which a dead worker has left claims and that nobody takes up by itself, as while they wait.

    Who is sent, or canceled, is not among them: whoever takes its batches sees to that.
    """
    claimed = exists().where(LedgerRow.batch_id == BatchRow.batch_id, LedgerRow.state == LedgerState.CLAIMED)
    left = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id, BatchRow.lease_until < now, claimed)
    taken_up = (CampaignStatus.ACTIVE, CampaignStatus.CANCELED)
    return select(CampaignRow.campaign_id).where(CampaignRow.status.not_in(taken_up), left)


def list_abandoned(session: Session, now: datetime) -> list[str]:
    """Return the campaigns in which a dead worker has left claims that nobody takes up by itself."""
    return list(session.scalars(abandoned(now).order_by(CampaignRow.campaign_id)))


def give_up(session: Session, campaign_id: str, now: datetime) -> int:
    """
    Take the campaign's batches from workers whose leases have run out, and let their claims be unknown.

    Returns: How many claims there were. Whoever was held up only hears that the batch is not his any more.
    """
    dead = (BatchRow.campaign_id == campaign_id, BatchRow.lease_until < now)
    freed = update(BatchRow).where(*dead).values(lease_owner="", lease_until=None).returning(BatchRow.batch_id)
    batch_ids = session.scalars(freed, execution_options={"synchronize_session": False}).all()
    return _forget_claims(session, batch_ids, now)


def _forget_claims(session: Session, batch_ids: Collection[str], now: datetime) -> int:
    result = session.execute(
        update(LedgerRow)
        .where(LedgerRow.batch_id.in_(batch_ids), LedgerRow.state == LedgerState.CLAIMED)
        .values(state=LedgerState.UNKNOWN, submitted_at=now)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def renew_batch(session: Session, batch_id: str, owner: str, until: datetime) -> bool:
    """Extend the lease; False when the batch is no longer ours."""
    return _RENEW.run(session, until, batch_id, owner) > 0


def release_batch(session: Session, batch_id: str, owner: str) -> None:
    """Let another worker have the batch at once."""
    give_back(session, BatchRow, BatchRow.batch_id == batch_id, owner=owner)


def claim(session: Session, batch: Batch, claims: Sequence[Claim], now: datetime) -> None:
    """
    Write the claims that must stand before the messages are submitted.

    The caller has renewed the lease in the same transaction. A receiver that is claimed already
    raises SQLAlchemy's IntegrityError: the last line of defence against sending twice.
    """
    count = len(claims)
    _CLAIM.run_many(
        session,
        [item.message_id for item in claims],
        [batch.campaign_id] * count,
        [batch.batch_id] * count,
        [item.msisdn for item in claims],
        [item.gateway for item in claims],
        [LedgerState.CLAIMED.value] * count,
        [""] * count,
        [""] * count,
        [now] * count,
        [None] * count,
    )


def exclude(session: Session, batch: Batch, claims: Sequence[Claim], reason: str, now: datetime) -> None:
    """Record that these are not sent, and why; none of them is claimed, and the caller has renewed the lease."""
    claim(session, batch, claims, now)
    record_outcomes(session, [Outcome(item.message_id, LedgerState.EXCLUDED, now, reason) for item in claims])


def record_outcomes(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Write what became of claimed messages; the caller has renewed the lease in the same transaction."""
    if outcomes:
        _RECORD.run_many(
            session,
            [item.state.value for item in outcomes],
            [item.error_code for item in outcomes],
            [item.gateway_message_id for item in outcomes],
            [item.submitted_at for item in outcomes],
            [item.message_id for item in outcomes],
        )
    called = {item.message_id: item for item in outcomes if item.gateway_message_id}
    if called and (any(item.part_ids for item in called.values()) or part_ids.is_any(session)):
        _note_parts(session, called)


def _note_parts(session: Session, outcomes: Mapping[str, Outcome]) -> None:
    parts = []
    for portion in in_portions(outcomes):
        found = select(LedgerRow.message_id, LedgerRow.gateway).where(LedgerRow.message_id.in_(portion))
        for message_id, gateway in session.execute(found):
            outcome = outcomes[message_id]
            parts.append(Parts(gateway, outcome.gateway_message_id, outcome.part_ids))
    note_parts(session, parts, max(outcome.submitted_at for outcome in outcomes.values()))


def unclaim(session: Session, message_ids: Collection[str]) -> None:
    """Give back claims of messages that the gateway certainly did not take: they are pending again."""
    session.execute(
        delete(LedgerRow).where(LedgerRow.message_id.in_(message_ids), LedgerRow.state == LedgerState.CLAIMED)
    )


def list_claimed_ids(session: Session, batch_id: str) -> frozenset[str]:
    """Return the messages of the batch that have been claimed at any time."""
    return frozenset(session.scalars(select(LedgerRow.message_id).where(LedgerRow.batch_id == batch_id)))


def list_recorded(session: Session, batch_id: str) -> tuple[Outcome, ...]:
    """Return every outcome of the batch; what is unknown with the time of its claim, from which on it may be sent."""
    is_unknown = LedgerRow.state == LedgerState.UNKNOWN
    rows = session.execute(
        select(
            LedgerRow.message_id,
            LedgerRow.state,
            case((is_unknown, LedgerRow.claimed_at), else_=func.coalesce(LedgerRow.submitted_at, LedgerRow.claimed_at)),
            LedgerRow.error_code,
            LedgerRow.gateway_message_id,
            LedgerRow.gateway,
        ).where(LedgerRow.batch_id == batch_id, LedgerRow.state != LedgerState.CLAIMED)
    )
    states = {state.value: state for state in LedgerState}
    return tuple(
        Outcome(message_id, states[state], at, error_code, theirs, gateway)
        for message_id, state, at, error_code, theirs, gateway in rows
    )


def is_under_way(session: Session, gateway: str) -> bool:
    """Return whether any message that was claimed for the *gateway* has not left for history."""
    return bool(session.scalar(select(exists().where(LedgerRow.gateway == gateway))))


def settle_batch(session: Session, batch_id: str) -> bool:
    """Forget the batch and its messages, which are in history now; False when somebody else has."""
    result = session.execute(delete(BatchRow).where(BatchRow.batch_id == batch_id))
    assert isinstance(result, CursorResult)
    session.execute(delete(LedgerRow).where(LedgerRow.batch_id == batch_id))
    return result.rowcount == 1


def list_batch_nos(session: Session, campaign_id: str) -> list[int]:
    """Return the campaign's batches that are not settled, in order."""
    return list(
        session.scalars(
            select(BatchRow.batch_no).where(BatchRow.campaign_id == campaign_id).order_by(BatchRow.batch_no)
        )
    )


def list_open_batches(session: Session, campaign_ids: Collection[str]) -> dict[str, list[int]]:
    """Return the batches of each campaign that are not settled, in order; campaigns without any are absent."""
    found: dict[str, list[int]] = {}
    open_ones = select(BatchRow.campaign_id, BatchRow.batch_no).where(BatchRow.campaign_id.in_(campaign_ids))
    for campaign_id, batch_no in session.execute(open_ones.order_by(BatchRow.campaign_id, BatchRow.batch_no)):
        found.setdefault(campaign_id, []).append(batch_no)
    return found


def list_states(session: Session, campaign_id: str) -> list[tuple[str, LedgerState, str]]:
    """Return (message_id, state, error_code) of every message of the campaign that is in the ledger."""
    rows = session.execute(
        select(LedgerRow.message_id, LedgerRow.state, LedgerRow.error_code).where(LedgerRow.campaign_id == campaign_id)
    )
    return [(message_id, LedgerState(state), error_code) for message_id, state, error_code in rows]


def find_gateway_message_id(session: Session, campaign_id: str) -> str:
    """
    Return what the provider calls a message of the campaign that it has taken just now, "" if there is none.

    One that says no ID of its own knows it by ours: that is none of the provider's.
    """
    sent = (LedgerRow.campaign_id == campaign_id) & (LedgerRow.state == LedgerState.SENT)
    sent &= LedgerRow.gateway_message_id != LedgerRow.message_id
    return session.scalar(select(LedgerRow.gateway_message_id).where(sent).limit(1)) or ""


def count_batches(session: Session, campaign_id: str) -> int:
    """Return how many batches of the campaign are not settled."""
    return session.scalar(select(func.count()).where(BatchRow.campaign_id == campaign_id)) or 0


def count_in_flight(session: Session, campaign_ids: Collection[str]) -> dict[str, InFlight]:
    """Return where the unsettled messages of each campaign stand."""
    batches = session.execute(
        select(BatchRow.campaign_id, func.sum(BatchRow.message_count))
        .where(BatchRow.campaign_id.in_(campaign_ids))
        .group_by(BatchRow.campaign_id)
    )
    planned = {campaign_id: int(count) for campaign_id, count in batches}
    counted = session.execute(
        select(LedgerRow.campaign_id, LedgerRow.state, LedgerRow.error_code, func.count())
        .where(LedgerRow.campaign_id.in_(campaign_ids), LedgerRow.state != LedgerState.CLAIMED)
        .group_by(LedgerRow.campaign_id, LedgerRow.state, LedgerRow.error_code)
    )
    states: dict[str, list[tuple[str, str, int]]] = {}
    for campaign_id, state, error_code, count in counted:
        states.setdefault(campaign_id, []).append((state, error_code, count))
    return {
        campaign_id: _in_flight(planned.get(campaign_id, 0), states.get(campaign_id, []))
        for campaign_id in campaign_ids
    }


def _in_flight(planned_count: int, states: list[tuple[str, str, int]]) -> InFlight:
    by_reason: dict[str, dict[str, int]] = {LedgerState.FAILED: {}, LedgerState.EXCLUDED: {}}
    for state, reason, count in states:
        if state in by_reason:
            by_reason[state][reason] = count
    return InFlight(
        pending=planned_count - sum(count for _, _, count in states),
        sent=sum(count for state, _, count in states if state == LedgerState.SENT),
        unknown=sum(count for state, _, count in states if state == LedgerState.UNKNOWN),
        failed=by_reason[LedgerState.FAILED],
        excluded=by_reason[LedgerState.EXCLUDED],
    )
