"""What came by a gateway for nobody, or cannot be read, in the gateway's panel."""

import streamlit as st

from core.domain.messages.strays import Stray
from core.domain.words.counting import agree
from core.services.sending.receiving import GIVE_UP
from core.services.sending.stray_reports import COUNTED, KEPT_FOR, SHOWN
from pages._ui import formats, session, widgets

KEY = "gateways_strays"


def show(gateway: str) -> None:
    """Draw it, the newest first."""
    app, viewer = session.current()
    found = app.sending.strays.list_newest(viewer, gateway)
    waiting_count = app.sending.strays.count_waiting(viewer, gateway)
    with widgets.card(
        "Not matched",
        key=f"{KEY}_card",
        help="What the provider reported that belongs to no message, or that cannot be read. Many of one kind mean "
        "that something does not fit: the form of the IDs, another system that uses the same contract, or a format "
        "that is the provider's own.",
    ):
        if waiting_count:
            _say_waiting(waiting_count)
        elif not found:
            st.caption(
                f"Nothing in the last {KEPT_FOR.days} days. A receipt for which there is no message is shown "
                f"{_days()} after it came: until then its message may still come."
            )
        if not found:
            return
        st.caption(f"The newest {SHOWN} at most are shown. They are kept for {KEPT_FOR.days} days.")
        for stray in found:
            _draw(stray, viewer.time_zone)


def _say_waiting(count: int) -> None:
    more = "or more " if count >= COUNTED else ""
    receipts = f"{formats.number(count)} {more}{agree(count, 'receipt waits', 'receipts wait')}"
    st.caption(f"{receipts} for a message. Those that have found none after {_days()} are shown here.")


def _days() -> str:
    return formats.count(GIVE_UP.days, "day", "days")


def _draw(stray: Stray, time_zone: str) -> None:
    parties = " \N{RIGHTWARDS ARROW} ".join(each for each in (stray.sender, stray.receiver) if each)
    when = formats.moment(stray.came_at, time_zone)
    st.markdown(f"**{stray.reason.value}** – {when}  \n:small[:gray[{formats.plain(parties)}]]")
    st.code(stray.content or "(nothing)", language=None, wrap_lines=True)
