"""What people sent back (mobile-originated messages): as gateways passed it on, what it asks for, and whose it is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, String, column, delete, func, or_, select, update, values
from sqlalchemy.orm import Session

from core.domain.messages.messages import LedgerState, Reply
from core.domain.messages.replies import ROUNDED, Keyword
from core.identifiers import new_id
from core.state.tables.base import count_changed, in_portions, insert_of
from core.state.tables.gateway_models import ReplyAccountRow, ReplyRow
from core.state.tables.leases import Moment
from core.state.tables.models import AccountRow, CampaignRow, LedgerRow

_WISHES = (Keyword.STOP, Keyword.START)


@dataclass(frozen=True)
class HeardReply:
    """A reply as it is kept: *msisdn* is its sender in E.164, "" where that is no number; whose it may be."""

    reply: Reply
    msisdn: str
    keyword: Keyword
    account_ids: tuple[str, ...]


@dataclass(frozen=True)
class WaitingReply:
    """A reply of which it is not known yet which message it answers. *receiver* is what it was sent to."""

    reply_id: str
    gateway: str
    msisdn: str
    receiver: str
    keyword: Keyword
    received_at: datetime
    stored_at: datetime
    account_ids: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """The message that a reply answers; *campaign_id* is "" for one of no campaign."""

    message_id: str
    account_id: str
    campaign_id: str


def list_addressed(session: Session, gateway: str, receivers: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """
    Return for each of *receivers* (sender IDs, as the gateway writes them) the accounts that replies to it may be for.

    Those that send by the gateway, first or as the fallback, and have sent under this sender ID; where none has, all
    of the gateway. Where no account sends by it any more, those that have sent under the sender ID.
    """
    own = or_(AccountRow.gateway == gateway, AccountRow.fallback_gateway == gateway)
    of_gateway = set(session.scalars(select(AccountRow.account_id).where(own)))
    # SMSCs leave out the plus, and change the case, of what people typed; others write it as a link.
    plain = {receiver: receiver.lower().removeprefix("tel:").lstrip("+") for receiver in receivers}
    sender = func.ltrim(func.lower(CampaignRow.sender_id), "+")
    users = dict[str, set[str]]()
    for part in in_portions(set(plain.values())):
        used = select(sender, CampaignRow.account_id).where(sender.in_(part), CampaignRow.launched_at.is_not(None))
        for sender_id, account_id in session.execute(used.distinct()):
            users.setdefault(sender_id, set()).add(account_id)
    whose = {
        sender_id: (of_gateway & found or of_gateway) if of_gateway else found for sender_id, found in users.items()
    }
    return {receiver: tuple(sorted(whose.get(sender_id, of_gateway))) for receiver, sender_id in plain.items()}


def add_replies(session: Session, heard: Sequence[HeardReply], now: datetime) -> tuple[HeardReply, ...]:
    """
    Keep replies durably; one that its gateway tells again, by the same reference, is kept once.

    Returns: Those that are new, in the same order. Of two that were received at the same moment, the later one here
        counts as the later.
    """
    named = {new_id(): item for item in heard}
    # A provider's clock may be ahead, but nothing was received after it was stored.
    received = {reply_id: min(item.reply.received_at, now) for reply_id, item in named.items()}
    rows = [_row(reply_id, item, received[reply_id], now) for reply_id, item in named.items()]
    if not rows:
        return ()
    # Past the session: its unit of work would double the cost of a row.
    connection = session.connection()
    adding = insert_of(session)(ReplyRow).on_conflict_do_nothing().returning(ReplyRow.reply_id)
    new = set(connection.execute(adding, rows).scalars())
    whose = [
        {"reply_id": reply_id, "account_id": account_id, "received_at": received[reply_id]}
        for reply_id, item in named.items()
        if reply_id in new
        for account_id in item.account_ids
    ]
    if whose:
        connection.execute(insert_of(session)(ReplyAccountRow), whose)
    return tuple(item for reply_id, item in named.items() if reply_id in new)


def _row(reply_id: str, item: HeardReply, received_at: datetime, now: datetime) -> dict[str, object]:
    facts = {"reply_id": reply_id, "msisdn": item.msisdn, "keyword": item.keyword.value, "stored_at": now}
    return vars(item.reply) | facts | {"received_at": received_at, "due_at": now if item.msisdn else None}


def list_wishes(session: Session, account_id: str, msisdns: Collection[str]) -> Mapping[str, Keyword]:
    """Return the last that each number has asked of the account, STOP or START; none where it asked for nothing."""
    wishes = dict[str, Keyword]()
    for part in in_portions(msisdns):
        asked = values(column("msisdn", String)).data([(msisdn,) for msisdn in part]).cte("asked")
        # For each by itself, from its newest on: a machine that says STOP a thousand times a day costs no more.
        last = (
            select(ReplyRow.keyword)
            .join(ReplyAccountRow, ReplyAccountRow.reply_id == ReplyRow.reply_id)
            .where(ReplyRow.msisdn == asked.c.msisdn, ReplyAccountRow.account_id == account_id)
            .where(ReplyRow.keyword.in_(_WISHES))
            .order_by(ReplyRow.received_at.desc(), ReplyRow.reply_id.desc())
            .limit(1)
            .scalar_subquery()
        )
        for msisdn, keyword in session.execute(select(asked.c.msisdn, last)):
            if keyword is not None:
                wishes[msisdn] = Keyword(keyword)
    return wishes


def due(now: Moment) -> Select[str]:
    """Find the replies to look up now which message each answers."""
    return select(ReplyRow.reply_id).where(ReplyRow.due_at <= now)


def is_any_due(session: Session, now: datetime) -> bool:
    """Return whether `list_due` would find any."""
    return bool(session.scalar(select(due(now).exists())))


def list_due(session: Session, now: datetime, limit: int) -> tuple[WaitingReply, ...]:
    """Return replies to look up now, those waiting longest first."""
    which = select(ReplyRow).where(ReplyRow.due_at <= now).order_by(ReplyRow.due_at, ReplyRow.reply_id).limit(limit)
    rows = session.scalars(which).all()
    whose = _accounts_of(session, [row.reply_id for row in rows])
    return tuple(
        WaitingReply(
            reply_id=row.reply_id,
            gateway=row.gateway,
            msisdn=row.msisdn,
            receiver=row.receiver,
            keyword=Keyword(row.keyword),
            received_at=row.received_at,
            stored_at=row.stored_at,
            account_ids=tuple(whose.get(row.reply_id, ())),
        )
        for row in rows
    )


def _accounts_of(session: Session, reply_ids: Collection[str]) -> Mapping[str, list[str]]:
    found = dict[str, list[str]]()
    for part in in_portions(reply_ids):
        rows = session.execute(
            select(ReplyAccountRow.reply_id, ReplyAccountRow.account_id)
            .where(ReplyAccountRow.reply_id.in_(part))
            .order_by(ReplyAccountRow.account_id)
        )
        for reply_id, account_id in rows:
            found.setdefault(reply_id, []).append(account_id)
    return found


def find_in_flight(session: Session, waiting: Collection[WaitingReply]) -> Mapping[str, Answered]:
    """Return by reply_id the newest message to its sender that is in the ledger, claimed before the reply came."""
    claims = dict[tuple[str, str], list[tuple[datetime, Answered]]]()
    for part in in_portions({reply.msisdn for reply in waiting}):
        rows = session.execute(
            select(
                LedgerRow.gateway,
                LedgerRow.msisdn,
                LedgerRow.claimed_at,
                LedgerRow.message_id,
                CampaignRow.account_id,
                LedgerRow.campaign_id,
            )
            .join(CampaignRow, CampaignRow.campaign_id == LedgerRow.campaign_id)
            .where(LedgerRow.msisdn.in_(part), LedgerRow.state != LedgerState.FAILED)
            .order_by(LedgerRow.claimed_at)
        )
        for gateway, msisdn, claimed_at, *message in rows:
            claims.setdefault((gateway, msisdn), []).append((claimed_at, Answered(*message)))
    found = dict[str, Answered]()
    for reply in waiting:
        until = reply.received_at + ROUNDED
        for claimed_at, answered in claims.get((reply.gateway, reply.msisdn), ()):
            if claimed_at <= until:
                found[reply.reply_id] = answered
    return found


def link(session: Session, reply: WaitingReply, answered: Answered) -> None:
    """
    Say which message the reply answers.

    It concerns that message's account, and no other that it might have been meant for: except where it asks for STOP or
    START, which every one of them has followed.
    """
    facts = {"message_id": answered.message_id, "account_id": answered.account_id, "due_at": None}
    facts["campaign_id"] = answered.campaign_id or None
    session.execute(update(ReplyRow).where(ReplyRow.reply_id == reply.reply_id).values(facts))
    if reply.keyword not in _WISHES:
        others = (ReplyAccountRow.reply_id == reply.reply_id, ReplyAccountRow.account_id != answered.account_id)
        session.execute(delete(ReplyAccountRow).where(*others))
    adding = insert_of(session)(ReplyAccountRow).on_conflict_do_nothing()
    own = {"reply_id": reply.reply_id, "account_id": answered.account_id, "received_at": reply.received_at}
    session.execute(adding.values(own))


def put_off(session: Session, reply_ids: Iterable[str], due_at: datetime | None) -> None:
    """Look the replies up again at *due_at*, None for never: whom they answer stays unknown."""
    for part in in_portions(set(reply_ids)):
        session.execute(update(ReplyRow).where(ReplyRow.reply_id.in_(part)).values(due_at=due_at))


def delete_replies(session: Session, before: datetime) -> int:
    """Forget the replies that were stored before then; return how many. What a STOP among them has set stays."""
    return count_changed(session, delete(ReplyRow).where(ReplyRow.stored_at < before))
