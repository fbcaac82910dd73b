"""What every upload of numbers asks, and what it shows afterwards."""

import io

import pandas as pd
import streamlit as st

from core.domain.imports.lists import HiddenRows
from pages._ui import formats

_HIDDEN_ROWS = {HiddenRows.LEAVE_OUT: "Leave them out", HiddenRows.IMPORT: "Import them too"}
_LEFT_OUT_SHOWN = 20


def choose_hidden_rows(key: str) -> HiddenRows:
    """Draw what becomes of rows that a workbook hides; nothing is chosen for anybody. *key* is the page's."""
    chosen = st.radio(
        "Rows hidden in a workbook",
        list(_HIDDEN_ROWS),
        None,
        format_func=_HIDDEN_ROWS.get,
        horizontal=True,
        key=f"{key}_hidden_rows",
        help="Rows may be hidden by a filter or by hand. If there are none, you need not choose.",
    )
    return chosen or HiddenRows.ASK


def show_left_out(content: bytes, count: int, name: str, *, key: str, expanded: bool = False) -> None:
    """Draw the first of *count* rows that were left out of the file called *name*, and the download of all: a CSV."""
    left_out = formats.count(count, "row", "rows")
    with st.expander(f"{left_out} left out, and why", icon=":material/rule:", expanded=expanded):
        rows = pd.read_csv(io.BytesIO(content), nrows=_LEFT_OUT_SHOWN, dtype=str, keep_default_na=False)
        st.dataframe(rows, hide_index=True, height="content", key=f"{key}_rejected", alt="Rows left out, with reasons")
        if len(rows) == _LEFT_OUT_SHOWN:
            st.caption(f"The first {_LEFT_OUT_SHOWN} of them; the file has all.")
        st.download_button(
            "Download rows left out",
            content,
            f"{name} left out.csv",
            "text/csv",
            key=f"{key}_rejected_csv",
            on_click="ignore",
            icon=":material/download:",
        )
