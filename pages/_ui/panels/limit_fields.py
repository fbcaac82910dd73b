"""
The fields in which a person sets a limit, or none: a budget, and segments per second.

A field that begins with a number takes it back when somebody empties it. These begin with none, and what is set is put
into them, so that a limit can be taken away again.
"""

import streamlit as st

from core.domain.accounts.accounts import BUDGET_MAX_EUR, RATE_MAX, RATE_MIN


def budget(label: str, before: float | None, *, key: str, explained: str = "") -> float | None:
    """Draw a budget in EUR as it was *before*, and return what stands in it; None without a limit."""
    st.session_state.setdefault(key, before)
    return st.number_input(
        label,
        0.0,
        float(BUDGET_MAX_EUR),
        None,
        step=10.0,
        format="%.2f",
        placeholder="No limit",
        key=key,
        help=explained or None,
    )


def rate(label: str, before: int | None, *, key: str, explained: str = "") -> int | None:
    """Draw segments per second as they were *before*, and return what stands there; None without a limit of its own."""
    st.session_state.setdefault(key, before)
    return st.number_input(
        label, RATE_MIN, RATE_MAX, None, placeholder="No limit of its own", key=key, help=explained or None
    )
