"""Create Campaign: sender and recipients first, then the message."""

import streamlit as st

from core.bootstrap import App
from core.domain.people.permissions import Permission, Viewer
from pages._ui import session, widgets
from pages._ui.panels import closed
from pages._ui.screens.create_campaign import (
    campaign_form,
    campaign_panels,
    campaign_saving,
    campaign_steps,
    campaign_tabs,
)
from pages._ui.screens.create_campaign.campaign_form import KEY, Form
from pages._ui.screens.create_campaign.campaign_steps import Step


def finish(app: App, viewer: Viewer, form: Form, step: Step) -> None:
    """Draw Save and what comes next, and do them."""
    # Above the bar: whoever clicks looks there, and below the message it would lie half behind the buttons.
    trouble = st.bottom.container()
    with (
        st.bottom,
        st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key=f"{KEY}_finish"),
    ):
        state = st.empty()
        saves, launches = buttons(form, step)
    with trouble, widgets.show_errors(step.places):
        if saves or launches:
            campaign_form.save(app, viewer, form)
        if saves:
            widgets.flash("The draft is saved.")
            st.rerun()
        if launches:
            app.campaigns.composing.check_ready(viewer, form.campaign_id)
            widgets.go("preflight", id=form.campaign_id)
        campaign_form.autosave(app, viewer, form)
    campaign_saving.show(form, state)


def buttons(form: Form, step: Step) -> tuple[bool, bool]:
    """Draw the buttons and why one of them is gray; return whether to save and whether to launch."""
    launches = False
    lacking = "" if step.is_last else ", ".join(form.missing())
    # Before the buttons: on a phone they stand side by side below it.
    if step.merged:
        widgets.why_not("" if step.is_timed else "Fix the schedule first.")
    widgets.why_not(f"Fill in first: {lacking}." if lacking else "")
    saves = st.button("Save", icon=":material/save:", key=f"{KEY}_save")
    if step.merged:
        launches = st.button(
            "Launch",
            type="primary",
            icon=":material/rocket_launch:",
            key=f"{KEY}_launch",
            disabled=not step.is_timed,
            help="First shows what it will do and cost, for every recipient. Nothing is sent yet.",
        )
    if not step.is_last:
        st.button("Next Step", type="primary", key=f"{KEY}_next", disabled=bool(lacking), on_click=campaign_tabs.go_on)
    return saves, launches


session.require(Permission.CAMPAIGN)
app, viewer = session.current()
with widgets.show_errors() as outcome:
    closed.stop_if_closed()
    accounts = app.accounts.managing.list_sending(viewer)
    form = campaign_form.current(app, viewer)
    is_first = campaign_tabs.choose(form) == campaign_tabs.FIRST
    drawn = campaign_steps.recipients(form, accounts) if is_first else campaign_steps.message(form)
    finish(app, viewer, form, drawn)
    campaign_panels.show_open(form)
if not outcome.ok:
    widgets.link("All campaigns", "campaigns", key=f"{KEY}_back", icon=":material/arrow_back:")
