"""Create Campaign: sender and recipients first, then the message."""

import streamlit as st

from core.bootstrap import App
from core.domain.permissions import Permission, Viewer
from core.services.composing import Preview
from pages._ui import campaign_form, campaign_panels, campaign_steps, formats, session, widgets
from pages._ui.campaign_form import KEY, Form

STEPS = ("Sender & Recipients", "Message & Preview")


def go_on() -> None:
    """Open the second step."""
    st.session_state[f"{KEY}_step"] = STEPS[1]


def choose_step(form: Form) -> str:
    """Draw the tabs; the second stays closed until the first is complete."""
    step = st.segmented_control(
        "Step", STEPS, default=STEPS[0], required=True, key=f"{KEY}_step", label_visibility="collapsed"
    )
    if step == STEPS[1] and (missing := form.missing()):
        st.info(f"First fill in: {', '.join(missing)}.", icon=":material/info:")
        return STEPS[0]
    return str(step)


def finish(app: App, viewer: Viewer, form: Form, merged: Preview | None) -> None:
    """Draw Save and Launch, and do them."""
    with st.container(horizontal=True, horizontal_alignment="right", key=f"{KEY}_finish"):
        if st.button("Save", icon=":material/save:", key=f"{KEY}_save"):
            with widgets.show_errors():
                campaign_form.save(app, viewer, form)
                widgets.flash("The draft is saved.")
                st.rerun()
        if merged:
            people = formats.count(merged.total, "recipient", "recipients")
            text = f"{form.name} goes to {people} from {form.sender_id}, as soon as the audience is frozen."
            if widgets.confirmed(
                "Launch", text=text, key=f"{KEY}_launch", icon=":material/rocket_launch:", primary=True
            ):
                with widgets.show_errors():
                    campaign_form.save(app, viewer, form)
                    app.launching.launch(viewer, form.campaign_id, session.now())
                    launched = form.campaign_id
                    campaign_form.forget()
                    widgets.go("campaign", id=launched)


session.require(Permission.CAMPAIGN)
app, viewer = session.current()
with widgets.show_errors():
    accounts = app.accounts.list_sending(viewer)
    if not accounts:
        with widgets.empty_state(
            ":material/lock:",
            "Sending is closed",
            "You belong to no active traffic account of type Campaign. Ask an administrator to add you to one.",
        ):
            st.stop()
    form = campaign_form.current(app, viewer)
    merged = None
    if choose_step(form) == STEPS[0]:
        campaign_steps.recipients(form, accounts)
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button("Next Step", type="primary", key=f"{KEY}_next", disabled=bool(form.missing()), on_click=go_on)
    else:
        merged = campaign_steps.message(form)
    finish(app, viewer, form, merged)
    campaign_panels.show_open(form)
