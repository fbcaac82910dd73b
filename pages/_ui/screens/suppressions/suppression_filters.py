"""Which suppressions are shown; the page's address keeps it."""

from collections.abc import Mapping

import streamlit as st

from core.domain.accounts.suppressions import EVERYWHERE, SuppressionFilter, SuppressionSource
from pages._ui import address

KEY = "suppressions"
# What the address says of the scope of all accounts, whose id is nothing.
_ALL = "all"


def show(search: str, scopes: Mapping[str, str]) -> SuppressionFilter:
    """Draw the choices below the bar, of the *scopes* there are; return what is asked for with them."""
    named = {account_id or _ALL: name for account_id, name in scopes.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}_filters"):
        source = _choice("source", "Source", {source.value: source.value for source in SuppressionSource})
        scope = _choice("account", "Scope", named)
    return SuppressionFilter(
        number=search,
        source=SuppressionSource(source) if source else None,
        account_id=None if scope is None else EVERYWHERE if scope == _ALL else scope,
    )


def _choice(name: str, label: str, options: Mapping[str, str]) -> str | None:
    """Draw a choice of one or any; *options* are what the address says, and what people read."""
    key = f"{KEY}_{name}"
    return st.selectbox(
        label,
        list(options),
        index=None,
        placeholder="Any",
        format_func=lambda value: options.get(value, value),
        key=key,
        bind=address.bound(key),
        on_change=_to_first_page,
    )


def _to_first_page() -> None:
    st.session_state[f"{KEY}_page"] = 1
