"""Cloning a campaign: a panel that asks for the copy's name."""

import streamlit as st

from core.domain.words.names import NAME_MAX
from pages._ui import session, widgets

PANEL = "clone"


def ask(page: str, campaign_id: str) -> None:
    """Open the question on *page* (its stem), and start the run again."""
    widgets.open_panel(f"{page}_{PANEL}", campaign_id)
    st.rerun()


def show_open(page: str) -> None:
    """Draw the question while it is open."""
    if widgets.is_open(f"{page}_{PANEL}"):
        _question(page)


@st.dialog("Clone campaign", icon=":material/content_copy:", on_dismiss=widgets.close_panel)
def _question(page: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        original = app.campaigns.composing.get(viewer, widgets.open_subject())
        name = st.text_input(
            "Name of the copy", f"Copy of {original.name}"[:NAME_MAX], max_chars=NAME_MAX, key=f"{page}_clone_name"
        )
        st.caption("Everything is copied but the schedule. The copy is a draft; nothing is sent.")
        place = st.empty()
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancel = st.button("Cancel", key=f"{page}_clone_cancel")
            save = st.button("Save", type="primary", key=f"{page}_clone_save")
        if cancel:
            widgets.close_panel()
            st.rerun()
        if save:
            with widgets.show_errors({"name": place}) as outcome:
                copy = app.campaigns.composing.clone(viewer, original.campaign_id, name, session.now())
            if outcome.ok:
                widgets.close_panel()
                widgets.flash(f"{copy.name} is saved as a draft.")
                widgets.go("create_campaign", id=copy.campaign_id)
