"""Preflight: what a launch will do, over every row, before it is done."""

import streamlit as st

from core.domain.permissions import Permission
from pages._ui import address, session, widgets
from pages._ui.preflight import preflight_panels, preflight_rows

KEY = "preflight"

session.require(Permission.CAMPAIGN)
app, viewer = session.current()
campaign_id = address.get("id")
with widgets.show_errors() as outcome:
    campaign = app.campaigns.composing.get(viewer, campaign_id)
    with st.spinner("Rendering, measuring and pricing every message …"):
        found = app.campaigns.preflighting.check(viewer, campaign_id, session.now())
    preflight_panels.header(campaign)
    preflight_panels.totals(campaign, found)
    findings, costs = st.columns(2)
    with findings:
        preflight_panels.findings(campaign, found)
    with costs:
        preflight_panels.destinations(found)
    preflight_rows.show(campaign_id, found)
    preflight_panels.launch(campaign, found)
if not outcome.ok:
    widgets.link("All campaigns", "campaigns", key=f"{KEY}_back", icon=":material/arrow_back:")
