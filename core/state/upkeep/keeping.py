"""What is kept of campaigns' people in the lake: whose turn it is to be forgotten, and who has been."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import CampaignStatus
from core.state.tables.base import count_changed
from core.state.tables.models import BatchRow, CampaignRow, LeftContactsRow

_OVER = (CampaignStatus.COMPLETED, CampaignStatus.CANCELED)
# So many campaigns are forgotten in one commit.
_AT_ONCE = 100


def claim_numbers(session: Session, campaign_id: str, owner: str, until: datetime) -> None:
    """Say that the lake is about to hold the campaign's own numbers, and that nobody freezes them before *until*."""
    claimed = {"numbers_kept": True, "lease_owner": owner, "lease_until": until}
    session.execute(update(CampaignRow).where(CampaignRow.campaign_id == campaign_id).values(claimed))
    # Numbers that were left under this id are written over.
    forget_left_contacts(session, campaign_id)


def list_numbers_over(session: Session, before: datetime) -> list[str]:
    """Return the campaigns from before then whose own numbers may be there and are of no use any more."""
    over = (CampaignRow.status != CampaignStatus.PROCESSING, CampaignRow.created_at < before)
    found = select(CampaignRow.campaign_id).where(CampaignRow.numbers_kept, *over)
    return list(session.scalars(found.order_by(CampaignRow.campaign_id).limit(_AT_ONCE)))


def forget_numbers(session: Session, campaign_ids: Collection[str]) -> None:
    """Remember that the lake holds no numbers of their own."""
    mine = CampaignRow.campaign_id.in_(campaign_ids)
    session.execute(update(CampaignRow).where(mine).values(numbers_kept=False))


def mark_audiences(session: Session, ended_before: datetime, now: datetime) -> list[str]:
    """
    Let the audiences of campaigns that ended before then, and have nothing open, be gone for everybody.

    Returns: Those the lake may still hold, of earlier times too; some of them when they are many.
    """
    is_open = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id)
    # One that was canceled before anybody launched it never had an audience, but may have been about to.
    ended = (CampaignRow.status.in_(_OVER), CampaignRow.completed_at < ended_before, ~is_open)
    session.execute(
        update(CampaignRow)
        .where(CampaignRow.audience_kept, CampaignRow.forgotten_at.is_(None), *ended)
        .values(forgotten_at=now),
        execution_options={"synchronize_session": False},
    )
    marked = (CampaignRow.audience_kept, CampaignRow.forgotten_at.is_not(None))
    found = select(CampaignRow.campaign_id).where(*marked)
    return list(session.scalars(found.order_by(CampaignRow.campaign_id).limit(_AT_ONCE)))


def forget_audiences(session: Session, campaign_ids: Collection[str]) -> None:
    """Remember that the lake holds no audience of theirs."""
    mine = CampaignRow.campaign_id.in_(campaign_ids)
    session.execute(update(CampaignRow).where(mine).values(audience_kept=False))


def expect_audiences(session: Session) -> None:
    """Say that the lake may hold an audience of every campaign again, whether it was forgotten or not."""
    session.execute(update(CampaignRow).where(~CampaignRow.audience_kept).values(audience_kept=True))


def forget_test_texts(session: Session, ended_before: datetime) -> int:
    """Empty the messages of tests that ended before then: each has the values of a list's recipient in it."""
    is_open = exists().where(BatchRow.campaign_id == CampaignRow.campaign_id)
    # One whose numbers never came is Inactive, and never ended.
    ended = CampaignRow.status.in_((*_OVER, CampaignStatus.INACTIVE))
    ended_at = func.coalesce(CampaignRow.completed_at, CampaignRow.created_at)
    over = (CampaignRow.is_test, CampaignRow.message != "", ended, ended_at < ended_before, ~is_open)
    return count_changed(session, update(CampaignRow).where(*over).values(message=""))


def leave_contacts(session: Session, list_ids: Collection[str]) -> None:
    """Remember ids of which the lake may hold contacts that belong to nothing any more."""
    for list_id in list_ids:
        session.merge(LeftContactsRow(list_id=list_id))


def list_left_contacts(session: Session) -> list[str]:
    """Return some of those ids; all of them when they are few."""
    return list(session.scalars(select(LeftContactsRow.list_id).order_by(LeftContactsRow.list_id).limit(_AT_ONCE)))


def are_left(session: Session, list_id: str) -> bool:
    """Return whether the contacts of that id still belong to nothing."""
    return session.get(LeftContactsRow, list_id) is not None


def forget_left_contacts(session: Session, list_id: str) -> None:
    """Remember that the lake holds none of that id, or that they belong to something again."""
    session.execute(delete(LeftContactsRow).where(LeftContactsRow.list_id == list_id))
