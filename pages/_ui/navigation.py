"""The screens, in the guide's words and order, and who may open them."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import streamlit as st

from core.domain.people.permissions import Permission, Viewer
from pages._ui import session

PAGES = Path(__file__).resolve().parents[1]
HELP = Path(__file__).resolve().parent / "help"


@dataclass(frozen=True)
class Screen:
    """
    One screen, drawn by `pages/<stem>.py`. Any one of *permissions* opens it; without any, everybody may.

    What is *for_administrators* opens to nobody else.
    """

    stem: str
    title: str
    icon: str
    section: str = ""
    permissions: tuple[Permission, ...] = ()
    visible: bool = True
    for_administrators: bool = False

    def is_open_to(self, viewer: Viewer) -> bool:
        """Whether *viewer* may open the screen."""
        if self.for_administrators and not viewer.is_administrator:
            return False
        return not self.permissions or any(viewer.may(permission) for permission in self.permissions)

    @property
    def help_text(self) -> str:
        """What the information balloon says, Markdown."""
        return _read(HELP / f"{self.stem}.md")


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


SCREENS = (
    Screen("dashboard", "Dashboard", ":material/space_dashboard:"),
    Screen(
        "distribution_lists",
        "Distribution Lists",
        ":material/contacts:",
        permissions=(Permission.DISTRIBUTION_LISTS,),
    ),
    Screen(
        "suppressions",
        "Suppressions",
        ":material/block:",
        permissions=(Permission.DISTRIBUTION_LISTS,),
    ),
    Screen("campaigns", "Campaigns", ":material/campaign:", "SMS", (Permission.CAMPAIGN,)),
    Screen("create_campaign", "Create Campaign", ":material/edit_square:", "SMS", (Permission.CAMPAIGN,)),
    Screen("quick_send", "Quick Send", ":material/bolt:", "SMS", (Permission.QUICK_SEND,)),
    # Reached from Create Campaign, with ?id=.
    Screen("preflight", "Preflight", ":material/fact_check:", "SMS", (Permission.CAMPAIGN,), visible=False),
    # Reached from the Campaigns table, with ?id=.
    Screen(
        "campaign",
        "Campaign",
        ":material/sms:",
        "SMS",
        (Permission.CAMPAIGN, Permission.QUICK_SEND),
        visible=False,
    ),
    # Reached from a campaign's reconciliation, with ?id= and ?outcome=.
    Screen(
        "campaign_rows",
        "Recipients",
        ":material/group:",
        "SMS",
        (Permission.CAMPAIGN, Permission.QUICK_SEND),
        visible=False,
    ),
    Screen("statistics", "Statistics", ":material/bar_chart:", "Analysis", (Permission.STATISTICS,)),
    Screen("message_history", "Message History", ":material/history:", "Analysis", (Permission.MESSAGE_HISTORY,)),
    Screen("replies", "Replies", ":material/forum:", "Analysis", (Permission.MESSAGE_HISTORY,)),
    # Reached from the tables of Message History and Replies, with ?id=.
    Screen("message", "Message", ":material/sms:", "Analysis", (Permission.MESSAGE_HISTORY,), visible=False),
    Screen("import_traffic", "Import Traffic", ":material/upload_file:", "Analysis", (Permission.TRAFFIC_ACCOUNTS,)),
    # Reached from the avatar in the toolbar; everybody has an account.
    Screen("settings", "Settings", ":material/settings:", visible=False),
    Screen("users", "Users", ":material/group:", "Administration", (Permission.USERS,)),
    Screen(
        "traffic_accounts",
        "Traffic Accounts",
        ":material/hub:",
        "Administration",
        (Permission.TRAFFIC_ACCOUNTS,),
    ),
    Screen("gateways", "Gateways", ":material/cell_tower:", "Administration", for_administrators=True),
    Screen("audit", "Audit", ":material/policy:", "Administration", (Permission.AUDIT,)),
)


def get_screen(stem: str) -> Screen:
    """Return the screen with this stem; the default one answers to "" too."""
    return next(screen for screen in SCREENS if screen.stem == (stem or SCREENS[0].stem))


def page_path(stem: str) -> Path:
    """Return the script of the screen with this stem."""
    return PAGES / f"{stem}.py"


def list_pages(viewer: Viewer) -> Mapping[str, list[st.Page]]:
    """
    Return `st.navigation`'s sections with the pages *viewer* may open, and no empty section.

    A page that *viewer* may not open keeps its address and says so there: unknown to Streamlit, it would read "Page not
    found" above a dashboard that nobody asked for.
    """
    sections: dict[str, list[st.Page]] = {SCREENS[0].section: []}
    for screen in SCREENS:
        if screen.is_open_to(viewer):
            sections.setdefault(screen.section, []).append(copy(_page(screen)))
    sections[SCREENS[0].section] += [copy(_refusal(screen)) for screen in SCREENS if not screen.is_open_to(viewer)]
    return sections


# Made once, and copied for each run: a run lets its page be called once.
@cache
def _refusal(screen: Screen) -> st.Page:
    return st.Page(partial(session.refuse, screen.title), title=screen.title, url_path=screen.stem, visibility="hidden")


@cache
def _page(screen: Screen) -> st.Page:
    return st.Page(
        page_path(screen.stem),
        title=screen.title,
        icon=screen.icon,
        # The default page answers at "/"; the others keep their address when a title is translated.
        url_path=None if screen is SCREENS[0] else screen.stem,
        default=screen is SCREENS[0],
        visibility="visible" if screen.visible else "hidden",
    )
