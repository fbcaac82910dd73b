"""Replies as they are listed: paged, counted, streamed, always within a viewer's accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from core.domain.messages.replies import Keyword
from core.domain.times.periods import Period
from core.state.tables.gateway_models import ReplyAccountRow, ReplyRow
from core.state.tables.models import CampaignRow
from core.state.tables.search import contains

_AT_ONCE = 1_000
# Of the campaigns that were answered so many are offered, the newest.
_MOST_CAMPAIGNS = 200


@dataclass(frozen=True)
class ReplyQuery:
    """
    Which replies, of those that concern any of *account_ids*; what is empty filters nothing.

    One matches that has *text* in its text, *digits* in its sender's number or *msisdn* as that, whichever of the three
    is asked for. *campaign_id* and *message_id* are of what it answers.
    """

    account_ids: frozenset[str]
    period: Period | None = None
    text: str = ""
    digits: str = ""
    msisdn: str = ""
    keyword: Keyword | None = None
    campaign_id: str = ""
    message_id: str = ""


@dataclass(frozen=True)
class StoredReply:
    """
    A reply as it is kept. *concerned* are those of the asked accounts that it concerns.

    *message_id*, *campaign_id* and *campaign* are "" where the message is not known or of none of these accounts.
    """

    reply_id: str
    received_at: datetime
    gateway: str
    sender: str
    msisdn: str
    receiver: str
    text: str
    keyword: Keyword
    concerned: frozenset[str]
    account_id: str
    message_id: str
    campaign: str


def list_replies(session: Session, wanted: ReplyQuery, limit: int, offset: int) -> tuple[StoredReply, ...]:
    """Return up to *limit* replies after the first *offset*, newest first."""
    rows = session.execute(_listed(wanted).limit(limit).offset(offset))
    return tuple(_stored(row, wanted) for row in rows)


def count_replies(session: Session, wanted: ReplyQuery) -> int:
    """Return how many there are."""
    if wanted == ReplyQuery(wanted.account_ids, wanted.period):
        return _count_received(session, wanted.account_ids, wanted.period)
    return session.scalar(select(func.count()).select_from(ReplyRow).where(_matches(wanted))) or 0


def _count_received(session: Session, account_ids: frozenset[str], period: Period | None) -> int:
    """Count what nothing but accounts and times narrow down, by one index and without a look at each reply."""
    # One may concern several of them.
    counted = func.count(ReplyAccountRow.reply_id.distinct()) if len(account_ids) > 1 else func.count()
    terms: list[ColumnElement[bool]] = [ReplyAccountRow.account_id.in_(account_ids)]
    if period:
        terms += [ReplyAccountRow.received_at >= period.start, ReplyAccountRow.received_at < period.end]
    return session.scalar(select(counted).select_from(ReplyAccountRow).where(*terms)) or 0


def stream_replies(session: Session, wanted: ReplyQuery) -> Iterator[StoredReply]:
    """Yield all of them, newest first, a thousand in memory at a time."""
    for row in session.execute(_listed(wanted).execution_options(yield_per=_AT_ONCE)):
        yield _stored(row, wanted)


def list_campaigns(session: Session, account_ids: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return id and name of the accounts' campaigns that were answered, the newest first."""
    # One look for each of the accounts' campaigns: there are fewer of them than replies.
    answered = select(ReplyRow.campaign_id).where(ReplyRow.campaign_id == CampaignRow.campaign_id).exists()
    rows = session.execute(
        select(CampaignRow.campaign_id, CampaignRow.name)
        .where(CampaignRow.account_id.in_(account_ids), answered)
        .order_by(CampaignRow.created_at.desc(), CampaignRow.campaign_id)
        .limit(_MOST_CAMPAIGNS)
    )
    return tuple((campaign_id, name) for campaign_id, name in rows)


def _listed(wanted: ReplyQuery) -> Select[Any]:
    concerned = (
        select(func.aggregate_strings(ReplyAccountRow.account_id, ","))
        .where(ReplyAccountRow.reply_id == ReplyRow.reply_id, ReplyAccountRow.account_id.in_(wanted.account_ids))
        .scalar_subquery()
    )
    return (
        select(*ReplyRow.__table__.columns, CampaignRow.name.label("campaign"), concerned.label("concerned"))
        .outerjoin(CampaignRow, CampaignRow.campaign_id == ReplyRow.campaign_id)
        .where(_matches(wanted))
        .order_by(ReplyRow.received_at.desc(), ReplyRow.reply_id.desc())
    )


def _matches(wanted: ReplyQuery) -> ColumnElement[bool]:
    mine = select(ReplyAccountRow.reply_id).where(
        ReplyAccountRow.reply_id == ReplyRow.reply_id, ReplyAccountRow.account_id.in_(wanted.account_ids)
    )
    terms: list[ColumnElement[bool]] = [mine.exists()]
    if wanted.period:
        terms += [ReplyRow.received_at >= wanted.period.start, ReplyRow.received_at < wanted.period.end]
    if wanted.text or wanted.digits or wanted.msisdn:
        terms.append(_says(wanted))
    if wanted.keyword:
        terms.append(ReplyRow.keyword == wanted.keyword.value)
    # What is another account's message is not found by its id either.
    for column, value in ((ReplyRow.campaign_id, wanted.campaign_id), (ReplyRow.message_id, wanted.message_id)):
        if value:
            terms += [column == value, ReplyRow.account_id.in_(wanted.account_ids)]
    return and_(*terms)


def _says(wanted: ReplyQuery) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = [false()]
    if wanted.text:
        found.append(contains(ReplyRow.text.expression, wanted.text))
    if wanted.digits:
        found += [column.contains(wanted.digits, autoescape=True) for column in (ReplyRow.msisdn, ReplyRow.sender)]
    if wanted.msisdn:
        found.append(ReplyRow.msisdn == wanted.msisdn)
    return or_(*found)


def _stored(row: Row[Any], wanted: ReplyQuery) -> StoredReply:
    is_mine = row.account_id in wanted.account_ids
    return StoredReply(
        reply_id=row.reply_id,
        received_at=row.received_at,
        gateway=row.gateway,
        sender=row.sender,
        msisdn=row.msisdn,
        receiver=row.receiver,
        text=row.text,
        keyword=Keyword(row.keyword),
        concerned=frozenset(row.concerned.split(",")),
        account_id=row.account_id if is_mine else "",
        message_id=(row.message_id or "") if is_mine else "",
        campaign=(row.campaign or "") if is_mine else "",
    )
