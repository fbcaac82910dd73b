"""Filter By Date: the guide's nine choices and two calendars, kept in the page's address."""

from datetime import date, timedelta

import streamlit as st

from core.domain.people.permissions import Viewer
from core.domain.times.periods import FIRST_YEAR, LAST_YEAR, Period, Preset, resolve_period
from pages._ui import address, formats, session
from pages._ui.components import calendars
from pages._ui.components.calendars import Days

PERIOD, FIRST, LAST = "period", "from", "to"
BOUNDS = Days(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))


def choose(key: str, viewer: Viewer, default: Preset) -> Period:
    """
    Draw the menu and return the period it means now, in the viewer's zone; *key* is the page's.

    Raises: InvalidInput: a custom range without both of its days, or in the wrong order.
    """
    word = address.get(PERIOD)
    preset = Preset(word) if word in set(Preset) else default
    custom = _asked_days() if preset is Preset.CUSTOM_RANGE else None
    _menu(key, preset, custom)
    return resolve_period(preset, session.now(), viewer.time_zone, (custom.first, custom.last) if custom else None)


def _asked_days() -> Days | None:
    try:
        return Days(*(date.fromisoformat(address.get(name)) for name in (FIRST, LAST)))
    except ValueError:
        return None


@st.fragment
def _menu(key: str, preset: Preset, custom: Days | None) -> None:
    """Draw the menu beside the calendars; nothing is asked of the stores before Apply."""
    label = f"{custom.first:%d/%m/%Y} – {custom.last:%d/%m/%Y}" if custom else preset
    opened, menu, days = _names(key)
    if menu not in st.session_state:
        _show(key, preset, custom)
    if calendars.find_choice(days, BOUNDS):
        st.session_state[menu] = Preset.CUSTOM_RANGE
    with (
        st.popover(
            f"Filter By Date: **{label}**",
            icon=":material/calendar_month:",
            key=opened,
            on_change=_start_over,
            args=(key, preset, custom),
        ),
        st.container(horizontal=True, key=f"{key}_menu_and_calendars"),
    ):
        st.radio("Period", list(Preset), key=menu, width=150, on_change=_follow_menu, args=(key,))
        with st.container():
            calendars.calendars(key=days, today=_today(), bounds=BOUNDS)
            if st.button("Apply", type="primary", key=f"{key}_apply", width="stretch", on_click=_apply, args=(key,)):
                st.rerun()


def _names(key: str) -> tuple[str, str, str]:
    return f"{key}_filter_by_date", f"{key}_{PERIOD}", f"{key}_days"


def _start_over(key: str, preset: Preset, custom: Days | None) -> None:
    """Opened again, show what holds, not what was chosen and then left without Apply."""
    # Closed, the browser would not notice, and later report its own old choice as a new one.
    if st.session_state[_names(key)[0]]:
        _show(key, preset, custom)


def _show(key: str, preset: Preset, custom: Days | None) -> None:
    """Let menu and calendars say *preset*, or the days of a custom range."""
    _, menu, days = _names(key)
    st.session_state[menu] = preset
    calendars.show(days, BOUNDS.nearest(custom or _days_of(preset)))


def _follow_menu(key: str) -> None:
    """Let the calendars show what was chosen in the menu; a custom range starts from what they show."""
    preset = st.session_state[_names(key)[1]]
    if preset is not Preset.CUSTOM_RANGE:
        _show(key, preset, None)


def _apply(key: str) -> None:
    opened, menu, days = _names(key)
    choice = calendars.find_choice(days, BOUNDS)
    if choice and not choice.finished:
        # The calendar says what is wrong with what was typed.
        return
    # The choice may have come in one message with the click, before the menu could follow it.
    preset = Preset.CUSTOM_RANGE if choice else st.session_state[menu]
    address.put(PERIOD, preset)
    shown = calendars.shown(days, BOUNDS)
    for parameter, day in ((FIRST, shown.first), (LAST, shown.last)):
        if preset is Preset.CUSTOM_RANGE:
            address.put(parameter, day.isoformat())
        else:
            address.drop(parameter)
    st.session_state[opened] = False
    st.session_state[f"{key}_page"] = 1


def _today() -> date:
    _, viewer = session.current()
    return formats.in_zone(session.now(), viewer.time_zone).date()


def _days_of(preset: Preset) -> Days:
    """Return the first and the last day the preset touches; today twice for a range that is not chosen yet."""
    _, viewer = session.current()
    asked = Preset.TODAY if preset is Preset.CUSTOM_RANGE else preset
    period = resolve_period(asked, session.now(), viewer.time_zone)
    ends = (period.start, period.end - timedelta(microseconds=1))
    return Days(*(formats.in_zone(end, viewer.time_zone).date() for end in ends))
