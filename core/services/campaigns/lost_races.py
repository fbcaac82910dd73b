"""Who loses a race is told what happened: who did what to the campaign meanwhile, not the states it went through."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action
from core.errors import InvalidTransition
from core.state.engine.store import State
from core.state.reports import audit

JUST = timedelta(minutes=2)

# By where the campaign stands now: what somebody did to get it there, in the perfect tense.
_DID = {
    CampaignStatus.CANCELED: (Action.CAMPAIGN_CANCELED, "canceled it"),
    CampaignStatus.PAUSED: (Action.CAMPAIGN_PAUSED, "paused it"),
    CampaignStatus.INACTIVE: (Action.CAMPAIGN_UNSCHEDULED, "taken it off the schedule"),
    CampaignStatus.SCHEDULED: (Action.CAMPAIGN_LAUNCHED, "scheduled it"),
    CampaignStatus.PROCESSING: (Action.CAMPAIGN_LAUNCHED, "launched it"),
    CampaignStatus.ACTIVE: (Action.CAMPAIGN_LAUNCHED, "launched it"),
}
# The same when it happened by itself, or nobody knows who did it.
_BY_ITSELF = {
    CampaignStatus.CANCELED: "It was canceled.",
    CampaignStatus.PAUSED: "It is already paused.",
    CampaignStatus.INACTIVE: "It is a draft, not launched yet.",
    CampaignStatus.SCHEDULED: "It is waiting for its scheduled time.",
    CampaignStatus.PROCESSING: "It was launched a moment ago.",
    CampaignStatus.ACTIVE: "It is already being sent.",
    CampaignStatus.COMPLETED: "It has already been sent completely.",
}


def lost_race(session: Session, viewer: Viewer, campaign: Campaign, now: datetime) -> InvalidTransition:
    """Return the error for somebody who wanted what *campaign*, as it stands now, does not allow any more."""
    return InvalidTransition(
        f"{campaign.name}: {_what_happened(session, viewer, campaign, now)}",
        hint="Nothing was changed. Reload the page to see its state.",
    )


def look_up_lost_race(state: State, viewer: Viewer, campaign: Campaign, now: datetime) -> InvalidTransition:
    """Return the same where no transaction is open."""
    with state.read() as session:
        return lost_race(session, viewer, campaign, now)


def _what_happened(session: Session, viewer: Viewer, campaign: Campaign, now: datetime) -> str:
    last = audit.find_last(session, "campaign", campaign.campaign_id)
    action, done = _DID.get(campaign.status, (None, ""))
    if campaign.status is CampaignStatus.ACTIVE and last is not None and last.action is Action.CAMPAIGN_RESUMED:
        action, done = last.action, "resumed it"
    if last is None or last.action is not action:
        return campaign.fault or _BY_ITSELF[campaign.status]
    who, has = ("You", "have") if last.user_id == viewer.user_id else (last.who or "Somebody", "has")
    if timedelta(0) <= now - last.at <= JUST:
        return f"{who} {has} just {done}."
    return f"{who} {has} already {done}."
