"""Why something is closed to somebody or empty, what is missing, and whom to ask."""

from collections.abc import Sequence

import streamlit as st

from core.services.people.explaining import ClosedSending, Helper
from pages._ui import formats, session, widgets

_NO_ACCOUNT = "You do not belong to any traffic account."
_NOTHING = "New messages appear here within seconds. To see earlier ones, choose another period or remove filters."


def stop_if_closed() -> None:
    """Explain in place of the form and end the page, unless the viewer has an account to send from."""
    app, viewer = session.current()
    if found := app.people.explaining.closed_sending(viewer):
        with widgets.empty_state(
            ":material/lock:", "Sending is closed", "Sending needs an active traffic account of type Campaign."
        ):
            st.markdown(_words(found), text_alignment="center")
            st.stop()


def warn_if_closed() -> None:
    """Say it above a page that shows something without such an account, too."""
    app, viewer = session.current()
    if found := app.people.explaining.closed_sending(viewer):
        st.info(
            f"**Sending is closed.** It needs an active traffic account of type Campaign.  \n{_words(found)}",
            icon=":material/lock:",
        )


def no_messages(icon: str, title: str, nothing: str = _NOTHING) -> None:
    """Draw what stands in place of messages when there are none, with why (*nothing*), or why there can be none."""
    app, viewer = session.current()
    helpers = app.people.explaining.without_account(viewer)
    if helpers is None:
        with widgets.empty_state(icon, title, nothing):
            return
    with widgets.empty_state(":material/lock:", _NO_ACCOUNT, "Only the messages of your traffic accounts are shown."):
        st.markdown(_whom_to_ask(helpers), text_alignment="center")


def how_to_join() -> str:
    """Say how the viewer comes to an account of a kind that is missing."""
    _, viewer = session.current()
    if viewer.is_administrator:
        return "Create one on the Traffic Accounts page, or add yourself to one on the Users page."
    return "Ask an administrator to add you to one."


def warn_without_account(why: str) -> None:
    """Say what a page shows nothing of, and whom to ask, when the viewer belongs to no account; *why* in a sentence."""
    app, viewer = session.current()
    helpers = app.people.explaining.without_account(viewer)
    if helpers is not None:
        st.info(
            f"**{_NO_ACCOUNT}** {why}  \n{_whom_to_ask(helpers)}",
            icon=":material/lock:",
        )


def _words(found: ClosedSending) -> str:
    reasons = [f"**{formats.plain(account.display_name)}** is {why}." for account, why in found.reasons]
    return "  \n".join([*(reasons or [_NO_ACCOUNT]), _whom_to_ask(found.helpers)])


def _whom_to_ask(helpers: Sequence[Helper]) -> str:
    _, viewer = session.current()
    if viewer.is_administrator:
        return how_to_join()
    who = [f"{formats.plain(helper.name)} ({formats.plain(helper.email)})" for helper in helpers]
    return (
        f"Ask {' or '.join(who)} to add you to one."
        if who
        else "Nobody else can add you: open Users or Traffic Accounts."
    )
