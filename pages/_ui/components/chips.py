"""Numbers typed in by hand, each a chip: Enter makes one, X or Backspace twice deletes it, a paste makes many."""

from collections.abc import Sequence

import streamlit as st

from pages._ui.components.assets import read

_CHIPS = st.components.v2.component(
    "heliograph_chips",
    html=read("chips.html"),
    css=read("chips.css"),
    js=read("phone_numbers.js", "chips.js"),
)


def chips(*, key: str, most: int) -> tuple[str, ...]:
    """
    Draw the field and return the numbers in it, in E.164 as far as the browser can tell; at most *most*.

    They survive reruns, and only `replace` writes over them.
    """
    held = _find(key)
    st.session_state[f"{key}_kept"] = held
    _CHIPS(
        key=key,
        data={"numbers": list(held), "epoch": _epoch(key), "most": most},
        on_typed_change=lambda: None,
    )
    return held[:most]


def replace(key: str, numbers: Sequence[str]) -> None:
    """Put *numbers* into the field, over whatever is there; call it before the field is drawn."""
    st.session_state[f"{key}_epoch"] = _epoch(key) + 1
    st.session_state[f"{key}_kept"] = tuple(numbers)


def _find(key: str) -> tuple[str, ...]:
    typed = (st.session_state.get(key) or {}).get("typed")
    # It comes from the browser, where anybody may write anything into it.
    if isinstance(typed, dict) and typed.get("epoch") == _epoch(key) and isinstance(typed.get("numbers"), list):
        return tuple(str(number)[:20] for number in typed["numbers"])
    kept: tuple[str, ...] = st.session_state.get(f"{key}_kept", ())
    return kept


def _epoch(key: str) -> int:
    return int(st.session_state.get(f"{key}_epoch", 0))
