"""Message History: every single message that was sent."""

import streamlit as st

from core.domain.periods import Period, Preset
from core.domain.permissions import Permission
from core.history.queries import MessageQuery
from pages._ui import formats, message_filter, period_filter, session, tables, widgets

KEY = "message_history"
SIZES = (15, 25, 50, 100)
COLUMNS = (
    tables.moment("Sent Date", "sent_at"),
    tables.text("Receiver", "receiver"),
    tables.text("Sender", "sender"),
    tables.text("Country", "country"),
    tables.text("Network", "network"),
    tables.text("MCCMNC", "mccmnc"),
    tables.text("Error Code", "error_code"),
    tables.status("Delivery Status", "delivery_status"),
    tables.moment("Delivery Date", "delivered_at"),
    tables.duration("DLR Time", "dlr_s"),
    tables.money("Price [EUR c]", "price_eur_cents"),
    tables.flag("Unicode", "unicode"),
    tables.text("Message ID", "message_id"),
    tables.text("Account", "account"),
)
HIDDEN_AT_FIRST = {"MCCMNC", "Delivery Date", "Unicode", "Message ID", "Account"}


def column_options() -> tuple[tables.Column, ...]:
    """Draw the check boxes and return the chosen columns in the guide's order."""
    with st.popover("Column Options", icon=":material/view_column:", key=f"{KEY}_columns"):
        return tuple(
            column
            for column in COLUMNS
            if st.checkbox(column.label, column.label not in HIDDEN_AT_FIRST, key=f"{KEY}_column_{column.label}")
        )


def campaign_chip(campaign_id: str) -> Period:
    """Draw what the page is narrowed to, and return the time since that campaign's launch."""
    app, viewer = session.current()
    campaign = app.composing.get(viewer, campaign_id)
    if st.button(f"Campaign: {formats.plain(campaign.name)}", icon=":material/close:", key=f"{KEY}_chip_campaign"):
        st.query_params.pop("campaign")
        st.rerun()
    return Period(campaign.launched_at or campaign.created_at, session.now())


session.require(Permission.MESSAGE_HISTORY)
app, viewer = session.current()
request = tables.request(KEY, SIZES)
campaign_id = st.query_params.get("campaign", "") if viewer.may(Permission.CAMPAIGN) else ""

with widgets.show_errors():
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}_bar"):
        chosen = campaign_chip(campaign_id) if campaign_id else period_filter.choose(KEY, viewer, Preset.LAST_7_DAYS)
        message_filter.button()
        shown = column_options()
    message_filter.chips()
    query = MessageQuery(viewer.account_ids, chosen, campaign_id=campaign_id, **message_filter.active())
    found = app.reporting.messages(viewer, query, request.page, request.size)
    if found.total and shown:
        tables.show(found.table, shown, key=f"{KEY}_table", alt="Messages", time_zone=viewer.time_zone)
        tables.pager(KEY, found.total, SIZES)
    elif shown:
        with widgets.empty_state(":material/history:", "No messages", "Choose another time, or fewer filters."):
            pass
    else:
        st.info("No column is chosen.", icon=":material/view_column:")
