"""Scrolling to a part of the page, where a click far above it changes what it shows."""

import streamlit as st

from pages._ui.components.assets import read

_SCROLLING = st.components.v2.component("heliograph_scrolling", js=read("scrolling.js"))


def ask(key: str) -> None:
    """Let the next run scroll, once; *key* is the page's."""
    st.session_state[_count(key)] = _asked(key) + 1


def scroll_to(container: str, *, key: str) -> None:
    """Scroll to the container of that key when it was asked for."""
    if _asked(key):
        _SCROLLING(key=f"{key}_scrolling", data={"container": container, "asked": _asked(key)}, height=0)


def _asked(key: str) -> int:
    return int(st.session_state.get(_count(key), 0))


def _count(key: str) -> str:
    return f"{key}_scrolling_asked"
