"""The panels of Create Campaign in which its recipients are chosen, and those to leave out."""

import streamlit as st

from core.domain.imports.lists import DistributionList
from pages._ui import formats, session, tables, widgets
from pages._ui.screens.create_campaign import placeholder_panel
from pages._ui.screens.create_campaign.campaign_form import KEY, Form

SIZES = (10, 25, 50)
LIST_PANEL = f"{KEY}_list"
# What the list panel is about when it chooses lists to leave out.
LEFT_OUT = "left_out"


def show_open(form: Form) -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(LIST_PANEL):
        panel = _left_out_panel if widgets.open_subject() == LEFT_OUT else _list_panel
        panel(form)
    elif widgets.is_open(placeholder_panel.PANEL):
        placeholder_panel.show(form)


def open_list_panel(purpose: str = "") -> None:
    """Open the panel to choose lists to send to, or those to leave out (`LEFT_OUT`), as they stand in the form."""
    st.session_state.pop(f"{LIST_PANEL}_draft", None)
    widgets.open_panel(LIST_PANEL, purpose)


@st.dialog("Select Distribution List", position="right", icon=":material/contacts:", on_dismiss=widgets.close_panel)
def _list_panel(form: Form) -> None:
    _choose_lists(form, leaves_out=False)


@st.dialog("Leave out lists", position="right", icon=":material/person_off:", on_dismiss=widgets.close_panel)
def _left_out_panel(form: Form) -> None:
    _choose_lists(form, leaves_out=True)


def _choose_lists(form: Form, *, leaves_out: bool) -> None:
    """Choose lists over several pages and searches; what is chosen is kept apart until it is saved."""
    app, viewer = session.current()
    is_new = f"{LIST_PANEL}_draft" not in st.session_state
    held: dict[str, DistributionList] = st.session_state.setdefault(
        f"{LIST_PANEL}_draft", {item.list_id: item for item in (form.left_out if leaves_out else form.chosen)}
    )
    if leaves_out:
        st.caption("Numbers on these lists get no message, whatever other lists they are on.")
    tables.search(LIST_PANEL, "Search by name", linked=False)
    request = tables.request(LIST_PANEL, SIZES)
    with widgets.show_errors():
        page = app.lists.page_ready(viewer, form.account_id, request)
        if not page.total:
            st.info("No list is ready." if not request.search else "Nothing found.", icon=":material/contacts:")
        elsewhere = "selected as recipients" if leaves_out else "left out"
        taken = {item.list_id for item in (form.chosen if leaves_out else form.left_out)}
        for item in page.items:
            if is_new:
                # Opened again at once, the browser still has what was checked before it was closed.
                st.session_state[f"{LIST_PANEL}_choice_{item.list_id}"] = item.list_id in held
            _check_box(item, held, taken_for=elsewhere if item.list_id in taken else "")
        tables.pager(LIST_PANEL, page.total, SIZES, linked=False)
        if held:
            names = ", ".join(formats.plain(item.name) for item in held.values())
            st.markdown(f"{':material/person_off:' if leaves_out else ':material/contacts:'} {names}")
        total = formats.number(sum(item.entry_count for item in held.values()))
        st.markdown(f"{'Left out' if leaves_out else 'Recipients'}: **{total}**")
        if widgets.save_or_cancel(LIST_PANEL, lacking="" if held or leaves_out else "Choose a list first."):
            widgets.close_panel()
            _take(form, tuple(held.values()), leaves_out=leaves_out)
            st.session_state.pop(f"{LIST_PANEL}_draft", None)
            st.rerun()


def _check_box(item: DistributionList, held: dict[str, DistributionList], *, taken_for: str) -> None:
    count = formats.count(item.entry_count, "recipient", "recipients")
    if taken_for:
        count += f", already {taken_for}"
    is_checked = st.checkbox(
        f"{formats.plain(item.name)}  \n:small[:gray[{count}]]",
        item.list_id in held,
        disabled=bool(taken_for),
        key=f"{LIST_PANEL}_choice_{item.list_id}",
    )
    if is_checked:
        held[item.list_id] = item
    else:
        held.pop(item.list_id, None)


def _take(form: Form, items: tuple[DistributionList, ...], *, leaves_out: bool) -> None:
    if leaves_out:
        form.left_out = items
        return
    lost = form.choose(items)
    if lost:
        names = ", ".join(f"{{{name}}}" for name in lost)
        verb = "has" if len(items) == 1 else "have"
        which = items[0].name if len(items) == 1 else "Together, the lists"
        widgets.flash(f"{which} {verb} no column for {names}.", icon=":material/warning:")
