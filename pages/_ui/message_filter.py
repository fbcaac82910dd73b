"""Filter By on Message History: the guide's eight fields, kept in the page's address."""

import streamlit as st

from core.domain.messages import DeliveryStatus
from core.domain.numbering import list_countries
from pages._ui import formats, widgets

KEY = "message_history"
PANEL = f"{KEY}_filter"

# Field of `MessageQuery` -> the guide's word and what to type.
TEXTS = {
    "receiver": ("Receiver", "A phone number, or a part of one"),
    "sender": ("Sender", "A name or number, or a part of one"),
    "message_id": ("Message ID", "The whole identifier"),
    "network": ("Network", "A name, or a part of one"),
    "mccmnc": ("MCCMNC", "Country code, or country and network code"),
    "error_code": ("Error Code", "The whole code"),
}
LABELS = {name: label for name, (label, _) in TEXTS.items()} | {
    "country": "Country",
    "delivery_status": "Delivery Status",
}


def active() -> dict[str, str]:
    """Return the filters in the page's address, by field of `MessageQuery`."""
    return {name: st.query_params[name] for name in LABELS if st.query_params.get(name)}


def button() -> None:
    """Draw the button that opens the panel, and the panel while it is open."""
    if st.button("Filter By", icon=":material/filter_list:", type="primary", key=f"{KEY}_filter_by"):
        widgets.open_panel(PANEL)
    if widgets.is_open(PANEL):
        _panel()


def chips() -> None:
    """Draw the active filters; a click takes one away."""
    filters = active()
    if not filters:
        return
    with st.container(horizontal=True, key=f"{KEY}_chips"):
        for name, value in filters.items():
            shown = _countries().get(value, value) if name == "country" else value
            label = f"{LABELS[name]}: {formats.plain(shown)}"
            if st.button(label, icon=":material/close:", key=f"{KEY}_chip_{name}", help="Remove this filter"):
                _apply(filters | {name: ""})


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
        _apply({name: value.strip() for name, value in chosen.items()})
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
    for name in LABELS:
        if filters.get(name):
            st.query_params[name] = filters[name]
        else:
            st.query_params.pop(name, None)
    st.session_state[f"{KEY}_page"] = 1
    st.rerun()
