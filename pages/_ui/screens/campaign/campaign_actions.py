"""What can be done with a campaign on its page, depending on how far it is."""

from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.people.permissions import Permission
from pages._ui import formats, session, widgets
from pages._ui.panels import cloning
from pages._ui.screens.campaign import campaign_limits

KEY = "campaign"
TEST_PANEL = f"{KEY}_test"
_CANCEL = "Messages not sent yet never will be; those already sent stay sent. This cannot be undone."
_ENDED = frozenset({CampaignStatus.CANCELED, CampaignStatus.COMPLETED})


def show(campaign: Campaign) -> None:
    """Draw the buttons, and do what they say."""
    _, viewer = session.current()
    # Above the buttons, not between them.
    trouble = st.container()
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_actions"):
        if campaign.status is CampaignStatus.INACTIVE:
            if st.button("Continue editing", icon=":material/edit:", type="primary", key=f"{KEY}_edit"):
                widgets.go("create_campaign", id=campaign.campaign_id)
        else:
            _control(campaign, trouble)
            if viewer.may(Permission.MESSAGE_HISTORY) and st.button(
                "Show messages", icon=":material/history:", key=f"{KEY}_messages"
            ):
                widgets.go("message_history", campaign=campaign.campaign_id)
        campaign_limits.button(campaign)
        if campaign.source is Source.CAMPAIGN:
            if campaign.status not in _ENDED and st.button(
                "Send a test to me", icon=":material/send_to_mobile:", key=f"{KEY}_open_test"
            ):
                st.session_state[f"{TEST_PANEL}_token"] = str(uuid4())
                widgets.open_panel(TEST_PANEL, campaign.campaign_id)
            if st.button("Clone campaign", icon=":material/content_copy:", key=f"{KEY}_open_clone"):
                cloning.ask(KEY, campaign.campaign_id)
    cloning.show_open(KEY)
    campaign_limits.show_open(campaign)
    if widgets.is_open(TEST_PANEL):
        _test_panel()


def warn_overdue(campaign: Campaign) -> None:
    """Ask what shall become of a campaign whose time passed while nothing worked."""
    if not campaign.is_overdue(session.now()):
        return
    app, viewer = session.current()
    due = formats.moment(campaign.schedule_at, viewer.time_zone)
    st.warning(
        f"**This campaign was due on {due}, when Heliograph was not running.**  \n"
        "It is too late to send it without asking you. Send it now, edit it to set another time, or cancel it.",
        icon=":material/schedule:",
    )
    if widgets.confirmed(
        "Send now",
        text=f"{campaign.name} will be sent now, later than scheduled.",
        key=f"{KEY}_send_late",
        icon=":material/rocket_launch:",
        primary=True,
    ):
        app.campaigns.launching.start_overdue(viewer, campaign.campaign_id, session.now())
        st.rerun()


def _control(campaign: Campaign, trouble: DeltaGenerator) -> None:
    app, viewer = session.current()
    now = session.now()
    if campaign.status is CampaignStatus.ACTIVE and st.button("Pause", icon=":material/pause:", key=f"{KEY}_pause"):
        app.campaigns.controlling.pause(viewer, campaign.campaign_id, now)
        st.rerun()
    if campaign.status is CampaignStatus.PAUSED and st.button(
        "Resume", icon=":material/play_arrow:", type="primary", key=f"{KEY}_resume"
    ):
        # A refusal says what to do, by the buttons that stand beside this one.
        with trouble, widgets.show_errors():
            app.campaigns.controlling.resume(viewer, campaign.campaign_id, now)
            st.rerun()
    if campaign.status is CampaignStatus.SCHEDULED and st.button(
        "Edit",
        icon=":material/edit:",
        key=f"{KEY}_unschedule",
        help="It becomes a draft again and is no longer scheduled.",
    ):
        app.campaigns.controlling.unschedule(viewer, campaign.campaign_id, now)
        widgets.go("create_campaign", id=campaign.campaign_id)
    if campaign.status not in _ENDED and widgets.confirmed(
        "Cancel campaign", text=_CANCEL, key=f"{KEY}_cancel", icon=":material/cancel:", stay="Keep it"
    ):
        app.campaigns.controlling.cancel(viewer, campaign.campaign_id, now)
        st.rerun()


@st.dialog("Send a test to me", icon=":material/send_to_mobile:", on_dismiss=widgets.close_panel)
def _test_panel() -> None:
    app, viewer = session.current()
    number = st.text_input("Your number", placeholder="+15417543010", key=f"{TEST_PANEL}_number")
    st.caption("The message is sent immediately, as the first recipient would get it. It is billed as a Quick Send.")
    place = st.empty()
    with st.container(horizontal=True, horizontal_alignment="right"):
        cancel = st.button("Cancel", key=f"{TEST_PANEL}_cancel")
        send = st.button("Send", type="primary", key=f"{TEST_PANEL}_send")
    if send:
        with widgets.show_errors({"numbers": place}) as outcome:
            token = st.session_state[f"{TEST_PANEL}_token"]
            app.campaigns.quick_sending.send_test(viewer, widgets.open_subject(), number, 0, token, session.now())
        if outcome.ok:
            widgets.flash("The test is on its way.", icon=":material/send_to_mobile:")
            cancel = True
    if cancel:
        widgets.close_panel()
        st.rerun()
