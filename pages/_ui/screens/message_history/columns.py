"""The columns of Message History: all there are, and those that the viewer has chosen for good."""

import streamlit as st

from pages._ui import session, tables, widgets

KEY = "message_history"
_COLUMNS = (
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
_HIDDEN_AT_FIRST = {"MCCMNC", "Delivery Date", "Unicode", "Message ID", "Gateway Message ID", "Account"}


def choose() -> tuple[tables.Column, ...]:
    """Draw the check boxes and return the chosen columns in the guide's order."""
    app, viewer = session.current()
    known = app.reports.views.find_columns(viewer, KEY)
    chosen = [column.label for column in _COLUMNS if column.label not in _HIDDEN_AT_FIRST] if known is None else known
    with st.popover("Column Options", icon=":material/view_column:", key=f"{KEY}_columns"):
        return tuple(
            column
            for column in _COLUMNS
            if st.checkbox(column.label, column.label in chosen, key=f"{KEY}_column_{column.label}", on_change=_keep)
        )


def _keep() -> None:
    """Remember the choice: when it is made, so that what another browser still shows does not undo it."""
    labels = [column.label for column in _COLUMNS if st.session_state[f"{KEY}_column_{column.label}"]]
    # Not the viewer of the run that drew the boxes: what he or she may do, and who it is, may have changed since.
    app, viewer = session.current()
    with widgets.show_errors():
        app.reports.views.choose_columns(viewer, KEY, labels)
