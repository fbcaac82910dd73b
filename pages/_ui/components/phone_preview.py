"""A message as it appears on a phone."""

import streamlit as st

from pages._ui.components.assets import read

_PHONE = st.components.v2.component(
    "heliograph_phone_preview",
    html=read("phone.html"),
    css=read("phone.css"),
    js=read("sms_measure.js", "phone.js", "phone_preview.js"),
)


def phone_preview(text: str, *, sender_id: str, name: str, key: str) -> None:
    """Draw the phone with *text* from *sender_id*; below it characters and SMS count, and the campaign's *name*."""
    _PHONE(key=key, data={"text": text, "sender": sender_id, "name": name})
