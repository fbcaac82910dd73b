"""
Check boxes on Message History, and what can be done with the messages that are checked.

The browser counts rows, and new messages may come above them at any time. So what is remembered are the messages, and
whenever the rows have changed the table begins anew with the same messages checked. Another page, or another filter,
begins with none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa
import streamlit as st

from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.services.reports.export_requests import MessagesRequest
from pages._ui import address, formats, session, tables, widgets
from pages._ui.filters import period_filter
from pages._ui.panels import downloads

KEY = "message_history"
_STATE = f"{KEY}_selection"
_MOMENT = timedelta(microseconds=1)
Place = tuple[object, ...]


@dataclass
class Selection:
    """
    What is checked: *chosen* messages with the time they were sent, in *place*.

    *shown* are the rows of the table on screen, *began* those of them that were checked when it was first drawn,
    and *number* tells it from the tables before.
    """

    place: Place = ()
    shown: dict[str, datetime] = field(default_factory=dict)
    chosen: dict[str, datetime] = field(default_factory=dict)
    began: tuple[int, ...] = ()
    number: int = 0

    @property
    def key(self) -> str:
        """The key of the table on screen."""
        return f"{KEY}_table_{self.number}"

    def take_over(self) -> None:
        """Learn what the browser says is checked; of a table that was left meanwhile it has forgotten that."""
        if self.key not in st.session_state:
            self.begin()
            return
        messages = list(self.shown.items())
        checked = dict(messages[row] for row in tables.list_chosen(self.key))
        # What new messages have pushed off the page stays checked.
        gone = {key: moment for key, moment in self.chosen.items() if key not in self.shown}
        self.chosen = gone | checked

    def move_to(self, place: Place, shown: dict[str, datetime]) -> None:
        """Begin a new table where the rows on screen are others than before."""
        if place != self.place:
            self.chosen = {}
        if (place, list(shown)) == (self.place, list(self.shown)):
            return
        self.place, self.shown = place, shown
        self.begin()

    def begin(self) -> None:
        """Let the table be drawn anew, with the chosen messages checked."""
        self.began = tuple(row for row, key in enumerate(self.shown) if key in self.chosen)
        self.number += 1

    def clear(self) -> None:
        """Choose nothing."""
        self.chosen = {}
        self.begin()


def current() -> Selection:
    """Return what is checked in this browser tab."""
    found: Selection = st.session_state.setdefault(_STATE, Selection())
    return found


def show(
    table: pa.Table, columns: Sequence[tables.Column], query: MessageQuery, labels: tuple[str, ...], *, page: Place
) -> None:
    """
    Draw the messages of *table* with a check box and an eye each, and while some are checked what to do with them.

    *query* is what was asked for and *page* the part of the answer that is shown; *labels* are the chosen columns.
    """
    _, viewer = session.current()
    selection = current()
    selection.take_over()
    shown = dict(zip(table["message_id"].to_pylist(), table["sent_at"].to_pylist(), strict=True))
    selection.move_to((*_place(query), *page), shown)
    click = tables.show(
        tables.Selectable(table, selection.began),
        columns,
        key=selection.key,
        alt="Messages",
        time_zone=viewer.time_zone,
        actions={"view": ":material/visibility:"},
    )
    if click:
        widgets.go("message", id=list(shown)[click.row], **{widgets.BACK: widgets.way_back()})
    selection.take_over()
    if selection.chosen:
        _bar(selection, viewer.account_ids, labels)


def _place(query: MessageQuery) -> Place:
    """Return what was asked for. Periods move on with the clock, so it is their choice that counts."""
    names = (period_filter.PERIOD, period_filter.FIRST, period_filter.LAST)
    timeless = replace(query, period=Period(datetime.min, datetime.min))  # noqa: DTZ901 - a placeholder, never asked
    return timeless, *(address.find(name) for name in names)


def _bar(selection: Selection, account_ids: frozenset[str], labels: tuple[str, ...]) -> None:
    moments = selection.chosen.values()
    # Their own time and nothing else: neither a period that moves on nor a status that changes leaves one out.
    query = MessageQuery(
        account_ids, Period(min(moments), max(moments) + _MOMENT), message_ids=frozenset(selection.chosen)
    )
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_selected"):
        st.markdown(f"**{formats.number(len(selection.chosen))} selected**", width="content")
        st.space("stretch")
        downloads.menu(MessagesRequest(query, labels), key=_STATE, label="Export selection")
        st.button("Clear", key=f"{_STATE}_clear", help="Clear the selection", on_click=selection.clear)
