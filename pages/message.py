"""Message: one of them, and its way from the queue to its last receipt."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.services.reports.tracing import MessageTrace
from pages._ui import address, formats, session, widgets
from pages._ui.screens.message import message_facts, timeline

KEY = "message"


def header(trace: MessageTrace) -> None:
    """Draw the receiver, what became of the message, and where to go from here."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_header"):
        st.header(formats.plain(trace.message.receiver), anchor=False, width="content")
        widgets.status_badge(trace.message.delivery_status)
        st.space("stretch")
        if trace.campaign and st.button(
            f"Campaign: {formats.plain(trace.campaign.name)}", icon=":material/campaign:", key=f"{KEY}_campaign"
        ):
            widgets.go("campaign", id=trace.campaign.campaign_id)


session.require(Permission.MESSAGE_HISTORY)
app, viewer = session.current()
if st.button("Message History", icon=":material/arrow_back:", type="tertiary", key=f"{KEY}_back"):
    widgets.go_back("message_history")
with widgets.show_errors():
    found = app.reports.tracing.get(viewer, address.get("id"))
    header(found)
    way, facts = st.columns([3, 2], gap="medium")
    with way, widgets.card("Timeline", key=f"{KEY}_timeline"):
        timeline.show(found, viewer.time_zone, session.now())
    with facts:
        message_facts.show(found, viewer.time_zone)
