"""The panel of Create Campaign that maps placeholders to columns."""

from collections.abc import Mapping

import streamlit as st

from core.domain.imports.lists import is_phone_column
from core.domain.texts.placeholders import check_placeholder_name, find_column
from core.domain.words.characters import compose
from core.errors import InvalidInput
from core.services.campaigns.composing import FALLBACK_MAX
from pages._ui import formats, session, widgets
from pages._ui.components import enter_key
from pages._ui.screens.create_campaign.campaign_form import KEY, Form

PANEL = f"{KEY}_placeholders"
_NAME, _ADD, _FAULT = f"{PANEL}_name", f"{PANEL}_add", f"{PANEL}_fault"


def open_panel() -> None:
    """Open the panel, with the placeholders as they stand in the form."""
    for name in (f"{PANEL}_draft", _NAME, _FAULT):
        st.session_state.pop(name, None)
    widgets.open_panel(PANEL)


@st.dialog("Placeholders", position="right", icon=":material/data_object:", on_dismiss=widgets.close_panel)
def show(form: Form) -> None:
    """Draw the panel."""
    app, _ = session.current()
    is_new = f"{PANEL}_draft" not in st.session_state
    mapping: dict[str, str] = st.session_state.setdefault(f"{PANEL}_draft", dict(form.placeholders))
    if is_new:
        _begin(form, mapping)
    if len(mapping) < app.campaigns.composing.placeholders_max:
        _define(mapping, form.columns)
    else:
        most = formats.count(app.campaigns.composing.placeholders_max, "placeholder", "placeholders")
        st.caption(f"A message can have at most {most}.")
    fallbacks = {name: _map(form, mapping, name) for name in list(mapping)}
    with widgets.show_errors():
        if widgets.save_or_cancel(PANEL):
            _check(mapping)
            form.placeholders = dict(mapping)
            form.fallbacks = {name: text for name, text in fallbacks.items() if text.strip()}
            widgets.close_panel()
            st.session_state.pop(f"{PANEL}_draft", None)
            st.rerun()


def _begin(form: Form, mapping: Mapping[str, str]) -> None:
    """Let the fields show the form's: closed without Save, nothing of what the panel held is kept."""
    for name, column in mapping.items():
        if column in form.columns:
            st.session_state[f"{PANEL}_column_{name}"] = column
        st.session_state[f"{PANEL}_fallback_{name}"] = form.fallbacks.get(name, "")


def _map(form: Form, mapping: dict[str, str], name: str) -> str:
    """Draw which column fills the placeholder, and return what stands in where that is empty."""
    columns = form.columns
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Nothing is chosen for anybody: the first column may be that of the numbers.
        column = st.selectbox(
            f"{{{formats.plain(name)}}} is filled from",
            columns,
            columns.index(mapping[name]) if mapping[name] in columns else None,
            placeholder="Choose a column",
            key=f"{PANEL}_column_{name}",
        )
        mapping[name] = column or ""
        # In words: an icon alone has no name for a screen reader.
        if st.button("Remove", key=f"{PANEL}_remove_{name}"):
            del mapping[name]
            st.rerun()
    return st.text_input(
        f"If {formats.plain(mapping[name] or 'it')} is empty",
        form.fallbacks.get(name, ""),
        max_chars=FALLBACK_MAX,
        placeholder="nothing",
        help="Used for recipients whose cell is empty, for example: customer",
        key=f"{PANEL}_fallback_{name}",
    )


def _define(mapping: dict[str, str], columns: tuple[str, ...]) -> None:
    """Draw the field for another placeholder; what is refused stays in it, with why."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Define Placeholders", placeholder="FirstName, then Enter", key=_NAME)
        st.button("Add", key=_ADD, on_click=_add, args=(mapping, columns))
    enter_key.presses(_ADD, field=_NAME)
    with widgets.show_errors():
        # It stays for as long as the name does: another run may follow before anybody has read it.
        refused, fault = st.session_state.get(_FAULT, ("", None))
        if fault is not None and refused == _typed():
            raise fault


def _add(mapping: dict[str, str], columns: tuple[str, ...]) -> None:
    name = _typed()
    try:
        _check_new(name, mapping)
    except InvalidInput as error:
        st.session_state[_FAULT] = (name, error)
        return
    mapping[name] = find_column(name, [column for column in columns if not is_phone_column(column)]) or ""
    st.session_state[_NAME] = ""


def _typed() -> str:
    return compose(st.session_state.get(_NAME, "").strip())


def _check_new(name: str, mapping: Mapping[str, str]) -> None:
    check_placeholder_name(name)
    if name in mapping:
        raise InvalidInput(f"{{{name}}} is already there.", hint="Choose another name.", field="placeholders")


def _check(mapping: Mapping[str, str]) -> None:
    """Raise InvalidInput unless each placeholder has its column and none is typed that was not added."""
    if typed := _typed():
        raise InvalidInput(
            f"{{{typed}}} has not been added yet.", hint="Press Add, or clear the field.", field="placeholders"
        )
    for name, column in mapping.items():
        if not column:
            raise InvalidInput(
                f"No column is chosen for {{{name}}}.",
                hint="Choose one, or remove the placeholder.",
                field="placeholders",
            )
