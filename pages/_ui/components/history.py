"""The browser's own way back, kept free of addresses that nobody has seen."""

import streamlit as st

from pages._ui.components.assets import read

_HISTORY = st.components.v2.component("heliograph_history", js=read("history.js"))


def mend() -> None:
    """Let one step back lead to the page a person came from; the frame calls it once per run."""
    with st.container(key="frame_history"):
        _HISTORY(key="frame_history_component")
