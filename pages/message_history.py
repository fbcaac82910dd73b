"""Message History: every single message that was sent."""

import streamlit as st

from core.domain.periods import Preset
from core.domain.permissions import Permission
from core.services.reports.export_requests import MessagesRequest
from core.services.reports.reporting import sending_time
from pages._ui import closed, downloads, period_filter, saved_views, session, tables, widgets
from pages._ui.message_history import message_filter, selecting

KEY = "message_history"
SIZES = (15, 25, 50, 100)
COLUMNS = (
    tables.moment("Sent Date", "sent_at"),
    tables.text("Receiver", "receiver"),
    tables.text("Sender", "sender"),
    # Of the default columns these two could be so long that the price would not fit on a 1280 pixel screen.
    tables.text("Country", "country", width=112),
    tables.text("Network", "network", width=96),
    tables.text("MCCMNC", "mccmnc"),
    tables.text("Error Code", "error_code"),
    tables.status("Delivery Status", "delivery_status"),
    tables.moment("Delivery Date", "delivered_at"),
    tables.duration("DLR Time", "dlr_s"),
    tables.money("Price [EUR c]", "price_eur_cents"),
    tables.flag("Unicode", "unicode"),
    tables.text("Message ID", "message_id"),
    tables.text("Gateway Message ID", "gateway_message_id"),
    tables.text("Account", "account"),
)
HIDDEN_AT_FIRST = {"MCCMNC", "Delivery Date", "Unicode", "Message ID", "Gateway Message ID", "Account"}


def column_options() -> tuple[tables.Column, ...]:
    """Draw the check boxes and return the chosen columns in the guide's order; the choice is the person's for good."""
    known = app.reports.views.find_columns(viewer, KEY)
    chosen = [column.label for column in COLUMNS if column.label not in HIDDEN_AT_FIRST] if known is None else known
    with st.popover("Column Options", icon=":material/view_column:", key=f"{KEY}_columns"):
        return tuple(
            column
            for column in COLUMNS
            if st.checkbox(
                column.label, column.label in chosen, key=f"{KEY}_column_{column.label}", on_change=keep_columns
            )
        )


def keep_columns() -> None:
    """Remember the choice: when it is made, so that what another browser still shows does not undo it."""
    labels = [column.label for column in COLUMNS if st.session_state[f"{KEY}_column_{column.label}"]]
    # Not the viewer of the run that drew the boxes: what he or she may do, and who it is, may have changed since.
    app, viewer = session.current()
    with widgets.show_errors():
        app.reports.views.choose_columns(viewer, KEY, labels)


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
        shown = column_options()
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
