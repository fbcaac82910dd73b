"""What was written down when a campaign was composed."""

from core.bootstrap import App
from core.domain.campaigns import Campaign
from core.domain.permissions import Viewer
from core.domain.segments import measure
from pages._ui import formats, widgets


def show(app: App, viewer: Viewer, campaign: Campaign) -> None:
    """Draw the campaign's list, sender, message and times."""
    text = measure(campaign.message)
    with widgets.card("Details", key="campaign_details"):
        widgets.facts(
            {
                "Distribution List": _list_and_rows(app, viewer, campaign),
                "Sender": campaign.sender_id or formats.NOTHING,
                "Message": campaign.message or formats.NOTHING,
                "Placeholders": _mapping(campaign),
                "SMS Count": formats.number(text.segment_count),
                "Characters": formats.number(text.character_count),
                "Created": f"{formats.moment(campaign.created_at, viewer.time_zone)} by {campaign.created_by}",
                "Launched": formats.moment(campaign.launched_at, viewer.time_zone),
                "Completed": formats.moment(campaign.completed_at, viewer.time_zone),
            }
        )


def _list_and_rows(app: App, viewer: Viewer, campaign: Campaign) -> str:
    """Return the list's name and size; after a launch the list may be gone, its name stays."""
    if not campaign.list_name:
        return formats.NOTHING
    found = app.composing.find_list(viewer, campaign)
    rows = formats.count(found.entry_count, "row", "rows") if found else "deleted since"
    return f"{campaign.list_name} – {rows}"


def _mapping(campaign: Campaign) -> str:
    return ", ".join(f"{{{name}}} = {column}" for name, column in campaign.placeholders.items()) or formats.NOTHING
