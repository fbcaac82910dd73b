"""What a person is filling in on Quick Send, and what it comes to."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import uuid4

import streamlit as st

from core.bootstrap import App
from core.domain.accounts.accounts import Account, label_accounts
from core.domain.people.permissions import Viewer
from core.domain.texts.segments import measure
from core.domain.texts.simplifying import simplify
from core.services.campaigns.quick_sending import Estimate, QuickMessage
from pages._ui import formats, session, widgets
from pages._ui.components import chips, composer
from pages._ui.panels import sender_field

KEY = "quick_send"
CHIPS, COMPOSER = f"{KEY}_numbers", f"{KEY}_composer"
_TOKEN, _TOTALS = f"{KEY}_token", f"{KEY}_totals"


def reset() -> None:
    """Empty the form, so that the next message is another one."""
    chips.replace(CHIPS, ())
    composer.replace(COMPOSER, "")
    for name in (_TOKEN, f"{KEY}_sender", f"{KEY}_simplifies"):
        st.session_state.pop(name, None)


def fill_in(accounts: Sequence[Account]) -> QuickMessage:
    """Draw the form and return what is in it."""
    app, viewer = session.current()
    _begin(app, viewer)
    account, sender_id = _fill_in_sender(accounts)
    numbers = chips.chips(key=CHIPS, most=app.campaigns.quick_sending.most)
    simplifies = bool(st.session_state.get(f"{KEY}_simplifies"))
    shown = composer.Preview(sender_id=sender_id, name="Quick Send", simplifies=simplifies)
    text = composer.composer(key=COMPOSER, value="", preview=shown).text
    st.toggle(
        "Replace typographic characters",
        key=f"{KEY}_simplifies",
        help="Curly quotes, dashes and similar characters turn the message into Unicode, where an SMS holds 70 "
        "characters instead of 160. Replacing them keeps it GSM-7.",
    )
    token = st.session_state.setdefault(_TOKEN, str(uuid4()))
    return QuickMessage(token, account.account_id, sender_id, numbers, text, simplifies)


def _fill_in_sender(accounts: Sequence[Account]) -> tuple[Account, str]:
    """Draw who sends, side by side: so the whole phone stands above the buttons."""
    account = accounts[0]
    places = st.columns(2) if len(accounts) > 1 else [st.container()]
    if len(accounts) > 1:
        names = label_accounts(accounts)
        account = places[0].selectbox(
            "Account", accounts, format_func=lambda item: names[item.account_id], key=f"{KEY}_account"
        )
    with places[-1]:
        sender_id = st.text_input("Sender", max_chars=17, key=f"{KEY}_sender", help=sender_field.HELP).strip()
        sender_field.judge(sender_id)
    return account, sender_id


def _begin(app: App, viewer: Viewer) -> None:
    """Put into an empty form what the person's messages begin with."""
    if f"{KEY}_sender" not in st.session_state:
        sms = app.people.own_account.get(viewer).sms
        st.session_state[f"{KEY}_sender"], st.session_state[f"{KEY}_simplifies"] = sms.sender_id, sms.simplifies


def show_counts(order: QuickMessage) -> Estimate | None:
    """Draw how many recipients there are, how many SMS that makes and what it costs; return that once it is known."""
    app, viewer = session.current()
    segments = measure(simplify(order.message) if order.simplifies else order.message).segment_count
    facts = {"Recipients": formats.number(len(order.numbers))}
    facts["Messages in total"] = formats.number(len(order.numbers) * segments)
    place, estimate = st.empty(), None
    with widgets.show_errors():
        estimate = app.campaigns.quick_sending.find_estimate(viewer, order, session.now())
    if estimate is not None:
        facts["Price"] = formats.euros(estimate.cost_eur_cents)
        left = estimate.budget_left_eur_cents
        if left is not None:
            facts["Left of the budget this month"] = formats.euros(max(left, Decimal(0)))
    place.markdown(" · ".join(f"{name}: **{value}**" for name, value in facts.items()))
    return estimate


def _warn_of_budget(estimate: Estimate) -> None:
    left = estimate.budget_left_eur_cents
    if left is None or not estimate.is_beyond_budget:
        return
    missing = formats.euros(estimate.cost_eur_cents - left)
    st.error(
        f"**The account's budget is not enough**: {missing} more is needed this month. What campaigns under way have "
        "still to send counts. Send to fewer numbers, or ask an administrator to raise the budget on Traffic Accounts.",
        icon=":material/savings:",
    )


def question(estimate: Estimate) -> str:
    """Return what sending comes to, as a question."""
    people = formats.count(estimate.recipient_count, "recipient", "recipients")
    each = estimate.measure.segment_count
    length = "one segment each" if each == 1 else f"{each} segments each"
    text = f"{people}, {length}, for {formats.euros(estimate.cost_eur_cents)}. They are sent immediately."
    left = estimate.budget_left_eur_cents
    if left is not None:
        text += f" {formats.euros(left - estimate.cost_eur_cents)} of the account's budget is left then this month."
    for reason, count in estimate.excluded.items():
        text += f" {formats.count(count, 'number', 'numbers')} left out: {reason}."
    return text


def buttons(order: QuickMessage, known: Estimate | None) -> None:
    """Draw Reset form and Send, and above them whether the budget suffices for what is *known*; ask before sending."""
    app, viewer = session.current()
    # Above the bar: whoever clicks looks there, and the form may be long.
    trouble = st.bottom.container()
    with (
        st.bottom,
        st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key=f"{KEY}_finish"),
    ):
        st.button("Reset form", icon=":material/restart_alt:", key=f"{KEY}_reset", on_click=reset)
        asks = st.button("Send", icon=":material/send:", type="primary", key=f"{KEY}_send")
    with trouble, widgets.show_errors():
        # Its refusal says the same.
        if known is not None and not asks:
            _warn_of_budget(known)
        if asks:
            estimate = app.campaigns.quick_sending.estimate(viewer, order, session.now())
            widgets.ask(f"{KEY}_sure", order.token, title="Send now?", text=question(estimate))
        if widgets.answered(f"{KEY}_sure"):
            sent = app.campaigns.quick_sending.send(viewer, order, session.now())
            reset()
            widgets.go("campaign", id=sent.campaign_id)
