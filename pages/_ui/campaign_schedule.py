"""The schedule of a campaign that is being written: a time in the viewer's own zone."""

import streamlit as st

from core.domain.schedules import FORMAT_IN_WORDS, format_schedule, parse_schedule
from core.errors import InvalidInput
from pages._ui import session
from pages._ui.campaign_form import KEY, Form

_FIELD = f"{KEY}_schedule"


def show(form: Form) -> bool:
    """Draw the Schedule button, and the field once it is wanted; False while the field holds no time to go by."""
    _, viewer = session.current()
    if not st.session_state.get(f"{_FIELD}_open", form.schedule_at is not None):
        st.button("Schedule", icon=":material/schedule:", key=f"{_FIELD}_button", on_click=_open)
        return True
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{_FIELD}_row"):
        text = st.text_input(
            "Schedule Time",
            format_schedule(form.schedule_at, viewer.time_zone) if form.schedule_at else "",
            placeholder=FORMAT_IN_WORDS,
            help=f"When it is sent, in {viewer.time_zone}. Without it, Launch sends at once.",
            key=f"{_FIELD}_time",
            width=240,
        )
        st.button("Launch at once instead", key=f"{_FIELD}_close", type="tertiary", on_click=_close, args=(form,))
    return _take(form, text)


def _take(form: Form, text: str) -> bool:
    _, viewer = session.current()
    if not text.strip():
        form.schedule_at = None
        st.caption(f"Type a time as {FORMAT_IN_WORDS}, in {viewer.time_zone}.")
        return False
    try:
        schedule = parse_schedule(text, viewer.time_zone, session.now())
    except InvalidInput as error:
        form.schedule_at = None
        st.error(f"**{error.message}**  \n{error.hint}", icon=":material/schedule:")
        return False
    form.schedule_at = schedule.at
    if schedule.note:
        st.info(schedule.note, icon=":material/schedule:")
    return True


def _open() -> None:
    st.session_state[f"{_FIELD}_open"] = True


def _close(form: Form) -> None:
    st.session_state[f"{_FIELD}_open"] = False
    form.schedule_at = None
