"""The schedule of a campaign that is being written: a time in the viewer's own zone."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.campaigns.schedules import FORMAT_IN_WORDS, format_schedule, parse_schedule
from core.errors import InvalidInput
from pages._ui import session, widgets
from pages._ui.screens.create_campaign.campaign_form import KEY, Form

_FIELD = f"{KEY}_schedule"


def show(form: Form) -> tuple[bool, DeltaGenerator]:
    """
    Draw the Schedule button, or the field once it is wanted; return whether there is a time to go by, and its place.

    What stands in the field is what counts: while it is no time to come, there is none, and nothing is launched.
    """
    if form.schedule_text is None:
        st.button("Schedule", icon=":material/schedule:", key=f"{_FIELD}_button", on_click=_open, args=(form,))
        return True, st.empty()
    _, viewer = session.current()
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{_FIELD}_row"):
        form.schedule_text = st.text_input(
            "Schedule Time",
            form.schedule_text,
            placeholder=FORMAT_IN_WORDS,
            help=f"When to send it, in {viewer.time_zone}. Without a time, Launch sends it immediately.",
            key=f"{_FIELD}_time",
            width=240,
        )
        st.button("Launch immediately instead", key=f"{_FIELD}_close", type="tertiary", on_click=_close, args=(form,))
    place = st.empty()
    with place:
        is_timed = _take(form, form.schedule_text)
    return is_timed, place


def _take(form: Form, text: str) -> bool:
    """Take the typed time; say what is wrong with one that cannot be taken, and keep the draft's as it was."""
    _, viewer = session.current()
    form.schedule_fault = None
    try:
        schedule = parse_schedule(text, viewer.time_zone, session.now())
    except InvalidInput as error:
        stored = format_schedule(form.schedule_at, viewer.time_zone) if form.schedule_at else None
        if text.strip() != stored:
            # What is stored already, and has passed, is no news: a draft may be saved with it, but not launched.
            form.schedule_fault = _untyped() if not text.strip() else error
        if text.strip():
            widgets.fault(error.message, error.hint)
        else:
            st.caption(f"Enter a time as {FORMAT_IN_WORDS}, in {viewer.time_zone}.")
        return False
    form.schedule_at = schedule.at
    if schedule.note:
        st.info(schedule.note, icon=":material/schedule:")
    return True


def _untyped() -> InvalidInput:
    return InvalidInput(
        "The schedule time is missing.", hint="Enter one, or choose Launch immediately instead.", field="schedule_at"
    )


def _open(form: Form) -> None:
    form.schedule_text = ""


def _close(form: Form) -> None:
    form.schedule_at = form.schedule_text = form.schedule_fault = None
