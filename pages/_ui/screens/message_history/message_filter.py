"""Filter By on Message History: the guide's eight fields and a campaign, kept in the page's address."""

from collections.abc import Sequence

import streamlit as st

from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.messages import DeliveryStatus
from core.domain.numbering import list_countries
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.services.reports.reporting import MessagePage
from pages._ui import address, formats, session, tables, widgets
from pages._ui.filters import drilling, name_filter

KEY = "message_history"
PANEL = f"{KEY}_filter"
# What was counted last: the query, and its total.
COUNTED = f"{KEY}_counted"

# Field of `MessageQuery` -> the guide's word and what to type.
TEXTS = {
    "receiver": ("Receiver", "A phone number, or a part of one"),
    "sender": ("Sender", "A name or number, or a part of one"),
    "message_id": ("Message ID", "The whole ID"),
    "gateway_message_id": ("Gateway Message ID", "The provider's whole ID"),
    "network": ("Network", "A name, or a part of one"),
    "mccmnc": ("MCCMNC", "Country code, or country and network code"),
    "error_code": ("Error Code", "The whole code"),
}
LABELS = {name: label for name, (label, _) in TEXTS.items()} | {
    "country": "Country",
    "delivery_status": "Delivery Status",
}
CAMPAIGN = "campaign_id"
# Field -> its name in the address.
PARAMETERS = {name: name for name in LABELS} | {CAMPAIGN: "campaign"}


def active() -> dict[str, str]:
    """Return the filters in the page's address, by field of `MessageQuery`."""
    asked = {name: address.get(parameter) for name, parameter in PARAMETERS.items()}
    return {name: value for name, value in asked.items() if value}


def query(viewer: Viewer, period: Period) -> MessageQuery:
    """Return what the page's address asks for in *period*."""
    names, price = name_filter.active(), drilling.find_price()
    return MessageQuery(viewer.account_ids, period, names=names, price_eur_cents=price, **active())


def find_campaign() -> Campaign | None:
    """
    Return the campaign the page is narrowed to, None when there is none or the viewer may not see campaigns.

    Raises: NotFound: no such campaign, whatever the viewer may see of one.
    """
    app, viewer = session.current()
    asked = active().get(CAMPAIGN)
    if not asked:
        return None
    if viewer.may(Permission.CAMPAIGN) or viewer.may(Permission.QUICK_SEND):
        return app.campaigns.composing.get(viewer, asked)
    app.reports.reporting.require_campaign(viewer, asked)
    return None


def pager(query: MessageQuery, found: MessagePage, sizes: Sequence[int]) -> None:
    """Draw the page navigator; where only a look at all messages can tell how many there are, a button counts them."""
    known: tuple[MessageQuery, int] | None = st.session_state.get(COUNTED)
    total = known[1] if found.total is None and known and known[0] == query else found.total
    tables.pager(KEY, total, sizes, has_more=found.has_more)
    if total is None and st.button(
        "Count all matches",
        icon=":material/calculate:",
        type="tertiary",
        help="To count them, every message of this period has to be checked. That may take a few seconds.",
        key=f"{KEY}_count",
    ):
        app, viewer = session.current()
        st.session_state[COUNTED] = (query, app.reports.reporting.count_messages(viewer, query))
        st.rerun()


def button() -> None:
    """Draw the button that opens the panel, and the panel while it is open."""
    if st.button("Filter By", icon=":material/filter_list:", type="primary", key=f"{KEY}_filter_by"):
        widgets.open_panel(PANEL)
    if widgets.is_open(PANEL):
        _panel()


def chips(campaign: Campaign | None) -> None:
    """Draw the active filters, among them *campaign*; a click takes one away. Say which accounts are left out, too."""
    _say_what_is_closed()
    name_filter.chips(KEY)
    price = drilling.find_price()
    if price is not None and st.button(
        f"Price: {formats.cents(price)}", icon=":material/close:", key=f"{KEY}_chip_price"
    ):
        address.drop(drilling.PRICE)
        st.rerun()
    filters = active()
    if not filters:
        return
    with st.container(horizontal=True, key=f"{KEY}_chips"):
        for name, value in filters.items():
            if st.button(_label(name, value, campaign), icon=":material/close:", key=f"{KEY}_chip_{name}"):
                _apply(filters | {name: ""})


def _label(name: str, value: str, campaign: Campaign | None) -> str:
    if name == CAMPAIGN:
        return f"Campaign: {formats.plain(campaign.name)}" if campaign else "One campaign"
    shown = _countries().get(value, value) if name == "country" else value
    return f"{LABELS[name]}: {formats.plain(shown)}"


@st.dialog("Filter By", position="right", icon=":material/filter_list:", on_dismiss=widgets.close_panel)
def _panel() -> None:
    now = active()
    with st.form(f"{KEY}_filter_form", border=False):
        chosen = {
            name: st.text_input(label, now.get(name, ""), placeholder=hint, key=f"{KEY}_filter_{name}")
            for name, (label, hint) in TEXTS.items()
        }
        chosen["country"] = _choice("country", _countries(), now)
        chosen["delivery_status"] = _choice("delivery_status", {word: word for word in DeliveryStatus}, now)
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancel = st.form_submit_button("Cancel", key=f"{KEY}_filter_cancel")
            search = st.form_submit_button("Search", type="primary", key=f"{KEY}_filter_search")
    if search:
        widgets.close_panel()
        _apply(chosen | {CAMPAIGN: now.get(CAMPAIGN, "")})
    if cancel:
        widgets.close_panel()
        st.rerun()


def _choice(name: str, words: dict[str, str], now: dict[str, str]) -> str:
    options = ["", *words]
    index = options.index(now[name]) if now.get(name) in words else 0
    return st.selectbox(
        LABELS[name],
        options,
        index,
        format_func=lambda value: words.get(value, "Any"),
        key=f"{KEY}_filter_{name}",
    )


@st.cache_data
def _countries() -> dict[str, str]:
    return dict(sorted(list_countries().items(), key=lambda item: item[1]))


def _apply(filters: dict[str, str]) -> None:
    for name, parameter in PARAMETERS.items():
        if value := filters.get(name, "").strip():
            address.put(parameter, value)
        else:
            address.drop(parameter)
    st.session_state[f"{KEY}_page"] = 1
    st.rerun()


def _say_what_is_closed() -> None:
    """Name the viewer's inactive accounts, whose messages are not among those shown."""
    app, viewer = session.current()
    if not viewer.inactive_ids:
        return
    mine = app.accounts.managing.list_accounts(viewer)
    names = [item.display_name for item in mine if item.account_id in viewer.inactive_ids]
    st.caption(
        f":material/lock: Not shown: messages of {formats.plain(', '.join(names))}. "
        f"{'The account is' if len(names) == 1 else 'These accounts are'} inactive."
    )
