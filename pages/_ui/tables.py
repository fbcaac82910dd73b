"""
Tables that are paged by the server, with row actions.

The rows are dataclasses or a pyarrow Table; a `Column` says where a value comes from and how it
looks. What is formatted here still sorts by its value in the browser: the grid gets the raw value and
its text beside it.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.reports.paging import PageRequest
from pages._ui import address, charts, formats
from pages._ui.status import COLORS
from pages._ui.table_texts import Texts

# What the first column of the row of everything says.
TOTAL = "Total"
MOMENT_FORMAT = "DD/MM/YYYY HH:mm"
ROW_HEIGHT = 40


@dataclass(frozen=True)
class Totalled:
    """The rows of a page and the row of everything, by source; it stands last and has no actions."""

    rows: pa.Table
    total: Mapping[str, Any]


Source = str | Callable[[Any], Any]
Rows = Sequence[Any] | pa.Table


@dataclass(frozen=True)
class Selectable:
    """The rows of a page with a check box each; the table begins with those of *chosen* checked, counted from 0."""

    rows: Rows
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True)
class Column:
    """
    A column: its heading, where its values come from and how they are shown.

    *source* is an attribute or an Arrow column by name, or for objects a function. *convert* makes
    the value the browser gets; *show* makes the text for it, where the grid's own formats do not do. What is in the
    cell is a button for the action *click*, if there is one.
    """

    label: str
    source: Source
    config: Callable[[str, str], Any]
    convert: Callable[[Any], Any] = field(default=lambda value: value)
    show: Callable[[Any], str] | None = None
    click: str = ""


@dataclass(frozen=True)
class Click:
    """A click on the action of a row; *row* counts from 0 in the order the rows were given."""

    action: str
    row: int


def text(label: str, source: Source, *, width: str | int | None = None) -> Column:
    """Words as they are."""
    return Column(
        label, source, lambda name, _: st.column_config.TextColumn(name, width=width), convert=formats.upright
    )


def status(label: str, source: Source) -> Column:
    """A status as a colored pill with its word."""

    def config(name: str, _: str) -> Any:
        return st.column_config.MultiselectColumn(name, options=list(COLORS), color=list(COLORS.values()), width=104)

    return Column(label, source, config, convert=lambda value: [str(value)])


def number(label: str, source: Source) -> Column:
    """A whole number, grouped."""
    return _quantity(label, source, int, formats.number)


def money(label: str, source: Source) -> Column:
    """EUR cents, shown as cents."""
    return _quantity(label, source, float, formats.cents)


def euros(label: str, source: Source) -> Column:
    """EUR cents, shown in euros."""
    return _quantity(label, source, float, formats.euros)


def duration(label: str, source: Source) -> Column:
    """Seconds, shown as a person would say them."""
    return _quantity(label, source, float, formats.duration)


def _quantity(label: str, source: Source, convert: Callable[[Any], Any], show: Callable[[Any], str]) -> Column:
    return Column(
        label,
        source,
        lambda name, _: st.column_config.NumberColumn(name, alignment="right"),
        convert=convert,
        show=show,
    )


def percent(label: str, source: Source) -> Column:
    """A share from 0 to 100 with a bar."""

    def config(name: str, _: str) -> Any:
        return st.column_config.ProgressColumn(name, min_value=0, max_value=100, format="%.3g %%", width=140)

    # As `formats.percent`: never rounded to a completeness that is not there.
    return Column(label, source, config, convert=lambda value: 100.0 if value >= 100 else min(round(value, 1), 99.9))


def share(label: str, source: Source) -> Column:
    """A rate from 0 to 1, shown in percent."""
    return _quantity(label, source, float, formats.percent)


def made(label: str, source: Source, show: Callable[[Any], str], *, width: int | None = None) -> Column:
    """Words that *show* makes of the value."""
    return Column(label, source, lambda name, _: st.column_config.TextColumn(name, width=width), convert=show)


def button(label: str, source: Source, click: str, *, width: int | None = None) -> Column:
    """
    Words or an icon that can be clicked, for the action *click*; nothing where the value is None.

    Words that may come later need a *width* (pixels): the grid measures a column once, and cuts them off on both sides.
    """
    return Column(
        label, source, lambda name, _: st.column_config.TextColumn(name, width=width), convert=str, click=click
    )


def moment(label: str, source: Source) -> Column:
    """A time in the viewer's zone; times without a zone are UTC."""

    def config(name: str, time_zone: str) -> Any:
        return st.column_config.DatetimeColumn(name, format=MOMENT_FORMAT, timezone=time_zone, width=118)

    return Column(label, source, config, convert=lambda value: formats.in_zone(value, "UTC"))


