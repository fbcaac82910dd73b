"""The two panels of Create Campaign: choosing the recipients, and mapping placeholders to columns."""

from collections.abc import Mapping

import streamlit as st

from core.domain.campaigns import PLACEHOLDERS_MAX
from core.domain.lists import DistributionList
from core.domain.placeholders import check_placeholder_name
from core.errors import InvalidInput
from pages._ui import formats, session, tables, widgets
from pages._ui.campaign_form import KEY, Form

SIZES = (10, 25, 50)
LIST_PANEL = f"{KEY}_list"
PLACEHOLDER_PANEL = f"{KEY}_placeholders"


def show_open(form: Form) -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(LIST_PANEL):
        _list_panel(form)
    elif widgets.is_open(PLACEHOLDER_PANEL):
        _placeholder_panel(form)


@st.dialog("Select Distribution List", position="right", icon=":material/contacts:", on_dismiss=widgets.close_panel)
def _list_panel(form: Form) -> None:
    app, viewer = session.current()
    tables.search(LIST_PANEL, "Search by name", linked=False)
    request = tables.request(LIST_PANEL, SIZES)
    with widgets.show_errors():
        page = app.importing.page_ready(viewer, form.account_id, request)
        found = {item.list_id: item for item in page.items}
        if not page.total:
            st.info("No list is ready." if not request.search else "Nothing found.", icon=":material/contacts:")
        chosen = found.get(_pick(found, form, f"{LIST_PANEL}_choice_{request.page}"))
        tables.pager(LIST_PANEL, page.total, SIZES, linked=False)
        total = formats.number(chosen.entry_count if chosen else 0)
        st.markdown(f"Recipients: **{total}**")
        if _save_or_cancel(LIST_PANEL, disabled=chosen is None) and chosen:
            lost = form.choose(chosen)
            if lost:
                names = ", ".join(f"{{{name}}}" for name in lost)
                widgets.flash(f"{chosen.name} has no column for {names}.", icon=":material/warning:")
            st.rerun()


def _pick(found: Mapping[str, DistributionList], form: Form, key: str) -> str:
    held = form.chosen.list_id if form.chosen else ""
    picked = st.radio(
        "Distribution lists",
        list(found),
        index=list(found).index(held) if held in found else None,
        format_func=lambda list_id: formats.plain(found[list_id].name),
        captions=[formats.count(item.entry_count, "recipient", "recipients") for item in found.values()],
        label_visibility="collapsed",
        key=key,
    )
    return picked or ""


@st.dialog("Placeholders", position="right", icon=":material/data_object:", on_dismiss=widgets.close_panel)
def _placeholder_panel(form: Form) -> None:
    mapping: dict[str, str] = st.session_state.setdefault(f"{PLACEHOLDER_PANEL}_draft", dict(form.placeholders))
    columns = form.chosen.columns if form.chosen else ()
    with widgets.show_errors():
        if len(mapping) < PLACEHOLDERS_MAX:
            _define(mapping, columns)
        else:
            st.caption(f"A message has at most {PLACEHOLDERS_MAX} placeholders.")
    for name in list(mapping):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            mapping[name] = st.selectbox(
                f"{{{formats.plain(name)}}} is filled from",
                columns,
                columns.index(mapping[name]) if mapping[name] in columns else 0,
                key=f"{PLACEHOLDER_PANEL}_column_{name}",
            )
            # In words: an icon alone has no name for a screen reader.
            if st.button("Remove", key=f"{PLACEHOLDER_PANEL}_remove_{name}"):
                del mapping[name]
                st.rerun()
    if _save_or_cancel(PLACEHOLDER_PANEL):
        form.placeholders = dict(mapping)
        st.session_state.pop(f"{PLACEHOLDER_PANEL}_draft", None)
        st.rerun()


def _define(mapping: dict[str, str], columns: tuple[str, ...]) -> None:
    with (
        st.form(f"{PLACEHOLDER_PANEL}_form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Define Placeholders", placeholder="FirstName", key=f"{PLACEHOLDER_PANEL}_name").strip()
        added = st.form_submit_button("Add", key=f"{PLACEHOLDER_PANEL}_add")
    if added:
        check_placeholder_name(name)
        if name in mapping:
            raise InvalidInput(f"{{{name}}} is there already.", hint="Take another name.", field="placeholders")
        same = [column for column in columns if column.lower() == name.lower()]
        mapping[name] = (same or list(columns))[0]
        st.rerun()


def _save_or_cancel(panel: str, *, disabled: bool = False) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        cancel = st.button("Cancel", key=f"{panel}_cancel")
        save = st.button("Save", type="primary", key=f"{panel}_save", disabled=disabled)
    if save or cancel:
        widgets.close_panel()
    if cancel:
        st.session_state.pop(f"{panel}_draft", None)
        st.rerun()
    return save
