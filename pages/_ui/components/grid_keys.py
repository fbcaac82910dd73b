"""The icons in the rows of tables, by keyboard: Enter and Space do what a click does."""

import streamlit as st

from pages._ui.components.assets import read

_GRID_KEYS = st.components.v2.component("heliograph_grid_keys", js=read("grid_keys.js"))


def listen() -> None:
    """Let the tables of all pages be worked by keyboard; the frame calls it once per run."""
    with st.container(key="frame_grid_keys"):
        _GRID_KEYS(key="frame_grid_keys_component")
