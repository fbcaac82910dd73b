"""Campaigns: drafts, states, and the counts of what became of their messages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, joinedload

from core.domain.campaigns.campaigns import OVERDUE_AFTER, Campaign, CampaignStatus, ChosenList, Source, check_move
from core.domain.words.characters import compose
from core.domain.words.control_characters import as_told
from core.errors import Conflict, NotFound
from core.state.engine.prepared import Prepared
from core.state.tables.leases import Moment, give_back, is_free, take_lease
from core.state.tables.models import BatchRow, CampaignListRow, CampaignRow, OutcomeRow

DRAFT_FIELDS = (
    "account_id",
    "name",
    "sender_id",
    "message",
    "placeholders",
    "fallbacks",
    "simplifies",
    "schedule_at",
    "budget_eur_cents",
    "rate_tps",
)

# Their texts are still to be put together; those of the others stay as they were sent.
_NOT_FROZEN = (CampaignStatus.INACTIVE, CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING)
_UNDER_WAY = (CampaignStatus.SCHEDULED, CampaignStatus.PROCESSING, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)

# A single campaign comes with its lists in one statement.
_TERMS = Prepared(
    select(CampaignRow.status, CampaignRow.rate_tps, CampaignRow.budget_eur_cents).where(
        CampaignRow.campaign_id == bindparam("key")
    ),
    ("key",),
)
_WITH_LISTS = joinedload(CampaignRow.lists)
_FIELDS = frozenset(each.name for each in fields(Campaign))


def add_campaign(session: Session, new: Campaign) -> None:
    """Add the campaign as it stands in *new*."""
    values = {field: getattr(new, field) for field in DRAFT_FIELDS}
    session.add(
        CampaignRow(
            campaign_id=new.campaign_id,
            source=new.source,
            status=new.status,
            fault=new.fault,
            audience_count=new.audience_count,
            created_at=new.created_at,
            created_by=new.created_by,
            launched_at=new.launched_at,
            completed_at=new.completed_at,
            cost_eur_cents=new.cost_eur_cents,
            preflight=new.preflight,
            is_test=new.is_test,
            gateway=new.gateway,
            confirms_stop=new.confirms_stop,
            version=new.version,
            lists=_list_rows(new.lists, new.left_out),
            **values,
        )
    )
    session.flush()


def save_draft(session: Session, campaign_id: str, version: int, values: Mapping[str, Any]) -> Campaign:
    """
    Replace those of the draft's fields that are given: `DRAFT_FIELDS`, and *lists* and *left_out* together.

    Raises: Conflict: the draft is no longer at *version*, or no draft any more.
    """
    unknown = set(values) - {*DRAFT_FIELDS, "lists", "left_out"}
    assert not unknown, unknown
    fields = {field: values[field] for field in DRAFT_FIELDS if field in values}
    result = session.execute(
        update(CampaignRow)
        .where(
            CampaignRow.campaign_id == campaign_id,
            CampaignRow.version == version,
            CampaignRow.status == CampaignStatus.INACTIVE,
        )
        .values(version=version + 1, **fields)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount == 0:
        now_is = get_campaign(session, campaign_id).status
        if now_is is CampaignStatus.INACTIVE:
            raise Conflict("Somebody else has just changed this campaign.")
        raise Conflict(
            "The campaign was launched in the meantime.", hint="Nothing was saved. Reload the page to see its state."
        )
    if "lists" in values:
        session.execute(delete(CampaignListRow).where(CampaignListRow.campaign_id == campaign_id))
        rows = _list_rows(values["lists"], values["left_out"])
        for row in rows:
            row.campaign_id = campaign_id
        session.add_all(rows)
        session.flush()
    session.expire_all()
    return get_campaign(session, campaign_id)


def get_campaign(session: Session, campaign_id: str) -> Campaign:
    """Return the campaign. Raises: NotFound."""
    found = find_campaign(session, campaign_id)
    if found is None:
        raise NotFound("There is no such campaign.")
    return found


def find_campaign(session: Session, campaign_id: str) -> Campaign | None:
    """Return the campaign, or None."""
    row = session.get(CampaignRow, campaign_id, options=[_WITH_LISTS])
    return read_campaign(row) if row else None


@dataclass(frozen=True)
class CampaignTerms:
    """
    Where a campaign stands, and what limits it, as it is this moment.

    *rate_tps* are segments per second and *budget_eur_cents* what it may spend, each None for no limit of its own.
    """

    status: CampaignStatus
    rate_tps: int | None
    budget_eur_cents: Decimal | None


def get_terms(session: Session, campaign_id: str) -> CampaignTerms:
    """Return by what the campaign is sent, for who asks all the time. Raises: NotFound."""
    found = _TERMS.fetch(session, campaign_id)
    if not found:
        raise NotFound("There is no such campaign.")
    status, rate_tps, budget = found[0]
    return CampaignTerms(CampaignStatus(status), rate_tps, budget)


def set_limits(session: Session, campaign_id: str, eur_cents: Decimal | None, rate_tps: int | None) -> None:
    """Change what the campaign may spend, and how fast; a running one follows with its next sub-window."""
    wanted = {"budget_eur_cents": eur_cents, "rate_tps": rate_tps}
    session.execute(update(CampaignRow).where(CampaignRow.campaign_id == campaign_id).values(**wanted))


def lock_campaign(session: Session, campaign_id: str) -> Campaign:
    """Return the campaign, locked until the transaction ends (SQLite's write lock does the same). Raises: NotFound."""
    which = select(CampaignRow).where(CampaignRow.campaign_id == campaign_id).options(_WITH_LISTS)
    # PostgreSQL locks no row of a list that may not be there.
    wanted = which.with_for_update(of=CampaignRow)
    # What this transaction read before it had to wait may be old.
    row = session.scalars(wanted, execution_options={"populate_existing": True}).unique().first()
    if row is None:
        raise NotFound("There is no such campaign.")
    return read_campaign(row)


def list_launched_since(session: Session, account_id: str, since: datetime) -> tuple[Campaign, ...]:
    """Return the account's campaigns launched since then, the newest first."""
    launched = select(CampaignRow).where(CampaignRow.account_id == account_id, CampaignRow.launched_at >= since)
    return tuple(read_campaign(row) for row in session.scalars(launched.order_by(CampaignRow.launched_at.desc())))


def is_any_launched(session: Session, account_ids: Collection[str]) -> bool:
    """Return whether any campaign of these accounts was launched that is no Quick Send, as tests are."""
    launched = (CampaignRow.source == Source.CAMPAIGN) & CampaignRow.launched_at.is_not(None)
    return bool(session.scalar(select(exists().where(CampaignRow.account_id.in_(account_ids), launched))))


def list_active(session: Session, account_id: str) -> tuple[Campaign, ...]:
    """Return the account's campaigns that are sending."""
    wanted = select(CampaignRow).where(
        CampaignRow.account_id == account_id, CampaignRow.status == CampaignStatus.ACTIVE
    )
    return tuple(read_campaign(row) for row in session.scalars(wanted.order_by(CampaignRow.campaign_id)))


def list_unsettled(session: Session, account_id: str) -> tuple[Campaign, ...]:
    """Return the account's campaigns whose messages are not all in history: under way, or canceled and not settled."""
    is_open = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id)
    canceled = (CampaignRow.status == CampaignStatus.CANCELED) & is_open
    wanted = select(CampaignRow).where(
        CampaignRow.account_id == account_id, CampaignRow.status.in_(_UNDER_WAY) | canceled
    )
    return tuple(read_campaign(row) for row in session.scalars(wanted.order_by(CampaignRow.campaign_id)))


