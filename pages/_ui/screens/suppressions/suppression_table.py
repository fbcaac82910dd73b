"""
The table of suppressions, with a check box for each, and what can be done with those that are checked.

The browser counts rows, and a STOP may come above them at any time. So the suppressions behind the rows are remembered,
and where they are others than before, the table begins anew with none checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.accounts.suppressions import SuppressionSource
from core.services.suppressions.managing import ShownSuppression
from pages._ui import formats, session, tables, widgets
from pages._ui.screens.suppressions.suppression_filters import KEY
from pages._ui.screens.suppressions.suppression_panels import HISTORY, open_lift

_STATE = f"{KEY}_drawn"


def _is_stop(item: ShownSuppression) -> bool:
    # Nobody here has added those.
    return item.origin.source is SuppressionSource.STOP


_COLUMNS = (
    tables.text("Number", "msisdn", width=132),
    tables.text("Scope", "scope", width=136),
    tables.text("Source", lambda item: item.origin.source.value, width=100),
    tables.text("Reason", lambda item: item.origin.reason or None, width=186),
    tables.text("Added By", lambda item: None if _is_stop(item) else item.origin.created_by, width=114),
    tables.moment("Date", lambda item: item.origin.created_at),
)


@dataclass(frozen=True)
class _Drawn:
    """Which suppressions the table on screen shows; *number* tells it from those before."""

    row_ids: tuple[str, ...] = ()
    number: int = 0

    @property
    def key(self) -> str:
        return f"{KEY}_table_{self.number}"


def show(items: Sequence[ShownSuppression]) -> None:
    """Draw the suppressions of one page, and below them what can be done with those that are checked."""
    _, viewer = session.current()
    before: _Drawn = st.session_state.get(_STATE, _Drawn())
    row_ids = tuple(item.row_id for item in items)
    drawn = before if row_ids == before.row_ids else _Drawn(row_ids, before.number + 1)
    st.session_state[_STATE] = drawn
    chosen = [items[row] for row in tables.list_chosen(drawn.key) if row < len(items)]
    click = tables.show(
        tables.Selectable(items),
        _COLUMNS,
        key=drawn.key,
        alt="Suppressions",
        time_zone=viewer.time_zone,
        actions={
            "history": ":material/history:",
            "lift": [":material/undo:" if item.is_liftable else None for item in items],
        },
    )
    # Below: above, the first one that is checked would move the table from under the pointer.
    with widgets.place():
        if chosen:
            _offer(chosen)
    if click is None:
        return
    # A click counts rows of the table as it was drawn before.
    row_id = before.row_ids[click.row] if click.row < len(before.row_ids) else ""
    item = next((each for each in items if each.row_id == row_id), None)
    if item is None:
        return
    if click.action == "history":
        widgets.open_panel(HISTORY, item.msisdn)
    else:
        open_lift([item])


def _offer(chosen: Sequence[ShownSuppression]) -> None:
    liftable = [item for item in chosen if item.is_liftable]
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_chosen"):
        st.markdown(f"**{formats.number(len(chosen))} selected**", width="content")
        if st.button("Lift", icon=":material/undo:", key=f"{KEY}_lift_chosen", disabled=not liftable):
            open_lift(liftable)
        if len(liftable) < len(chosen):
            widgets.why_not("Only administrators lift what counts for all accounts.")
