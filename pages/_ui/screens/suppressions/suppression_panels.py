"""The panels of the Suppressions page: adding numbers, lifting, and what became of a number."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.domain.accounts.suppressions import EVERYWHERE, REASON_MAX, Origin, SuppressionSource
from core.errors import InvalidInput
from core.services.suppressions.managing import ADD_MOST, AddedNumbers, NumberHistory, ShownSuppression
from pages._ui import formats, session, widgets
from pages._ui.screens.suppressions.suppression_filters import KEY

ADD, LIFT, HISTORY = f"{KEY}_add", f"{KEY}_lift", f"{KEY}_history"
_LIFTING = f"{KEY}_lifting"
_ADDED = f"{KEY}_added"
_FEW = 5


def open_add() -> None:
    """Open the panel for new numbers."""
    st.session_state.pop(_ADDED, None)
    widgets.open_panel(ADD)


def open_lift(items: Sequence[ShownSuppression]) -> None:
    """Open the panel that asks why these are lifted."""
    st.session_state[_LIFTING] = tuple(items)
    widgets.open_panel(LIFT)


def show_open() -> None:
    """Draw the panel that is open, if any."""
    if widgets.is_open(ADD):
        _add_panel()
    elif widgets.is_open(LIFT) and st.session_state.get(_LIFTING):
        _lift_panel()
    elif widgets.is_open(HISTORY):
        _history_panel()


def choose_scope(scopes: Mapping[str, str], *, key: str) -> str | None:
    """Draw for whom numbers are suppressed; where there are several, nothing is chosen for anybody."""
    _, viewer = session.current()
    mine = [each for each in scopes if each != EVERYWHERE or viewer.is_administrator]
    # The account comes first: all of them is a lot to change by a slip.
    ordered = sorted(mine, key=lambda each: each == EVERYWHERE)
    return st.selectbox(
        "Scope",
        ordered,
        index=0 if len(ordered) == 1 else None,
        placeholder="Choose",
        format_func=scopes.get,
        key=key,
        help="Numbers suppressed for all accounts get no messages of any of them. Administrators manage those.",
    )


def require_scope(chosen: str | None) -> str:
    """Return what was chosen. Raises: InvalidInput: nothing was."""
    if chosen is None:
        raise InvalidInput(
            "No scope is chosen.", hint="Choose whose messages the numbers shall not get.", field="account_id"
        )
    return chosen


def ask_reason(label: str, *, key: str, placeholder: str) -> str:
    """Draw the field for a reason."""
    return st.text_input(label, max_chars=REASON_MAX, key=key, placeholder=placeholder)


@st.dialog("Add numbers", position="right", icon=":material/block:", on_dismiss=widgets.close_panel)
def _add_panel() -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        scopes = app.suppressions.managing.list_scopes(viewer)
        with st.form(f"{KEY}_form", border=False):
            account_id = choose_scope(scopes, key=f"{KEY}_add_scope")
            numbers = st.text_area(
                "Numbers",
                height=180,
                key=f"{KEY}_numbers",
                placeholder="+49 179 6548754\n+43 664 1234567",
                help=f"With country code, one in each line or with commas between; up to {formats.number(ADD_MOST)}.",
            )
            wrong = st.container()
            reason = ask_reason("Reason (optional)", key=f"{KEY}_reason", placeholder="Asked us on the phone")
            added = st.form_submit_button("Add", type="primary", key=f"{KEY}_save", width="stretch")
        if added:
            with widgets.show_errors({"numbers": wrong}):
                scope = require_scope(account_id)
                _conclude(app.suppressions.managing.add(viewer, scope, numbers, reason, session.now()))
        _show_faults()


def _conclude(added: AddedNumbers) -> None:
    told = formats.count(added.new, "number is suppressed", "numbers are suppressed")
    if added.known:
        told += f", {formats.count(added.known, 'was', 'were')} already"
    widgets.flash(f"{told}.")
    if added.faults:
        st.session_state[_ADDED] = added
    else:
        widgets.close_panel()
    st.rerun()


def _show_faults() -> None:
    added: AddedNumbers | None = st.session_state.get(_ADDED)
    if added is None:
        return
    st.warning(
        f"**{formats.count(len(added.faults), 'entry is', 'entries are')} no number.** Everything else was added.",
        icon=":material/warning:",
    )
    rows = pd.DataFrame({"Typed": [each.text for each in added.faults], "Why": [each.fault for each in added.faults]})
    st.dataframe(rows, hide_index=True, key=f"{KEY}_faults", alt="What is no number, and why")


@st.dialog("Lift", position="right", icon=":material/undo:", on_dismiss=widgets.close_panel)
def _lift_panel() -> None:
    app, viewer = session.current()
    items: tuple[ShownSuppression, ...] = st.session_state[_LIFTING]
    count = formats.count(len(items), "suppression", "suppressions")
    st.markdown(f"**{count}** will be lifted. Whoever is suppressed for another reason, too, stays so.")
    for item in items[:_FEW]:
        st.caption(formats.plain(f"{item.msisdn} – {item.scope}, {item.origin.source.value}"))
    if len(items) > _FEW:
        st.caption(f"and {formats.count(len(items) - _FEW, 'other', 'others')}")
    with st.form(f"{KEY}_lift_form", border=False):
        reason = ask_reason("Reason", key=f"{KEY}_lift_reason", placeholder="Has signed up again")
        lifted = st.form_submit_button("Lift", type="primary", key=f"{KEY}_lift_ok", width="stretch")
    if lifted:
        with widgets.show_errors():
            done = app.suppressions.managing.lift(viewer, [item.key for item in items], reason, session.now())
            widgets.flash(f"{formats.count(done, 'suppression was', 'suppressions were')} lifted.")
            widgets.close_panel()
            st.rerun()


def _history_panel() -> None:
    number = widgets.open_subject()

    @st.dialog(
        formats.plain(number), position="right", width=620, icon=":material/history:", on_dismiss=widgets.close_panel
    )
    def panel() -> None:
        app, viewer = session.current()
        with widgets.show_errors():
            _history(app.suppressions.managing.history(viewer, number), viewer.time_zone)

    panel()


def _history(found: NumberHistory, time_zone: str) -> None:
    st.markdown("**Suppressed now**")
    if not found.suppressions:
        st.caption("By nobody whose accounts you see.")
    for item in found.suppressions:
        _fact(item.scope, item.origin)
        st.caption(_set(item.origin, time_zone))
    st.markdown("**Lifted**")
    if not found.lifted:
        st.caption("Nothing was ever lifted.")
    for scope, each in found.lifted:
        _fact(scope, each.suppression.origin)
        st.caption(_set(each.suppression.origin, time_zone))
        at, by = formats.moment(each.lifted_at, time_zone), formats.plain(each.lifted_by)
        st.caption(f"Lifted {at} by {by}: {formats.plain(each.reason)}")


def _set(origin: Origin, time_zone: str) -> str:
    # A STOP was set by nobody here.
    by = "" if origin.source is SuppressionSource.STOP else f" by {formats.plain(origin.created_by)}"
    return f"Set {formats.moment(origin.created_at, time_zone)}{by}"


def _fact(scope: str, origin: Origin) -> None:
    why = f": {formats.plain(origin.reason)}" if origin.reason else ""
    st.markdown(f"{formats.plain(scope)}, {formats.plain(origin.source.value)}{why}")
