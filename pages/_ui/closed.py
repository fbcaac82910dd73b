"""Why sending is closed to somebody, what is missing, and whom to ask."""

import streamlit as st

from core.services.explaining import ClosedSending
from pages._ui import formats, session, widgets


def stop_if_closed() -> None:
    """Explain in place of the form and end the page, unless the viewer has an account to send from."""
    app, viewer = session.current()
    if found := app.explaining.closed_sending(viewer):
        with widgets.empty_state(
            ":material/lock:", "Sending is closed", "Sending needs an active traffic account of type Campaign."
        ):
            st.markdown(_words(found), text_alignment="center")
            st.stop()


def warn_if_closed() -> None:
    """Say it above a page that shows something without such an account, too."""
    app, viewer = session.current()
    if found := app.explaining.closed_sending(viewer):
        st.info(
            f"**Sending is closed.** It needs an active traffic account of type Campaign.  \n{_words(found)}",
            icon=":material/lock:",
        )


def _words(found: ClosedSending) -> str:
    reasons = [f"**{formats.plain(account.display_name)}** is {why}." for account, why in found.reasons]
    who = [f"{formats.plain(helper.name)} ({formats.plain(helper.email)})" for helper in found.helpers]
    asks = (
        f"Ask {' or '.join(who)} to add you to one." if who else "Nobody else can help: open Users or Traffic Accounts."
    )
    return "  \n".join([*(reasons or ["You belong to no traffic account."]), asks])
