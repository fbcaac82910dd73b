"""A choice of one of some, or of all, that narrows a page's table down; it is kept in the page's address."""

from collections.abc import Mapping

import streamlit as st

from pages._ui import address, tables


def show(page: str, name: str, label: str, options: Mapping[str, str], *, nothing: str = "All") -> str | None:
    """
    Draw the choice; return what is chosen, as the address says it, None for all.

    Args:
        page: The key of the page and its table.
        name: What the choice is called in the address.
        label: What it is called on the screen.
        options: What people read, by what the address says.
        nothing: What stands there while all are shown.
    """
    key = f"{page}_{name}"
    return st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=nothing,
        format_func=lambda value: options.get(value, value),
        key=key,
        bind=address.bound(key),
        on_change=tables.to_first_page,
        args=(page,),
    )
