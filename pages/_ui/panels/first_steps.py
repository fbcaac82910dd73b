"""First steps: what to do, in which order, for somebody who has not sent anything yet."""

import streamlit as st

from core.bootstrap import App
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.paging import PageRequest
from pages._ui import session, widgets
from pages._ui.panels import add_list

KEY = "dashboard"
_LAUNCHED = [status for status in CampaignStatus if status is not CampaignStatus.INACTIVE]
_ONE = PageRequest(size=1)


def show() -> None:
    """Draw them for those who may take all of them, until their first campaign is launched."""
    app, viewer = session.current()
    if not viewer.may(Permission.DISTRIBUTION_LISTS, Permission.CAMPAIGN) or app.people.explaining.closed_sending(
        viewer
    ):
        return
    if app.campaigns.composing.page(viewer, _ONE, statuses=_LAUNCHED).total:
        return
    has_list, has_draft = _done(app, viewer)
    with widgets.card("First steps", key=f"{KEY}_first_steps"):
        st.markdown(
            f"1. {_mark(has_list)}**Add a distribution list**: a CSV or XLSX file of the people you want to reach.\n"
            f"2. {_mark(has_draft)}**Create a campaign**: who it is from, to which list, and what it says.\n"
            "3. **Launch it**, and watch it being sent. The results appear here and in Statistics."
        )
        with st.container(horizontal=True):
            add_list.link(key=f"{KEY}_first_list", primary=not has_list)
            if has_draft:
                widgets.link("Campaigns", "campaigns", key=f"{KEY}_first_draft", primary=has_list)
            else:
                widgets.link("Create Campaign", "create_campaign", key=f"{KEY}_first_campaign", primary=has_list)


def _done(app: App, viewer: Viewer) -> tuple[bool, bool]:
    """Return whether there is a list, and whether there is a draft."""
    return bool(app.lists.page(viewer, _ONE).total), bool(app.campaigns.composing.page(viewer, _ONE).total)


def _mark(is_done: bool) -> str:
    return ":material/check_circle: " if is_done else ""
