"""Views: the page's address under a name, for oneself or for everybody who may open the page."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from core.domain.reports.views import SavedView
from core.domain.words.names import NAME_MAX
from pages._ui import address, formats, session, widgets

_NAMED = 5
_SHARED = "Others get its filters, and see the messages of their own accounts with them, not yours."


def menu(page: str) -> None:
    """Draw the menu of the page's views; *page* is its stem, which is also its key."""
    app, viewer = session.current()
    with st.popover("Views", icon=":material/bookmark:", key=f"{page}_views"):
        with widgets.show_errors():
            found = app.reports.views.list_views(viewer, page)
            if not found:
                st.caption("Save what you are looking at under a name, to come back to it later.")
            _list(page, found, viewer.user_id)
            if any(view.is_shared for view in found):
                st.caption(f"A shared view keeps filters, not messages: {_whose(page)}")
        _save(page)


def _list(page: str, found: Sequence[SavedView], user_id: str) -> None:
    for view in found:
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            icon = ":material/group:" if view.is_shared else ":material/bookmark:"
            if st.button(formats.plain(view.name), icon=icon, key=f"{page}_view_{view.view_id}", width="stretch"):
                _open(page, view)
            if view.user_id == user_id and st.button("Delete", key=f"{page}_unview_{view.view_id}", type="tertiary"):
                app, viewer = session.current()
                app.reports.views.delete_view(viewer, view.view_id)
                st.rerun()


def _whose(page: str) -> str:
    """Say whose accounts the person sees on this page, whoever shared the view."""
    app, viewer = session.current()
    closed = viewer.inactive_ids if page in {"message_history", "replies"} else frozenset[str]()
    mine = [item.display_name for item in app.accounts.managing.list_accounts(viewer) if item.account_id not in closed]
    shown = ", ".join(formats.plain(name) for name in mine[:_NAMED])
    more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
    return f"everybody sees their own accounts, you see {shown}{more}." if mine else "you have no account yet."


def _open(page: str, view: SavedView) -> None:
    """Show the view: its address, and none of what the page's widgets still hold."""
    for name in [name for name in st.session_state if str(name).startswith(f"{page}_")]:
        del st.session_state[name]
    address.replace(parse_qsl(view.address, keep_blank_values=True))
    st.rerun()


def _save(page: str) -> None:
    with st.form(f"{page}_view_form", border=False, clear_on_submit=True):
        name = st.text_input("Save this view as", max_chars=NAME_MAX, key=f"{page}_view_name")
        shared = st.toggle("Share with everybody who may open this page", key=f"{page}_view_shared", help=_SHARED)
        if not st.form_submit_button("Save", type="primary", key=f"{page}_view_save", width="stretch"):
            return
    app, viewer = session.current()
    with widgets.show_errors() as outcome:
        app.reports.views.save_view(viewer, page, name, _address(page), shared=shared, now=session.now())
    if outcome.ok:
        widgets.flash(f"The view {name.strip()} is saved.", icon=":material/bookmark_added:")
        st.rerun()


def _address(page: str) -> str:
    """Return what the page's address says, but for the page of the table one is on."""
    return urlencode([(name, value) for name, value in address.pairs() if name != f"{page}_page"])
