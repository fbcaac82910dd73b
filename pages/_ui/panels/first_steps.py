"""First steps: what to do, in which order, for somebody who has not sent a campaign yet."""

from dataclasses import dataclass

import streamlit as st

from core.bootstrap import App
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.paging import PageRequest
from pages._ui import session, widgets
from pages._ui.panels import add_list

KEY = "dashboard"
_DRAFTS = (CampaignStatus.INACTIVE, CampaignStatus.SCHEDULED)
_ONE = PageRequest(size=1)
_REHEARSE = (
    "To try things out first, leave out the first two: as it is, messages go by the *simulator*, which sends "
    "nothing to anybody."
)


@dataclass(frozen=True)
class _Step:
    """What to do, in Markdown, whether it is done, and the page where it is: its name and stem."""

    text: str
    is_done: bool
    label: str
    stem: str


def show() -> None:
    """Draw them for those who may take all of them, until their first campaign is launched; tests are none."""
    app, viewer = session.current()
    if not viewer.may(Permission.DISTRIBUTION_LISTS, Permission.CAMPAIGN) or app.people.explaining.closed_sending(
        viewer
    ):
        return
    if app.campaigns.composing.has_launched(viewer):
        return
    ways = _ways(app, viewer) if viewer.is_administrator else []
    steps = [*ways, *_sending(app, viewer)]
    following = next((step.stem for step in steps if not step.is_done), "")
    with widgets.card("First steps", key=f"{KEY}_first_steps"):
        st.markdown("\n".join(f"{number}. {_mark(step)}{step.text}" for number, step in enumerate(steps, 1)))
        if any(not step.is_done for step in ways):
            st.caption(_REHEARSE)
        with st.container(horizontal=True):
            for step in steps:
                _button(step, is_next=step.stem == following)


def _ways(app: App, viewer: Viewer) -> list[_Step]:
    """Return what has to be there for messages to reach anybody."""
    own = [item for item in app.accounts.setting_up.list_gateways(viewer) if item.can_be_deleted]
    return [
        _Step(
            "**Set up a gateway**: the way to your SMS provider, with what it gave you to log in.",
            bool(own),
            "Gateways",
            "gateways",
        ),
        _Step(
            "**Choose it for a traffic account**: messages are sent from one. There you also set its limit, its budget "
            "and its price list.",
            any(item.account_names for item in own),
            "Traffic Accounts",
            "traffic_accounts",
        ),
    ]


def _sending(app: App, viewer: Viewer) -> list[_Step]:
    has_list = bool(app.lists.page(viewer, _ONE).total)
    has_draft = bool(app.campaigns.composing.page(viewer, _ONE, statuses=_DRAFTS).total)
    return [
        _Step(
            "**Add a distribution list**: a CSV or XLSX file of the people you want to reach.",
            has_list,
            add_list.LABEL,
            add_list.STEM,
        ),
        _Step(
            "**Create a campaign**: who it is from, to which list, and what it says. *Send a test to me* on its page "
            "shows it on your phone.",
            has_draft,
            "Create Campaign",
            "create_campaign",
        ),
        _Step(
            "**Launch it**, and watch it being sent. The results appear here and in Statistics.",
            False,
            "Campaigns",
            "campaigns",
        ),
    ]


def _button(step: _Step, *, is_next: bool) -> None:
    """Draw the way to a step that is to be done; the last one leads somewhere once there is something to launch."""
    if step.stem == add_list.STEM:
        add_list.link(key=f"{KEY}_first_list", primary=is_next)
    elif step.stem != "campaigns" or is_next:
        widgets.link(step.label, step.stem, key=f"{KEY}_first_{step.stem}", primary=is_next)


def _mark(step: _Step) -> str:
    return ":material/check_circle: " if step.is_done else ""
