"""
The Streamlit main script: who is looking, where they may go, and the toolbar above every page.

It stands apart from `pages/` on purpose: beside a main script Streamlit serves every file of
a `pages/` folder directly, without asking anybody.
"""

from pathlib import Path

import streamlit as st

from core.domain.people.permissions import Viewer, preset_of
from pages._ui import address, formats, navigation, session, widgets
from pages._ui.components import grid_keys, history, tab_key
from pages._ui.panels import avatars, downloads

_UI = Path(__file__).resolve().parent
_LOGO = str(_UI / "assets" / "logo.svg")
_WORDMARK = str(_UI / "assets" / "wordmark.svg")
# The longest title and no more: the columns of Message History need the rest of a 1280 pixel screen.
_SIDEBAR_WIDTH_PX = 240


def _toolbar(screen: navigation.Screen, viewer: Viewer) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="frame_toolbar"):
        st.title(screen.title, anchor=False)
        with st.container(width="content", horizontal=True, wrap=False, gap="xsmall", key="frame_toolbar_actions"):
            downloads.toolbar()
            with st.popover("", icon=":material/info:", type="tertiary", help="About this screen", key="frame_help"):
                st.markdown(screen.help_text)
            with st.popover(_initials(viewer), help="Your account", key="frame_avatar"):
                _account(viewer)


def _account(viewer: Viewer) -> None:
    st.markdown(f"**{formats.plain(viewer.name)}**")
    # As text: Markdown would make a link of an address.
    st.text(viewer.email)
    st.caption(preset_of(viewer.permissions))
    widgets.link("Settings", "settings", key="frame_settings", icon=":material/settings:", width="stretch")
    if st.button("Log out", icon=":material/logout:", key="frame_log_out", width="stretch"):
        session.sign_out()


def _initials(viewer: Viewer) -> str:
    words = viewer.name.split() or [viewer.email]
    return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()


def main() -> None:
    """Draw the frame and run the page inside it."""
    st.set_page_config(page_title="Heliograph", page_icon=_LOGO, layout="wide", initial_sidebar_state=_SIDEBAR_WIDTH_PX)
    st.html(_UI / "frame.css")
    _, viewer = session.begin()
    if style := avatars.toolbar_style():
        st.html(style)
    st.logo(_WORDMARK, icon_image=_LOGO, size="large")
    page = st.navigation(dict(navigation.list_pages(viewer)))
    screen = navigation.get_screen(page.url_path)
    st.set_page_config(page_title=f"{screen.title} · Heliograph", page_icon=_LOGO)
    history.mend()
    grid_keys.listen()
    tab_key.listen()
    _toolbar(screen, viewer)
    widgets.leave_page(screen.stem)
    widgets.show_flashes()
    if _is_usable():
        page.run()


def _is_usable() -> bool:
    """Return whether the page may read its address; say what is wrong with it otherwise."""
    with widgets.show_errors() as outcome:
        address.check()
    if not outcome.ok:
        st.button("Open the page without it", key="frame_clear_address", on_click=address.clear)
    return outcome.ok


main()
