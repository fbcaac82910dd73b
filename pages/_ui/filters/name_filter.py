"""Filter By on Statistics: conditions on names, kept in the page's address; Message History understands them too."""

from collections.abc import Iterable, Sequence

import streamlit as st

from core.domain.reports.statistics import NAMED, GroupBy, NameFilter, Operator
from pages._ui import address, formats, widgets

PARAMETER = "where"
_SEPARATOR = "|"
# Beside its operator, a phone has room for twelve letters.
HINTS = {
    GroupBy.ACCOUNT: "Name",
    GroupBy.COUNTRY: "Name",
    GroupBy.NETWORK: "Name",
    GroupBy.NETWORK_CODE: "e.g. 26201",
}


def encode(condition: NameFilter) -> str:
    """Return the condition as the address holds it."""
    return _SEPARATOR.join((condition.field, condition.operator, condition.term))


def active() -> tuple[NameFilter, ...]:
    """Return the conditions in the page's address; what is none is passed over."""
    return tuple(found for text in address.get_all(PARAMETER) if (found := _decode(text)))


def _decode(text: str) -> NameFilter | None:
    field, _, rest = text.partition(_SEPARATOR)
    operator, separator, term = rest.partition(_SEPARATOR)
    if field not in set(NAMED) or operator not in set(Operator) or not separator:
        return None
    return NameFilter(GroupBy(field), Operator(operator), term)


def button(key: str) -> None:
    """Draw the button that opens the panel, and the panel while it is open."""
    if st.button("Filter By", icon=":material/filter_list:", type="primary", key=f"{key}_filter_by"):
        widgets.open_panel(f"{key}_filter", key)
    if widgets.is_open(f"{key}_filter"):
        _panel(key)


def chips(key: str) -> None:
    """Draw the active conditions; a click takes one away."""
    found = active()
    if not found:
        return
    with st.container(horizontal=True, key=f"{key}_name_chips"):
        for number, condition in enumerate(found):
            if st.button(_words(condition), icon=":material/close:", key=f"{key}_name_chip_{number}"):
                _apply(key, [other for other in found if other != condition])


def _words(condition: NameFilter) -> str:
    term = formats.plain(condition.term) or "Unknown"
    return f"{condition.field} – {condition.operator.lower()}: {term}"


@st.dialog("Filter By", position="right", icon=":material/filter_list:", on_dismiss=widgets.close_panel)
def _panel(key: str) -> None:
    known = {condition.field: condition for condition in active()}
    with st.form(f"{key}_filter_form", border=False):
        chosen = [_field(key, field, known.get(field)) for field in NAMED]
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancel = st.form_submit_button("Cancel", key=f"{key}_filter_cancel")
            search = st.form_submit_button("Search", type="primary", key=f"{key}_filter_search")
    if search:
        widgets.close_panel()
        _apply(key, [condition for condition in chosen if condition])
    if cancel:
        widgets.close_panel()
        st.rerun()


def _field(key: str, field: GroupBy, known: NameFilter | None) -> NameFilter | None:
    """Draw a condition's operator and term; return it when there is a term."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        operators = list(Operator)
        operator = st.selectbox(
            field,
            operators,
            operators.index(known.operator) if known else operators.index(Operator.CONTAINS),
            key=f"{key}_operator_{field}",
            width=170,
        )
        term = st.text_input(
            f"{field} term",
            known.term if known else "",
            placeholder=HINTS[field],
            label_visibility="collapsed",
            key=f"{key}_term_{field}",
        )
    return NameFilter(field, operator, term.strip()) if term.strip() else None


def _apply(key: str, conditions: Sequence[NameFilter]) -> None:
    keep(conditions)
    st.session_state[f"{key}_page"] = 1
    st.rerun()


def keep(conditions: Iterable[NameFilter]) -> None:
    """Put the conditions into the page's address."""
    encoded = [encode(condition) for condition in conditions]
    if encoded:
        address.put(PARAMETER, encoded)
    else:
        address.drop(PARAMETER)