def canceled_open(now: Moment) -> Select[str]:
    """Find the canceled campaigns that have a batch nobody is working on."""
    free = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id, is_free(BatchRow, now))
    return select(CampaignRow.campaign_id).where(CampaignRow.status == CampaignStatus.CANCELED, free)


def list_canceled_open(session: Session, now: datetime) -> list[str]:
    """Return the canceled campaigns that have a batch nobody is working on."""
    return list(session.scalars(canceled_open(now)))


def count_completed_by_list(session: Session, list_ids: Collection[str]) -> dict[str, int]:
    """Return how many completed campaigns each list has; lists without one are absent."""
    counted = (
        select(CampaignListRow.list_id, func.count())
        .join(CampaignRow, CampaignRow.campaign_id == CampaignListRow.campaign_id)
        .where(
            CampaignListRow.list_id.in_(list_ids),
            CampaignListRow.is_left_out.is_(False),
            CampaignRow.status == CampaignStatus.COMPLETED,
        )
        .group_by(CampaignListRow.list_id)
    )
    return dict(session.execute(counted).all())


def find_reader(session: Session, list_id: str) -> Campaign | None:
    """Return a campaign that waits to be frozen from this list, or is scheduled to be."""
    reading = (
        select(CampaignRow)
        .join(CampaignListRow, CampaignRow.campaign_id == CampaignListRow.campaign_id)
        .where(
            CampaignListRow.list_id == list_id,
            CampaignRow.status.in_((CampaignStatus.PROCESSING, CampaignStatus.SCHEDULED)),
        )
    )
    # First of all one that is not over in a moment.
    row = session.scalars(reading.order_by(CampaignRow.status.desc(), CampaignRow.campaign_id).limit(1)).first()
    return None if row is None else read_campaign(row)


