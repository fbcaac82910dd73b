"""A field whose Enter presses the button beside it."""

import streamlit as st

from pages._ui.components.assets import read

_ENTER_KEY = st.components.v2.component("heliograph_enter_key", js=read("enter_key.js"))


def presses(button: str, *, field: str) -> None:
    """Let Enter in the field of that key press the button of that key; both are drawn before."""
    _ENTER_KEY(key=f"{field}_enter_key", data={"field": field, "button": button}, height=0)
