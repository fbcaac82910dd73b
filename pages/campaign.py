"""Campaign: one of them, live while it is sent."""

import streamlit as st

from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.people.permissions import Permission
from pages._ui import address, formats, session, widgets
from pages._ui.components.phone_preview import phone_preview
from pages._ui.panels import stuck
from pages._ui.screens.campaign import campaign_actions, campaign_facts, campaign_limits, reconciliation

REFRESH_S, RECEIPTS_S = 1, 10


def live(campaign: Campaign) -> None:
    """Draw the numbers, every second while they change; when the state changes, the whole page."""
    app, viewer = session.current()
    is_open = reconciliation.is_open(campaign, app.reports.reporting.reconciliation(viewer, campaign.campaign_id))

    # Receipts come after the end, too.
    @st.fragment(run_every=REFRESH_S if is_open else RECEIPTS_S)
    def numbers() -> None:
        app, viewer = session.current()
        with widgets.show_errors():
            now_there = app.campaigns.composing.get(viewer, campaign.campaign_id)
            with widgets.show_errors() as outcome:
                arrived = app.reports.reporting.arrivals(viewer, now_there, session.now())
            found = app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
            if now_there.status is not campaign.status or reconciliation.is_open(now_there, found) is not is_open:
                st.rerun()
            limited = app.campaigns.limiting.find(viewer, campaign.campaign_id, session.now())
            if now_there.status is CampaignStatus.SCHEDULED:
                campaign_limits.say_rate(now_there, limited)
                return
            stuck.warn_of(now_there)
            reconciliation.show_progress(now_there, found, session.now())
            campaign_limits.say_rate(now_there, limited)
            if found.audience_count:
                reconciliation.show_proof(campaign.campaign_id, found)
            campaign_limits.show_spent(now_there, limited)
            if found.sent_count and outcome.ok:
                reconciliation.show_arrivals(now_there, found, arrived)

    with widgets.place():
        numbers()


def header(campaign: Campaign) -> None:
    """Draw name, state, and where to go from here."""
    with st.container(horizontal=True, vertical_alignment="center", key="campaign_header"):
        st.header(formats.plain(campaign.name), anchor=False, width="content")
        widgets.status_badge(campaign.status)
        if campaign.source is Source.QUICK_SEND:
            st.badge("Quick Send", icon=":material/bolt:", color="violet")
    campaign_actions.show(campaign)
    campaign_actions.warn_overdue(campaign)
    if campaign.fault:
        message, _, hint = campaign.fault.partition("\n")
        widgets.fault(message, hint)


session.require(Permission.CAMPAIGN, Permission.QUICK_SEND)
app, viewer = session.current()
with widgets.show_errors() as outcome:
    found = app.campaigns.composing.get(viewer, address.get("id"))
    with widgets.place():
        header(found)
    numbers, phone = st.columns([2, 1], gap="large")
    with numbers:
        if found.status is not CampaignStatus.INACTIVE:
            live(found)
        text, whose = campaign_facts.example(app, viewer, found)
        campaign_facts.show(app, viewer, found, text)
    with phone:
        phone_preview(text, sender_id=found.sender_id, name=found.name, key="campaign_phone")
        if whose:
            st.caption(whose, text_alignment="center")
if not outcome.ok:
    widgets.link("All campaigns", "campaigns", key="campaign_back", icon=":material/arrow_back:")
