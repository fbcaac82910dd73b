"""The page's address, looked at before the page reads any of it."""

import streamlit as st

from core.domain.addresses import check_address
from pages._ui import widgets


def is_usable() -> bool:
    """Return whether the page may read its address; say what is wrong with it otherwise."""
    with widgets.show_errors() as outcome:
        check_address([(name, value) for name in st.query_params for value in st.query_params.get_all(name)])
    if not outcome.ok:
        st.button("Open the page without it", key="frame_clear_address", on_click=st.query_params.clear)
    return outcome.ok
