"""Send a test to me: one message by the gateway, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import streamlit as st

from core.domain.accounts.accounts import label_accounts
from core.services.campaigns.quick_sending import QuickMessage
from core.services.reports.following_tests import Fate, Step
from pages._ui import formats, session, widgets
from pages._ui.panels import sender_field

KEY = "gateways"
REFRESH_S = 1
_NUMBER, _SENDER, _TOKEN, _SENT = f"{KEY}_test_number", f"{KEY}_test_sender", f"{KEY}_test_token", f"{KEY}_test_sent"
# What the person typed last: the fields are gone while the panel is closed.
_LAST = f"{KEY}_test_last"


@dataclass
class _Sent:
    """A test on its way by the gateway called *name*; its *fate* once that is final."""

    name: str
    campaign_id: str
    fate: Fate | None = None


def show(name: str) -> None:
    """Draw the form, and below it what has become of the last test."""
    with st.expander("Send a test to me", icon=":material/sms:", key=f"{KEY}_test", expanded=_is_under_way(name)):
        with widgets.show_errors():
            _form(name)
        with widgets.place():
            if _is_under_way(name):
                _follow()


def _is_under_way(name: str) -> bool:
    sent: _Sent | None = st.session_state.get(_SENT)
    return sent is not None and sent.name == name


def _form(name: str) -> None:
    app, viewer = session.current()
    accounts = app.accounts.managing.list_sending(viewer)
    if not accounts:
        st.caption("A test is sent and paid for by an account of type Campaign. You are in none that is active.")
        return
    number_before, sender_before = st.session_state.get(_LAST, ("", app.people.own_account.get(viewer).sms.sender_id))
    with st.form(f"{KEY}_test_form", border=False):
        with st.grid(3, min_column_width=180):
            number = st.text_input("Number", number_before, max_chars=40, key=_NUMBER, placeholder="+15417543010")
            names = label_accounts(accounts)
            account = st.selectbox(
                "Account",
                accounts,
                format_func=lambda item: names[item.account_id],
                key=f"{KEY}_test_account",
                help="It pays for the test, and its speed limit holds. The message goes by this gateway, whichever "
                "the account has.",
            )
            sender = st.text_input("Sender", sender_before, max_chars=17, key=_SENDER, help=sender_field.HELP)
        wrong = st.container()
        sends = st.form_submit_button("Send test", icon=":material/send:", key=f"{KEY}_test_send")
    if sends:
        with wrong, widgets.show_errors():
            st.session_state[_LAST] = (number, sender)
            text = f"Test of the gateway {name}, sent by {viewer.name}."
            # A double click sends it once.
            token = st.session_state.setdefault(_TOKEN, str(uuid4()))
            order = QuickMessage(token, account.account_id, sender, (number,), text, simplifies=True, gateway=name)
            made = app.campaigns.quick_sending.send_gateway_test(viewer, order, session.now())
            del st.session_state[_TOKEN]
            st.session_state[_SENT] = _Sent(name, made.campaign_id)


@st.fragment(run_every=REFRESH_S)
def _follow() -> None:
    """Draw how far the test is, until nothing more becomes of it."""
    app, viewer = session.current()
    sent: _Sent | None = st.session_state.get(_SENT)
    if sent is None:
        return
    with widgets.show_errors():
        fate = sent.fate or app.reports.following.follow(viewer, sent.campaign_id, session.now())
        sent.fate = fate if fate.is_final else None
        _say(fate)
        with st.container(horizontal=True):
            if fate.message_id:
                if st.button("Message", icon=":material/receipt_long:", key=f"{KEY}_test_message"):
                    widgets.go("message", id=fate.message_id)
            elif st.button("Its page", icon=":material/open_in_new:", key=f"{KEY}_test_campaign"):
                widgets.go("campaign", id=sent.campaign_id)


def _say(fate: Fate) -> None:
    theirs = f" The provider calls it {fate.gateway_message_id}." if fate.gateway_message_id else ""
    reason = _reason(fate)
    said: Mapping[Step, str] = {
        Step.WAITING: "It waits to be sent.",
        Step.CLAIMED: "It is being handed over.",
        Step.HELD: f"The test waits. {reason}",
        Step.ACCEPTED: f"The provider has taken it.{theirs} Nothing is known yet of whether it arrives.",
        Step.DELIVERED: f"It was delivered.{theirs}",
        Step.UNDELIVERED: f"The provider took it, and it was not delivered: {reason}.{theirs}",
        Step.REFUSED: f"The provider has refused it: {reason}.",
        Step.EXCLUDED: f"It was not sent: {reason}.",
        Step.UNKNOWN: "The provider gave no answer: it may have been sent or not. It is not sent again by itself.",
        Step.ENDED: f"It was not sent. {reason}",
    }
    text = formats.plain(said[fate.step])
    if fate.step is Step.DELIVERED:
        st.success(text, icon=":material/done_all:")
    elif fate.step in {Step.HELD, Step.UNKNOWN}:
        st.warning(text, icon=":material/warning:")
    elif fate.is_final:
        st.error(text, icon=":material/error:")
    else:
        st.info(text, icon=":material/hourglass_top:")


def _reason(fate: Fate) -> str:
    if fate.meaning is None:
        return fate.reason or "it gave no reason"
    return f"{'' if fate.meaning.is_certain else 'usually '}{fate.meaning.text} ({fate.reason})"
