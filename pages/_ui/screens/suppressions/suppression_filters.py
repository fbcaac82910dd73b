"""Which suppressions are shown; the page's address keeps it."""

from collections.abc import Mapping

import streamlit as st

from core.domain.accounts.suppressions import EVERYWHERE, SuppressionFilter, SuppressionSource
from pages._ui.filters import choice

KEY = "suppressions"
# What the address says of the scope of all accounts, whose id is nothing.
_ALL = "all"


def show(search: str, scopes: Mapping[str, str]) -> SuppressionFilter:
    """Draw the choices below the bar, of the *scopes* there are; return what is asked for with them."""
    named = {account_id or _ALL: name for account_id, name in scopes.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{KEY}_filters"):
        source = choice.show(
            KEY, "source", "Source", {source.value: source.value for source in SuppressionSource}, nothing="Any"
        )
        scope = choice.show(KEY, "account", "Scope", named, nothing="Any")
    return SuppressionFilter(
        number=search,
        source=SuppressionSource(source) if source else None,
        account_id=None if scope is None else EVERYWHERE if scope == _ALL else scope,
    )
