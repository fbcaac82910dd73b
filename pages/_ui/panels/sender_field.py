"""What is said below a field for a sender."""

import streamlit as st

from core.domain.texts.sender_id import parse_sender_id, warn_sender_id
from core.errors import InvalidSenderId

HELP = "Up to 11 letters and digits, or a number of up to 16 digits."


def judge(sender_id: str) -> None:
    """Say what is wrong with *sender_id*, or which providers may refuse it; nothing while it is empty."""
    if not sender_id:
        return
    try:
        warning = warn_sender_id(parse_sender_id(sender_id))
    except InvalidSenderId as error:
        st.error(f"{error.message} {error.hint}", icon=":material/error:")
    else:
        if warning:
            st.warning(warning, icon=":material/warning:")
