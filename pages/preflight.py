"""Preflight: what a launch will do, over every row, before it is done."""

import streamlit as st

from core.domain.people.permissions import Permission
from pages._ui import address, session, widgets
from pages._ui.screens.preflight import preflight_panels, preflight_rows

KEY = "preflight"

session.require(Permission.CAMPAIGN)
app, viewer = session.current()
with widgets.show_errors() as outcome:
    with st.spinner("Rendering, measuring and pricing every message …"):
        look = app.campaigns.preflighting.look(viewer, address.get("id"), session.now())
    # Before anything is drawn: who is led on to the campaign has no use for the rest.
    preflight_panels.launch(look)
    preflight_panels.header(look.campaign)
    preflight_panels.totals(look.campaign, look.preflight)
    preflight_panels.way(look)
    findings, costs = st.columns(2)
    with findings:
        preflight_panels.findings(look.campaign, look.preflight)
    with costs:
        preflight_panels.destinations(look.preflight)
    preflight_rows.show(look)
if not outcome.ok:
    widgets.link("All campaigns", "campaigns", key=f"{KEY}_back", icon=":material/arrow_back:")
