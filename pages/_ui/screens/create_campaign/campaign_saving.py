"""Whether a draft is stored, and what to do when somebody else has stored it too."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._ui import session, widgets
from pages._ui.components import scrolling
from pages._ui.screens.create_campaign import campaign_form
from pages._ui.screens.create_campaign.campaign_form import CONFLICT, KEY, Form


def show(form: Form, place: DeltaGenerator) -> None:
    """Say in *place* whether everything is stored; ask about a conflict."""
    if form.is_conflicting:
        _ask()
    elif form.unsaved_because:
        place.caption(f"Not saved yet: {form.unsaved_because}")
    elif form.schedule_fault is not None:
        place.caption("Saved as a draft, except for the schedule time" if form.campaign_id else "Not saved yet")
    elif form.campaign_id and form.draft() == form.saved:
        place.caption(":material/cloud_done: Saved as a draft")


def _ask() -> None:
    with st.container(key=CONFLICT):
        st.error(
            "**Somebody else has changed this draft since you opened it.**  \nYour changes are not saved yet.",
            icon=":material/group:",
        )
        with st.container(horizontal=True):
            st.button(
                "Load theirs", key=f"{KEY}_reload", on_click=campaign_form.reload, help="Your changes will be lost."
            )
            st.button("Keep mine", key=f"{KEY}_overwrite", on_click=_overwrite, help="Their changes will be lost.")
    # On a phone the person may be far below; the question would not be seen.
    scrolling.scroll_to(CONFLICT, key=CONFLICT)


def _overwrite() -> None:
    app, viewer = session.current()
    form = campaign_form.current(app, viewer)
    with widgets.show_errors():
        campaign_form.overwrite(app, viewer, form)
