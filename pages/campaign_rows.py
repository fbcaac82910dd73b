"""Campaign rows: who is in one line of a campaign's reconciliation."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.services.sending.reconciling import OUTCOMES
from pages._ui import address, formats, session, tables, widgets
from pages._ui.screens.campaign import reconciliation

KEY = "campaign_rows"
SIZES = (15, 25, 50, 100)
COLUMNS = (
    tables.text("Receiver", "Receiver"),
    tables.text("Country", "Country"),
    tables.text("Network", "Network"),
    tables.text("MCCMNC", "MCCMNC"),
    tables.made("Reason", "Reason", reconciliation.refusal),
)

session.require(Permission.CAMPAIGN, Permission.QUICK_SEND)
app, viewer = session.current()
campaign_id = address.get("id")
asked = address.get("outcome", OUTCOMES[0])
reason = address.find("reason")
with widgets.show_errors() as shown:
    campaign = app.campaigns.composing.get(viewer, campaign_id)
    outcome = asked if asked in OUTCOMES else OUTCOMES[0]
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_header"):
        st.header(formats.plain(campaign.name), anchor=False, width="content")
        st.badge(outcome.title(), color="violet")
        if reason:
            st.badge(formats.plain(reconciliation.refusal(reason)), color="gray")
        st.space("stretch")
        if st.button("Show campaign", icon=":material/arrow_back:", key=f"{KEY}_back"):
            widgets.go("campaign", id=campaign_id)
    request = tables.request(KEY, SIZES)
    page = app.sending.reconciling.rows(viewer, campaign_id, outcome, reason, request.page, request.size)
    if campaign.forgotten_at and outcome != "sent":
        gone = formats.moment(campaign.forgotten_at, viewer.time_zone)
        st.info(f"These recipients were deleted on {gone}, as set. Their counts stay.", icon=":material/history:")
    tables.show(page.table, COLUMNS, key=f"{KEY}_table", alt=f"{outcome} recipients")
    tables.pager(KEY, page.total, SIZES)
if not shown.ok:
    widgets.link("All campaigns", "campaigns", key=f"{KEY}_all", icon=":material/arrow_back:")
