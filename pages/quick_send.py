"""Quick Send: a message to a few numbers, at once."""

import streamlit as st

from core.domain.permissions import Permission
from pages._ui import quick_form, session, widgets

session.require(Permission.QUICK_SEND)
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
    order = quick_form.fill_in(accounts)
    quick_form.show_counts(order)
    quick_form.buttons(order)
