"""The Tab key, which goes on at the beginning of what has changed instead of behind it."""

import streamlit as st

from pages._ui.components.assets import read

_TAB_KEY = st.components.v2.component("heliograph_tab_key", js=read("tab_key.js"))


def listen() -> None:
    """Let Tab begin with a new page or step; the frame calls it once per run."""
    with st.container(key="frame_tab_key"):
        _TAB_KEY(key="frame_tab_key_component")
