"""Campaigns that wait for a gateway: paused while nothing can be sent by it, and going on when it works again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account, AccountStatus
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.gateways.gateways import GatewayStatus
from core.state.campaigns import campaigns, ledger
from core.state.tables.gateway_models import GatewayRow
from core.state.tables.models import AccountRow, CampaignRow


def list_affected(session: Session, gateway: str) -> list[str]:
    """Return the campaigns being sent that have only this gateway, or another that takes nothing either."""
    taking = select(GatewayRow.name).where(
        GatewayRow.deleted_at.is_(None), GatewayRow.status == GatewayStatus.WORKING, GatewayRow.name != gateway
    )
    theirs = or_(
        and_(AccountRow.gateway == gateway, AccountRow.fallback_gateway.not_in(taking)),
        and_(AccountRow.fallback_gateway == gateway, AccountRow.gateway.not_in(taking)),
    )
    affected = or_(CampaignRow.gateway == gateway, and_(CampaignRow.gateway == "", theirs))
    return _list(session, CampaignRow.status == CampaignStatus.ACTIVE, affected)


def list_held(session: Session, gateway: str) -> list[str]:
    """
    Return the campaigns that go on once this gateway works: they wait for it, or for another and could go by it.

    Those are not among them whose account may not send, or that somebody is to resume by hand.
    """
    open_ones = AccountRow.status == AccountStatus.ACTIVE
    by_hand = select(GatewayRow.name).where(GatewayRow.deleted_at.is_(None), GatewayRow.resumes.is_(False))
    theirs = or_(AccountRow.gateway == gateway, AccountRow.fallback_gateway == gateway)
    waits = and_(
        CampaignRow.status == CampaignStatus.PAUSED, CampaignRow.held_by != "", CampaignRow.held_by.not_in(by_hand)
    )
    return _list(
        session, waits, or_(CampaignRow.held_by == gateway, and_(CampaignRow.gateway == "", theirs)), open_ones
    )


def list_waiting(session: Session, gateway: str) -> tuple[tuple[str, str], ...]:
    """Return account_id and name of the campaigns that are paused for this gateway's sake, by name."""
    waiting = select(CampaignRow.account_id, CampaignRow.name).where(
        CampaignRow.status == CampaignStatus.PAUSED, CampaignRow.held_by == gateway
    )
    return tuple((account_id, name) for account_id, name in session.execute(waiting.order_by(CampaignRow.name)))


def find_held(session: Session, campaign_ids: Collection[str]) -> dict[str, str]:
    """Return which of the campaigns are paused for a gateway's sake, each with the gateway's name."""
    waits = and_(CampaignRow.status == CampaignStatus.PAUSED, CampaignRow.held_by != "")
    held = select(CampaignRow.campaign_id, CampaignRow.held_by).where(waits, CampaignRow.campaign_id.in_(campaign_ids))
    return {each.campaign_id: each.held_by for each in session.execute(held)}


def hold(session: Session, campaign_id: str, gateway: str, fault: str) -> bool:
    """Let the campaign wait for the gateway, *fault* saying why; False when it is not being sent any more."""
    campaign = campaigns.lock_campaign(session, campaign_id)
    if campaign.status is not CampaignStatus.ACTIVE:
        return False
    campaigns.move_from(session, campaign, CampaignStatus.PAUSED, fault=fault, held_by=gateway)
    return True


def let_go(session: Session, campaign_id: str, now: datetime) -> bool:
    """Let the campaign go on; False when somebody has moved it meanwhile."""
    campaign = campaigns.lock_campaign(session, campaign_id)
    if campaign.status is not CampaignStatus.PAUSED:
        return False
    go_on(session, campaign, now)
    return True


def let_account_go(session: Session, account: Account, now: datetime) -> int:
    """Let the account's campaigns go on that wait for a gateway while one that it has works; return how many."""
    working = select(GatewayRow.name).where(
        GatewayRow.deleted_at.is_(None),
        GatewayRow.status == GatewayStatus.WORKING,
        GatewayRow.name.in_((account.gateway, account.fallback_gateway)),
    )
    held = {each for name in session.scalars(working).all() for each in list_held(session, name)}
    theirs = select(CampaignRow.campaign_id).where(
        CampaignRow.account_id == account.account_id, CampaignRow.campaign_id.in_(held), CampaignRow.gateway == ""
    )
    return sum(let_go(session, campaign_id, now) for campaign_id in session.scalars(theirs).all())


def go_on(session: Session, campaign: Campaign, now: datetime) -> Campaign:
    """Let a paused campaign, which this transaction has locked, go on; return it."""
    moved = campaigns.move_from(session, campaign, CampaignStatus.ACTIVE, fault="")
    if not ledger.count_batches(session, campaign.campaign_id):
        # The last batch was settled after the pause, when nobody could complete the campaign.
        moved = campaigns.move_from(session, moved, CampaignStatus.COMPLETED, completed_at=now)
    return moved


def _list(session: Session, *conditions: ColumnElement[bool]) -> list[str]:
    wanted = select(CampaignRow.campaign_id).join(AccountRow, AccountRow.account_id == CampaignRow.account_id)
    return list(session.scalars(wanted.where(*conditions).order_by(CampaignRow.campaign_id)))