def move_campaign(session: Session, campaign_id: str, new: CampaignStatus, **values: Any) -> Campaign:
    """
    Take the campaign to the state *new* and set *values* with it.

    Raises: InvalidTransition: not from where it is. Conflict: it moved meanwhile. NotFound.
    """
    return move_from(session, get_campaign(session, campaign_id), new, **values)


def move_from(session: Session, campaign: Campaign, new: CampaignStatus, **values: Any) -> Campaign:
    """Do the same with a campaign that this transaction has read, and read nothing again. Raises: as there."""
    check_move(campaign.status, new)
    if "fault" in values:
        values["fault"] = as_told(values["fault"])
    # Whoever moves it otherwise than for a gateway's sake has the last word.
    values.setdefault("held_by", "")
    result = session.execute(
        update(CampaignRow)
        .where(CampaignRow.campaign_id == campaign.campaign_id, CampaignRow.status == campaign.status)
        .values(status=new, **values)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount == 0:
        raise Conflict("The campaign changed its state a moment ago.")
    return replace(campaign, status=new, **{name: value for name, value in values.items() if name in _FIELDS})


def processing(now: Moment) -> Select[str]:
    """Find the campaigns whose audience waits to be frozen and nobody is working on."""
    waiting = (CampaignRow.status == CampaignStatus.PROCESSING) & is_free(CampaignRow, now)
    return select(CampaignRow.campaign_id).where(waiting)


def list_processing(session: Session, now: datetime) -> list[str]:
    """Return the campaigns whose audience waits to be frozen and nobody is working on, oldest first."""
    return list(session.scalars(processing(now).order_by(CampaignRow.launched_at)))


def due(now: Moment, overdue: Moment) -> Select[str]:
    """Find the scheduled campaigns whose time has come, after *overdue*."""
    return select(CampaignRow.campaign_id).where(
        CampaignRow.status == CampaignStatus.SCHEDULED,
        CampaignRow.schedule_at <= now,
        CampaignRow.schedule_at > overdue,
    )


def list_due(session: Session, now: datetime) -> list[str]:
    """Return the scheduled campaigns whose time has come and is not overdue (`Campaign.is_overdue`), oldest first."""
    return list(session.scalars(due(now, now - OVERDUE_AFTER).order_by(CampaignRow.schedule_at)))


def lease_campaign(session: Session, campaign_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take, or renew, the right to freeze the audience; False when somebody else has it or it is done."""
    which = (CampaignRow.campaign_id == campaign_id) & (CampaignRow.status == CampaignStatus.PROCESSING)
    return take_lease(session, CampaignRow, which, owner=owner, now=now, until=until)


def release_campaign(session: Session, campaign_id: str, owner: str) -> None:
    """Let go of the right to freeze the audience."""
    give_back(session, CampaignRow, CampaignRow.campaign_id == campaign_id, owner=owner)


def delete_claimed(session: Session, campaign_id: str, owner: str) -> bool:
    """Forget a campaign that *owner* still holds and nobody has begun to freeze; False when it is not so any more."""
    which = (CampaignRow.campaign_id == campaign_id) & (CampaignRow.status == CampaignStatus.PROCESSING)
    gone = delete(CampaignRow).where(which, CampaignRow.lease_owner == owner).returning(CampaignRow.campaign_id)
    return bool(session.scalars(gone).all())


def add_outcomes(session: Session, campaign_id: str, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the settled counts, by (outcome, reason)."""
    for (outcome, reason), count in counts.items():
        row = session.get(OutcomeRow, (campaign_id, outcome, reason), with_for_update=True)
        if row is None:
            session.add(OutcomeRow(campaign_id=campaign_id, outcome=outcome, reason=reason, message_count=count))
        else:
            row.message_count += count
    session.flush()


def list_outcomes(session: Session, campaign_ids: Collection[str]) -> dict[str, dict[tuple[str, str], int]]:
    """Return the settled counts of each campaign, by (outcome, reason)."""
    found: dict[str, dict[tuple[str, str], int]] = {campaign_id: {} for campaign_id in campaign_ids}
    for row in session.scalars(select(OutcomeRow).where(OutcomeRow.campaign_id.in_(campaign_ids))):
        found[row.campaign_id][(row.outcome, row.reason)] = row.message_count
    return found


def read_campaign(row: CampaignRow) -> Campaign:
    """Return the campaign that is kept in *row*."""
    # Earlier versions stored what was typed.
    tidy = compose if row.status in _NOT_FROZEN else str
    return Campaign(
        campaign_id=row.campaign_id,
        account_id=row.account_id,
        source=Source(row.source),
        name=row.name,
        sender_id=row.sender_id,
        lists=_chosen(row, is_left_out=False),
        left_out=_chosen(row, is_left_out=True),
        message=tidy(row.message),
        placeholders={tidy(name): column for name, column in row.placeholders.items()},
        fallbacks={tidy(name): tidy(text) for name, text in row.fallbacks.items()},
        simplifies=row.simplifies,
        status=CampaignStatus(row.status),
        fault=row.fault,
        audience_count=row.audience_count,
        created_at=row.created_at,
        created_by=row.created_by,
        schedule_at=row.schedule_at,
        launched_at=row.launched_at,
        completed_at=row.completed_at,
        cost_eur_cents=row.cost_eur_cents,
        preflight=row.preflight,
        forgotten_at=row.forgotten_at,
        is_test=row.is_test,
        confirms_stop=row.confirms_stop,
        budget_eur_cents=row.budget_eur_cents,
        rate_tps=row.rate_tps,
        gateway=row.gateway,
        version=row.version,
    )


def _chosen(row: CampaignRow, *, is_left_out: bool) -> tuple[ChosenList, ...]:
    return tuple(ChosenList(item.list_id, item.name) for item in row.lists if item.is_left_out is is_left_out)


def _list_rows(lists: Sequence[ChosenList], left_out: Sequence[ChosenList]) -> list[CampaignListRow]:
    chosen = [*((item, False) for item in lists), *((item, True) for item in left_out)]
    return [
        CampaignListRow(list_id=item.list_id, name=item.name, position=position, is_left_out=is_left_out)
        for position, (item, is_left_out) in enumerate(chosen)
    ]


def count_gateway_tests(session: Session, since: datetime) -> int:
    """Return how many tests of gateways have been sent since then."""
    tests = select(func.count()).where(CampaignRow.gateway != "", CampaignRow.created_at >= since)
    return session.scalar(tests) or 0


def list_ids(session: Session) -> list[str]:
    """Return the ids of all campaigns."""
    return list(session.scalars(select(CampaignRow.campaign_id)))
