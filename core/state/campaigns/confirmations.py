"""Confirmations: who has said STOP and is to be told, once, that it is followed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.state.tables.base import in_portions, insert_of
from core.state.tables.gateway_models import StopConfirmationRow

# Nobody is told twice within it, whatever is said meanwhile: a machine that answers STOP to everything is not answered.
ONCE_IN = timedelta(days=1)

# Those that nobody has told yet.
WAITING = select(StopConfirmationRow.msisdn).where(StopConfirmationRow.campaign_id == "")


@dataclass(frozen=True)
class StopConfirmation:
    """*msisdn* said STOP at about *asked_at* to a message of *account_id* that had this *sender_id*."""

    msisdn: str
    account_id: str
    sender_id: str
    asked_at: datetime


def ask(session: Session, wanted: StopConfirmation) -> None:
    """Let the number be told; nothing where that was asked for within `ONCE_IN`."""
    old = (StopConfirmationRow.msisdn == wanted.msisdn, StopConfirmationRow.asked_at <= wanted.asked_at - ONCE_IN)
    session.execute(delete(StopConfirmationRow).where(*old), execution_options={"synchronize_session": False})
    adding = insert_of(session)(StopConfirmationRow).on_conflict_do_nothing()
    session.execute(adding.values(**vars(wanted), campaign_id=""))


def list_waiting(session: Session, limit: int) -> Sequence[StopConfirmation]:
    """Return up to *limit* of each account of those that nobody has told yet, the account's oldest first."""
    row = StopConfirmationRow
    is_waiting = row.campaign_id == ""
    # An account that cannot tell anybody just now keeps no other one from it, however many wait.
    account_ids = session.scalars(select(row.account_id).where(is_waiting).distinct().order_by(row.account_id)).all()
    found = list[StopConfirmation]()
    for account_id in account_ids:
        rows = session.execute(
            select(row.msisdn, row.account_id, row.sender_id, row.asked_at)
            .where(is_waiting, row.account_id == account_id)
            .order_by(row.asked_at, row.msisdn)
            .limit(limit)
        )
        found += (StopConfirmation(*each) for each in rows)
    return tuple(found)


def set_campaign(session: Session, msisdns: Collection[str], campaign_id: str) -> None:
    """Keep which campaign tells them: from here on nobody else does."""
    for part in in_portions(set(msisdns)):
        mine = (StopConfirmationRow.msisdn.in_(part), StopConfirmationRow.campaign_id == "")
        session.execute(update(StopConfirmationRow).where(*mine).values(campaign_id=campaign_id))


def give_back(session: Session, campaign_id: str) -> None:
    """Let those be told by another one that this campaign was to tell, of which nothing is left."""
    row = StopConfirmationRow
    session.execute(update(row).where(row.campaign_id == campaign_id).values(campaign_id=""))


def forget(session: Session, msisdns: Collection[str]) -> None:
    """Tell none of them."""
    for part in in_portions(set(msisdns)):
        session.execute(delete(StopConfirmationRow).where(StopConfirmationRow.msisdn.in_(part)))


def forget_told(session: Session, before: datetime) -> None:
    """Forget those that were asked for before then."""
    session.execute(delete(StopConfirmationRow).where(StopConfirmationRow.asked_at < before))
