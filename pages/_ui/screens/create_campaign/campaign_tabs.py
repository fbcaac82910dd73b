"""The tabs of Create Campaign: the second stays closed until the first is complete."""

import streamlit as st

from pages._ui.screens.create_campaign.campaign_form import KEY, Form

FIRST, SECOND = "Sender & Recipients", "Message & Preview"
_STEP = f"{KEY}_step"
_REFUSED = f"{KEY}_step_refused"


def go_on() -> None:
    """Open the second step."""
    st.session_state[_STEP] = SECOND


def choose(form: Form) -> str:
    """Draw the tabs and return the one that is open; say why when the second was asked for too soon."""
    step = st.segmented_control(
        "Step",
        (FIRST, SECOND),
        default=FIRST,
        required=True,
        key=_STEP,
        label_visibility="collapsed",
        on_change=_judge,
        args=(form,),
    )
    _take_typed(form)
    missing = form.missing()
    if missing and (step == SECOND or st.session_state.get(_REFUSED)):
        # What is missing stands beside Next Step, which is always in sight.
        st.info(f"{SECOND} opens once this step is complete.", icon=":material/info:")
        return FIRST
    return str(step)


def _judge(form: Form) -> None:
    """Go back to the first tab when it is not complete: it must not open by itself while that is filled in."""
    _take_typed(form)
    st.session_state[_REFUSED] = bool(st.session_state[_STEP] == SECOND and form.missing())
    if st.session_state[_REFUSED]:
        st.session_state[_STEP] = FIRST


def _take_typed(form: Form) -> None:
    """Take over what was typed just now: the fields know it already, but are drawn below the tabs."""
    form.name = str(st.session_state.get(f"{KEY}_name", form.name))
    form.sender_id = str(st.session_state.get(f"{KEY}_sender", form.sender_id)).strip()
