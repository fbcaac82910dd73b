"""Filter By Date: the guide's nine choices, kept in the page's address."""

from datetime import date

import streamlit as st

from core.domain.periods import Period, Preset, resolve_period
from core.domain.permissions import Viewer
from core.errors import InvalidInput
from pages._ui import formats, session


def choose(key: str, viewer: Viewer, default: Preset) -> Period:
    """
    Draw the choice and return the period it means now; *key* is the page's.

    Raises: InvalidInput: a custom range without both of its days, or in the wrong order.
    """
    choices = list(Preset)
    with st.container(horizontal=True, vertical_alignment="bottom", width="content", key=f"{key}_filter_by_date"):
        preset = st.selectbox(
            "Filter By Date",
            choices,
            choices.index(default),
            key=f"{key}_period",
            bind="query-params",
            width=190,
            on_change=_to_first_page,
            args=(key,),
        )
        custom = _two_days(key, viewer) if preset is Preset.CUSTOM_RANGE else None
    return resolve_period(preset, session.now(), viewer.time_zone, custom)


def _two_days(key: str, viewer: Viewer) -> tuple[date, date]:
    today = formats.in_zone(session.now(), viewer.time_zone).date()
    first = st.date_input("From", today, format="DD/MM/YYYY", key=f"{key}_from", bind="query-params", width=150)
    last = st.date_input("To", today, format="DD/MM/YYYY", key=f"{key}_to", bind="query-params", width=150)
    if first is None or last is None:
        raise InvalidInput("The range has only one day.", hint="Choose the first and the last one.", field="period")
    return first, last


def _to_first_page(key: str) -> None:
    st.session_state[f"{key}_page"] = 1
