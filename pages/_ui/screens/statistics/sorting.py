"""Sort By: the order of all groups, not only of those on the page, kept in the page's address."""

from collections.abc import Sequence

import streamlit as st

from core.domain.reports.statistics import GroupBy, Measure, Sorting
from pages._ui import address

PARAMETER = "sort"
_DESCENDING = "-"
_LABELS: dict[Measure | GroupBy | None, str] = {
    None: "The groups, in order",
    Measure.SENT: "Sent",
    Measure.DELIVERED: "Delivered",
    Measure.UNDELIVERED: "Undelivered",
    Measure.TRANSMITTED: "Transmitted",
    Measure.DELIVERY_RATE: "Delivery Rate",
    Measure.COST: "Cost",
}


def choose(key: str, groups: Sequence[GroupBy]) -> Sorting:
    """Draw the menu and return the order that is asked for."""
    options: list[Measure | GroupBy | None] = [None, *groups, *Measure]
    now = _asked(options)
    label = _LABELS.get(now.by, str(now.by)) if now.by else ""
    arrow = "↓" if now.descending else "↑"
    with st.popover(f"Sort By: **{label}** {arrow}" if label else "Sort By", icon=":material/sort:", key=f"{key}_sort"):
        st.radio(
            "Sort By",
            options,
            options.index(now.by),
            format_func=lambda option: _LABELS.get(option, str(option)),
            key=f"{key}_sort_by",
            on_change=_keep,
            args=(key,),
        )
        st.toggle("Largest first", now.descending, key=f"{key}_sort_descending", on_change=_keep, args=(key,))
    return now


def _asked(options: Sequence[Measure | GroupBy | None]) -> Sorting:
    text = address.get(PARAMETER)
    wanted = text.removeprefix(_DESCENDING)
    by = next((option for option in options if option is not None and option.value == wanted), None)
    return Sorting(by, text.startswith(_DESCENDING))


def _keep(key: str) -> None:
    by = st.session_state[f"{key}_sort_by"]
    text = (_DESCENDING if st.session_state[f"{key}_sort_descending"] else "") + (by.value if by else "")
    if text:
        address.put(PARAMETER, text)
    else:
        address.drop(PARAMETER)
    st.session_state[f"{key}_page"] = 1
