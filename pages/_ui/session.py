"""Who is looking: the application and its viewer, from the session cookie."""

from dataclasses import replace
from datetime import datetime
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.bootstrap import App, shared_app
from core.domain.people.browsers import tidy_address
from core.domain.people.permissions import Permission, Viewer
from core.web.guard.cookies import session_cookie
from pages._ui import formats
from pages._ui.open_pages import open_pages

_PINNED_USER = "session_user_id"
# Where a run of a script keeps its viewer: with Streamlit's own things of the run, which no other run sees.
_VIEWER = "_heliograph_viewer"


def now() -> datetime:
    """Return the present moment, aware and in UTC, as the state store tells it: the only clock the pages read."""
    return shared_app().clock()


def current() -> tuple[App, Viewer]:
    """
    Return the application and the viewer behind the cookie; without one, leave for the login page.

    Fragments, dialogs and callbacks run without the frame, so they call this again instead of keeping
    an earlier answer: a session may have ended, or a permission been taken, in between.
    """
    known = _known()
    return (shared_app(), known) if known else _identify()


def begin() -> tuple[App, Viewer]:
    """Do the same as `current`, and let all else of this run of the frame know: it asks a dozen times."""
    app, viewer = _identify()
    context = get_script_run_ctx()
    if context is not None:
        setattr(context, _VIEWER, (context.cursors, viewer))
    return app, viewer


def _known() -> Viewer | None:
    """Return whom the frame has found in this very run: each has cursors of its own, and so has one of a fragment."""
    context = get_script_run_ctx()
    cursors, viewer = getattr(context, _VIEWER, (None, None))
    return viewer if context is not None and cursors is context.cursors else None


def _identify() -> tuple[App, Viewer]:
    app = shared_app()
    viewer = app.people.signing_in.identify(token(), now())
    if viewer is None:
        leave()
    # After a reconnect the cookie may belong to somebody else, while the browser tab still
    # holds the earlier person's state: that state must never be seen by the new one.
    if st.session_state.setdefault(_PINNED_USER, viewer.user_id) != viewer.user_id:
        st.session_state.clear()
        st.rerun()
    open_pages.note(viewer.user_id)
    return app, replace(viewer, address=_address())


def require(*permissions: Permission) -> None:
    """Say so and end the page unless the viewer holds at least one of *permissions*."""
    _, viewer = current()
    if not any(viewer.may(permission) for permission in permissions):
        refuse("this page")
        st.stop()


def require_administrator() -> None:
    """Say so and end the page unless the viewer is an administrator."""
    _, viewer = current()
    if not viewer.is_administrator:
        refuse("this page")
        st.stop()


def refuse(title: str) -> None:
    """Say that the viewer may not see *title*, and whom to ask."""
    app, viewer = current()
    who = " or ".join(
        f"{formats.plain(helper.name)} ({formats.plain(helper.email)})"
        for helper in app.people.explaining.helpers(viewer)
    )
    st.error(
        f"**You do not have access to {title}.**  \nAsk {who or 'an administrator'} for it.", icon=":material/lock:"
    )


def sign_out() -> NoReturn:
    """End the session for good, then leave for the login page."""
    shared_app().people.signing_in.sign_out(token(), now(), _address())
    leave()


def _address() -> str:
    return tidy_address(st.context.ip_address or "")


def leave() -> NoReturn:
    """Replace the page by the login page, so that Back does not return to it."""
    st.html("<script>location.replace('/login')</script>", unsafe_allow_javascript=True)
    st.stop()


def token() -> str:
    """Return the token of this browser's session."""
    return st.context.cookies.get(session_cookie(secure=shared_app().settings.is_secure)) or ""
