"""Message History: every single message that was sent."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.domain.times.periods import Preset
from core.services.reports.export_requests import MessagesRequest
from core.services.reports.reporting import sending_time
from pages._ui import session, tables, widgets
from pages._ui.filters import period_filter, saved_views
from pages._ui.panels import closed, downloads
from pages._ui.screens.message_history import columns, message_filter, selecting
from pages._ui.screens.message_history.columns import KEY

SIZES = (15, 25, 50, 100)

session.require(Permission.MESSAGE_HISTORY)
app, viewer = session.current()
request = tables.request(KEY, SIZES)

with widgets.show_errors() as outcome:
    campaign = message_filter.find_campaign()
    bar = st.container(horizontal=True, horizontal_alignment="right", key=f"{KEY}_bar")
    with bar:
        if campaign is None:
            period = period_filter.choose(KEY, viewer, Preset.LAST_7_DAYS)
        else:
            period = sending_time(campaign, session.now())
        message_filter.button()
        shown = columns.choose()
        saved_views.menu(KEY)
    message_filter.chips(campaign)
    query = message_filter.query(viewer, period)
    found = app.reports.reporting.messages(viewer, query, request.page, request.size)
    if found.table.num_rows and shown:
        with bar:
            labels = tuple(column.label for column in shown)
            downloads.menu(MessagesRequest(query, labels), key=KEY)
        selecting.show(found.table, shown, query, labels, page=(request.page, request.size))
        message_filter.pager(query, found, SIZES)
    elif shown:
        closed.no_messages(":material/history:", "No messages")
    else:
        st.info("No column is chosen.", icon=":material/view_column:")
if not outcome.ok and message_filter.active():
    widgets.link("All messages", KEY, key=f"{KEY}_all", icon=":material/arrow_back:")
