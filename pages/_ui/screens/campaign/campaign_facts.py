"""What was written down when a campaign was composed."""

from core.bootstrap import App
from core.domain.accounts.accounts import label_accounts
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, ChosenList, Source
from core.domain.people.permissions import Permission, Viewer
from core.domain.texts.segments import measure
from core.domain.texts.simplifying import simplify
from core.services.campaigns.composing import draft_of
from pages._ui import formats, widgets
from pages._ui.panels import ways

_ENDED = frozenset({CampaignStatus.CANCELED, CampaignStatus.COMPLETED})


def show(app: App, viewer: Viewer, campaign: Campaign, shown: str) -> None:
    """Draw the campaign's list, sender, message and times; what is *shown* on the phone beside it is measured."""
    text = measure(shown)
    with widgets.card("Details", key="campaign_details"):
        widgets.facts(
            {
                **_lists(app, viewer, campaign),
                **_way(app, viewer, campaign),
                "Sender": campaign.sender_id or formats.NOTHING,
                "Message": campaign.message or ("No longer kept" if campaign.is_test else formats.NOTHING),
                "Placeholders": _mapping(campaign),
                "SMS Count": formats.number(text.segment_count),
                "Characters": formats.number(text.character_count),
                "Budget": formats.euros(campaign.budget_eur_cents) if campaign.budget_eur_cents is not None else "None",
                "Segments per second": formats.number(campaign.rate_tps)
                if campaign.rate_tps
                else "No limit of its own",
                "Created": f"{formats.moment(campaign.created_at, viewer.time_zone)} by {campaign.created_by}",
                "Schedule Date": formats.moment(campaign.schedule_at, viewer.time_zone),
                "Launched": formats.moment(campaign.launched_at, viewer.time_zone),
                _end(campaign): formats.moment(campaign.completed_at, viewer.time_zone),
            }
        )


def _way(app: App, viewer: Viewer, campaign: Campaign) -> dict[str, str]:
    """Return the account's name and, as long as anything can still be sent, the gateway it goes through."""
    known = app.accounts.managing.list_accounts(viewer)
    names = label_accounts(known)
    account = next((each for each in known if each.account_id == campaign.account_id), None)
    if account is None:
        return {}
    facts = {"Account": names[account.account_id]}
    if campaign.status not in _ENDED:
        facts["Gateway"] = ways.gateways(account, campaign.gateway)
    return facts


def _end(campaign: Campaign) -> str:
    return "Canceled" if campaign.status is CampaignStatus.CANCELED else "Completed"


def example(app: App, viewer: Viewer, campaign: Campaign) -> tuple[str, str]:
    """Return the message as it reads for the first of its lists, and words that say so, while they are all there."""
    there = {item.list_id for item in app.campaigns.composing.list_there(viewer, campaign)}
    if viewer.may(Permission.CAMPAIGN) and campaign.placeholders and there.issuperset(campaign.list_ids):
        shown = app.campaigns.composing.preview(viewer, draft_of(campaign), 0)
        if shown.receiver:
            return shown.text, f"As {formats.plain(shown.receiver)} would see it"
    return simplify(campaign.message) if campaign.simplifies else campaign.message, ""


def _lists(app: App, viewer: Viewer, campaign: Campaign) -> dict[str, str]:
    """Return the lists' names and sizes; after a launch a list may be gone, its name stays."""
    if campaign.source is Source.QUICK_SEND:
        return {"Distribution List": "None: the numbers were typed in"}
    entries = {item.list_id: item.entry_count for item in app.campaigns.composing.list_there(viewer, campaign)}

    def words(chosen: ChosenList) -> str:
        known = chosen.list_id in entries
        rows = formats.count(entries[chosen.list_id], "row", "rows") if known else "since deleted"
        return f"{chosen.name} – {rows}"

    label = "Distribution List" if len(campaign.lists) <= 1 else "Distribution Lists"
    facts = {label: "; ".join(map(words, campaign.lists)) or formats.NOTHING}
    total = sum(entries.get(list_id, 0) for list_id in campaign.list_ids)
    if campaign.lists and set(campaign.list_ids) <= entries.keys():
        facts["Recipients"] = formats.number(total)
    if campaign.left_out:
        facts["Left out"] = "; ".join(map(words, campaign.left_out))
    return facts


def _mapping(campaign: Campaign) -> str:
    def words(name: str, column: str) -> str:
        fallback = campaign.fallbacks.get(name, "")
        return f"{{{name}}} = {column}" + (f", otherwise {fallback!r}" if fallback else "")

    return "; ".join(words(name, column) for name, column in campaign.placeholders.items()) or formats.NOTHING
