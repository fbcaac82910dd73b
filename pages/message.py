"""Message: one of them, and its way from the queue to its last receipt."""

import streamlit as st

from core.domain.people.permissions import Permission
from core.services.reports.tracing import MessageTrace
from pages._ui import address, formats, navigation, session, widgets
from pages._ui.screens.message import message_facts, message_replies, timeline

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
origin = navigation.get_screen("replies" if address.get("origin") == "replies" else "message_history")
if st.button(origin.title, icon=":material/arrow_back:", type="tertiary", key=f"{KEY}_back"):
    widgets.go_back(origin.stem)
with widgets.show_errors():
    found = app.reports.tracing.get(viewer, address.get("id"))
    told = app.reports.replies.of_message(viewer, found.message.message_id)
    header(found)
    way, facts = st.columns([3, 2], gap="medium")
    with way, widgets.card("Timeline", key=f"{KEY}_timeline"):
        timeline.show(found, viewer.time_zone, session.now())
    with facts:
        if told:
            message_replies.show(told, viewer.time_zone)
        message_facts.show(found, viewer.time_zone)
