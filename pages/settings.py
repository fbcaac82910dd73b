"""Settings: one's own account, in three tabs."""

import streamlit as st

from pages._ui import session, widgets
from pages._ui.screens.settings import settings_tabs

app, viewer = session.current()
with widgets.show_errors():
    person = app.people.own_account.get(viewer)
    general, sms, password = st.tabs(("General", "SMS settings", "Password reset"))
    with general:
        settings_tabs.general(person)
    with sms:
        settings_tabs.sms(person)
    with password:
        settings_tabs.password()
settings_tabs.show_open()