def flag(label: str, source: Source) -> Column:
    """Yes or No."""

    def convert(value: Any) -> str:
        return "Yes" if value else "No"

    return Column(label, source, lambda name, _: st.column_config.TextColumn(name, width="small"), convert=convert)


def _frame(rows: Rows, columns: Sequence[Column], total: Mapping[str, Any] | None) -> pd.DataFrame:
    """Return one row per item and one column per `Column`, by label; each of the type its values have."""
    found = [_values(rows, column, total) for column in columns]
    # Value by value: of cells that are lists numpy would make more columns. All at once, pandas takes a third as long.
    cells = np.empty((len(found[0]), len(found)), dtype=object)
    for place, values in enumerate(found):
        for row, value in enumerate(values):
            cells[row, place] = value
    return pd.DataFrame(cells, columns=[column.label for column in columns], dtype=object).infer_objects()


def _values(rows: Rows, column: Column, total: Mapping[str, Any] | None) -> list[Any]:
    if isinstance(rows, pa.Table):
        found = rows[str(column.source)].to_pylist()
    elif callable(column.source):
        found = [column.source(row) for row in rows]
    else:
        found = [getattr(row, column.source) for row in rows]
    if total is not None:
        found.append(total[str(column.source)])
    return [None if value is None else column.convert(value) for value in found]


def show(
    rows: Rows | Totalled | Selectable,
    columns: Sequence[Column],
    *,
    key: str,
    alt: str,
    time_zone: str = "UTC",
    actions: Mapping[str, str | Sequence[str | None]] | None = None,
) -> Click | None:
    """
    Draw the rows of one page, and an icon per action (name -> ":material/…:") at the beginning of each.

    The actions stand still while a narrow screen is scrolled sideways. `list_chosen` tells which rows are checked.

    Args:
        rows: A page of items.
        columns: What is shown of them.
        key: Of the table.
        alt: Names the table for screen readers.
        time_zone: In which times are shown.
        actions: What can be done with a row; an icon for each row where they differ, None where it cannot be done.

    Returns: The click that caused this run, else None.
    """
    total = rows.total if isinstance(rows, Totalled) else None
    selection = _selection(rows.chosen) if isinstance(rows, Selectable) else {}
    rows = rows.rows if isinstance(rows, Totalled | Selectable) else rows
    if not len(rows):
        with st.container(border=True, horizontal_alignment="center"):
            st.caption("Nothing found", text_alignment="center")
        return None
    actions = actions or {}
    data = _frame(rows, columns, total)
    configs = {column.label: column.config(column.label, time_zone) for column in columns}
    buttons = {column.click: column.label for column in columns if column.click}
    for name, label in buttons.items():
        width = configs[label]["width"]
        configs[label] = st.column_config.ButtonColumn(label, width=width, type="tertiary", key=f"{key}_{name}")
    for position, (name, icon) in enumerate(actions.items()):
        icons = [icon] * len(rows) if isinstance(icon, str) else icon
        data[name] = pd.Series([*icons, *[None] * (total is not None)], dtype=object)
        configs[name] = st.column_config.ButtonColumn(
            "" if position else "Action", width=56, pinned=True, type="tertiary", key=f"{key}_{name}"
        )
    shows = {column.label: column.show for column in columns if column.show}
    st.dataframe(
        Texts(data, shows, _last_row() if total is not None else "") if shows or total is not None else data,
        hide_index=True,
        column_config=configs,
        row_height=ROW_HEIGHT,
        height="content",
        placeholder=formats.NOTHING,
        key=key,
        alt=alt,
        **selection,
    )
    return _find_click(key, [*actions, *buttons])


def _selection(chosen: Sequence[int]) -> dict[str, Any]:
    return {
        "on_select": "rerun",
        "selection_mode": "multi-row",
        "selection_default": {"selection": {"rows": list(chosen)}},
    }


