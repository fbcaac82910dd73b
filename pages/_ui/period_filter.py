"""Filter By Date: the guide's nine choices and two calendars, kept in the page's address."""

from datetime import date, timedelta

import streamlit as st

from core.domain.periods import FIRST_YEAR, LAST_YEAR, Period, Preset, resolve_period
from core.domain.permissions import Viewer
from pages._ui import formats, session

Days = tuple[date, date]

PERIOD, FIRST, LAST = "period", "from", "to"
EARLIEST, LATEST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)


def choose(key: str, viewer: Viewer, default: Preset) -> Period:
    """
    Draw the menu and return the period it means now, in the viewer's zone; *key* is the page's.

    Raises: InvalidInput: a custom range without both of its days, or in the wrong order.
    """
    word = st.query_params.get(PERIOD, "")
    preset = Preset(word) if word in set(Preset) else default
    custom = _asked_days() if preset is Preset.CUSTOM_RANGE else None
    _menu(key, preset, custom)
    return resolve_period(preset, session.now(), viewer.time_zone, custom)


def _asked_days() -> Days | None:
    try:
        return date.fromisoformat(st.query_params.get(FIRST, "")), date.fromisoformat(st.query_params.get(LAST, ""))
    except ValueError:
        return None


@st.fragment
def _menu(key: str, preset: Preset, custom: Days | None) -> None:
    """Draw the menu beside the calendars; nothing is asked of the stores before Apply."""
    label = " – ".join(f"{day:%d/%m/%Y}" for day in custom) if custom else preset
    opened, menu, first, last = _names(key)
    if menu not in st.session_state:
        _show(key, preset, custom)
    with (
        st.popover(
            f"Filter By Date: **{label}**",
            icon=":material/calendar_month:",
            key=opened,
            on_change=_start_over,
            args=(key, preset, custom),
        ),
        st.container(horizontal=True),
    ):
        st.radio("Period", list(Preset), key=menu, width=170, on_change=_follow_menu, args=(key,))
        with st.container(width=190):
            for text, name in (("From", first), ("To", last)):
                st.date_input(
                    text,
                    min_value=EARLIEST,
                    max_value=LATEST,
                    key=name,
                    format="DD/MM/YYYY",
                    on_change=_follow_days,
                    args=(key,),
                )
            if st.button("Apply", type="primary", key=f"{key}_apply", width="stretch", on_click=_apply, args=(key,)):
                st.rerun()


def _names(key: str) -> tuple[str, str, str, str]:
    return f"{key}_filter_by_date", f"{key}_{PERIOD}", f"{key}_{FIRST}", f"{key}_{LAST}"


def _start_over(key: str, preset: Preset, custom: Days | None) -> None:
    """Opened again, show what holds, not what was chosen and then left without Apply."""
    # Closed, the browser would not notice, and later report its own old days as a choice.
    if st.session_state[_names(key)[0]]:
        _show(key, preset, custom)


def _show(key: str, preset: Preset, custom: Days | None) -> None:
    """Let menu and calendars say *preset*, or the days of a custom range."""
    _, menu, first, last = _names(key)
    st.session_state[menu] = preset
    days = custom or _days_of(preset)
    for name, day in zip((first, last), days, strict=True):
        st.session_state[name] = min(max(day, EARLIEST), LATEST)


def _follow_menu(key: str) -> None:
    """Let the calendars show what was chosen in the menu; a custom range starts from what they show."""
    preset = st.session_state[_names(key)[1]]
    if preset is not Preset.CUSTOM_RANGE:
        _show(key, preset, None)


def _follow_days(key: str) -> None:
    st.session_state[_names(key)[1]] = Preset.CUSTOM_RANGE


def _apply(key: str) -> None:
    opened, menu, first, last = _names(key)
    preset = st.session_state[menu]
    st.query_params[PERIOD] = preset
    for parameter, name in ((FIRST, first), (LAST, last)):
        if preset is Preset.CUSTOM_RANGE:
            st.query_params[parameter] = st.session_state[name].isoformat()
        else:
            st.query_params.pop(parameter, None)
    st.session_state[opened] = False
    st.session_state[f"{key}_page"] = 1


def _days_of(preset: Preset) -> Days:
    """Return the first and the last day the preset touches; today twice for a range that is not chosen yet."""
    _, viewer = session.current()
    asked = Preset.TODAY if preset is Preset.CUSTOM_RANGE else preset
    period = resolve_period(asked, session.now(), viewer.time_zone)
    ends = (period.start, period.end - timedelta(microseconds=1))
    first, last = (formats.in_zone(end, viewer.time_zone).date() for end in ends)
    return first, last
