"""Campaigns on their way: drafts, launched ones and sent ones, valid by default."""

from datetime import UTC, datetime
from typing import Any

from core.domain.campaigns.campaigns import Campaign, CampaignDraft
from core.domain.people.permissions import Viewer
from tests.support.application.page_tests import House

CONTACTS = (
    b"PhoneNumber,FirstName,City\n491796548754,Beau,London\n491796548755,Russell,Leeds\n491796548756,Renee,York\n"
)


def now() -> datetime:
    return datetime.now(UTC)


def save_draft(house: House, viewer: Viewer, **overrides: Any) -> Campaign:
    """Save a draft to three recipients; without *list_ids* among the overrides a list is uploaded for it."""
    if "list_ids" not in overrides:
        overrides["list_ids"] = (house.upload(viewer, "Spring guests", CONTACTS).list_id,)
    (account,) = house.app.accounts.managing.list_sending(viewer)
    values: dict[str, Any] = {
        "account_id": account.account_id,
        "name": "Spring greeting",
        "sender_id": "HELIOGRAPH",
        "message": "Hello {FirstName}, spring is here.",
        "placeholders": {"FirstName": "FirstName"},
    }
    return house.app.campaigns.composing.save(viewer, CampaignDraft(**(values | overrides)), now())


def launch(house: House, viewer: Viewer, draft: Campaign) -> Campaign:
    """Launch a draft; its audience is not frozen yet."""
    return house.app.campaigns.launching.launch(viewer, draft.campaign_id, now())


def freeze(house: House, viewer: Viewer, draft: Campaign) -> Campaign:
    """Launch a draft and freeze its audience, so that everything is pending."""
    launch(house, viewer, draft)
    house.app.campaigns.launching.freeze(draft.campaign_id, now)
    return house.app.campaigns.composing.get(viewer, draft.campaign_id)


def send(house: House, viewer: Viewer, draft: Campaign) -> Campaign:
    """Launch a draft and send all of it through the simulator."""
    launch(house, viewer, draft)
    house.app.work.run_until_idle(now)
    return house.app.campaigns.composing.get(viewer, draft.campaign_id)