def list_chosen(key: str) -> list[int]:
    """Return the checked rows of the table *key*, counted from 0 in the order they were given."""
    state = st.session_state.get(key)
    return sorted(state.selection.rows) if state else []


def _find_click(key: str, actions: Iterable[str]) -> Click | None:
    clicks = ((name, st.session_state.get(f"{key}_{name}")) for name in actions)
    return next((Click(name, click.row) for name, click in clicks if click), None)


def find_clicked(key: str, click: Click | None, subjects: Sequence[str]) -> str | None:
    """
    Return whose row of the table *key* was clicked; *subjects* are the ids behind the rows as they are drawn now.

    The row counts in the table as it was drawn before: somebody may have added or deleted something above it since.
    """
    before: Sequence[str] = st.session_state.get(f"{key}_drawn", subjects)
    st.session_state[f"{key}_drawn"] = list(subjects)
    return before[click.row] if click and click.row < len(before) else None


def _last_row() -> str:
    """Return the style that sets the last row apart from the others."""
    return f"background-color: {charts.palette()['fill']}; font-weight: 600"


@contextmanager
def bar(key: str = "page") -> Generator[DeltaGenerator]:
    """Draw the row above a table: search on the left, buttons on the right. A second one on a page needs a *key*."""
    container = st.container(horizontal=True, horizontal_alignment="distribute", key=f"{key}_tables_bar")
    with container:
        yield container


def search(key: str, placeholder: str, *, linked: bool = True) -> str:
    """
    Draw the search box of a table; a new term starts again at page 1. *key* is the page's.

    *linked* keeps the term in the page's address; a table in a panel has none of its own.
    """
    return str(
        st.text_input(
            "Search",
            key=f"{key}_search",
            type="search",
            icon=":material/search:",
            placeholder=placeholder,
            label_visibility="collapsed",
            bind=address.bound(f"{key}_search") if linked else None,
            on_change=to_first_page,
            args=(key,),
        )
    )


def request(key: str, sizes: Sequence[int]) -> PageRequest:
    """Return what the person asked for: from the widgets, and before they are first drawn from the address."""
    size = _asked(f"{key}_size", sizes[0])
    return PageRequest(
        page=max(1, _asked(f"{key}_page", 1)),
        size=size if size in sizes else sizes[0],
        search=str(st.session_state.get(f"{key}_search", address.get(f"{key}_search")) or ""),
    )


def pager(key: str, total: int | None, sizes: Sequence[int], *, linked: bool = True, has_more: bool = False) -> None:
    """
    Draw the page navigator and the items-per-page choice below a table of *total* items.

    *linked* keeps both in the page's address; a table in a panel has none of its own. Where the *total* is not known,
    *has_more* says whether there is another page, and the navigator leads as far as that.
    """
    if total == 0:
        return
    now = request(key, sizes)
    pages = now.page + has_more if total is None else -(-total // now.size)
    if now.page > pages:
        # Rows were deleted, or the address is old: show the last page instead of an empty one.
        st.session_state[f"{key}_page"] = pages
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_pager"):
        st.caption(_range(now, total), width="content")
        # Given room: measured by its own content, it would show fewer pages than there are.
        place, size = f"{key}_page", f"{key}_size"
        st.pagination(pages, key=place, bind=address.bound(place) if linked else None, width="stretch")
        st.selectbox(
            "Items per page",
            sizes,
            key=size,
            format_func=lambda size: f"{size} per page",
            label_visibility="collapsed",
            bind=address.bound(size) if linked else None,
            width=140,
            on_change=to_first_page,
            args=(key,),
        )


def _range(now: PageRequest, total: int | None) -> str:
    first, last = now.offset + 1, now.offset + now.size
    if total is None:
        return f"{formats.number(first)}–{formats.number(last)} of many"
    return f"{formats.number(first)}–{formats.number(min(last, total))} of {formats.number(total)}"


def to_first_page(key: str) -> None:
    """Let the table of this key begin anew: something else is asked for."""
    st.session_state[f"{key}_page"] = 1


def _asked(key: str, default: int) -> int:
    value = st.session_state.get(key, address.get(key))
    return int(value) if str(value).isdecimal() else default
