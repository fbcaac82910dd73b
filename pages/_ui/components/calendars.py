"""Two calendars side by side: the first chooses the first day of a range, the second the last."""

from dataclasses import dataclass
from datetime import date
from string import Template
from typing import Any

import streamlit as st

from pages._ui.components.assets import read

_CALENDAR = Template(read("calendars.html"))
_ENDS = {"first": "From", "last": "To"}
_CALENDARS = st.components.v2.component(
    "heliograph_calendars",
    html=f'<div class="calendars">{"".join(_CALENDAR.substitute(end=end, label=_ENDS[end]) for end in _ENDS)}</div>',
    css=read("calendars.css"),
    js=read("calendar_days.js", "calendars.js"),
)


@dataclass(frozen=True)
class Days:
    """A range of days, both ends included."""

    first: date
    last: date

    def holds(self, other: "Days") -> bool:
        """Tell whether *other* is a range that runs forward and lies within this one."""
        return self.first <= other.first <= other.last <= self.last

    def nearest(self, other: "Days") -> "Days":
        """Return the range within this one that is nearest to *other*, which an address may turn round."""
        first, last = (min(max(day, self.first), self.last) for day in (other.first, other.last))
        return Days(first, max(first, last))


@dataclass(frozen=True)
class Choice:
    """What was chosen; not *finished* while a field holds something typed that is no day."""

    days: Days
    finished: bool


def calendars(*, key: str, today: date, bounds: Days) -> None:
    """Draw the calendars with the days last shown or chosen; only days within *bounds* can be chosen."""
    days = shown(key, bounds)
    _CALENDARS(
        key=key,
        data={
            "first": days.first.isoformat(),
            "last": days.last.isoformat(),
            "epoch": _epoch(key),
            "today": today.isoformat(),
            "earliest": bounds.first.isoformat(),
            "latest": bounds.last.isoformat(),
        },
        on_chosen_change=lambda: None,
    )


def show(key: str, days: Days) -> None:
    """Let the calendars show *days*, over whatever was chosen in them."""
    if _said(key) is None and st.session_state.get(f"{key}_shown") == days:
        # They do; and what is being chosen while this runs is not to be lost.
        return
    st.session_state[f"{key}_epoch"] = _epoch(key) + 1
    st.session_state[f"{key}_shown"] = days


def shown(key: str, bounds: Days) -> Days:
    """Return the days the calendars stand at."""
    choice = find_choice(key, bounds)
    days: Days = choice.days if choice else st.session_state[f"{key}_shown"]
    return days


def find_choice(key: str, bounds: Days) -> Choice | None:
    """Return what was chosen since `show`, or None. What is no range within *bounds* is no choice either."""
    chosen = _said(key)
    if chosen is None:
        return None
    days = _parse(chosen)
    return Choice(days, chosen.get("finished") is True) if days and bounds.holds(days) else None


def _said(key: str) -> dict[str, Any] | None:
    chosen = (st.session_state.get(key) or {}).get("chosen")
    # It comes from the browser, where anybody may write anything into it.
    return chosen if isinstance(chosen, dict) and chosen.get("epoch") == _epoch(key) else None


def _parse(chosen: dict[str, Any]) -> Days | None:
    try:
        return Days(*(date.fromisoformat(str(chosen.get(end))) for end in _ENDS))
    except ValueError:
        return None


def _epoch(key: str) -> int:
    return int(st.session_state.get(f"{key}_epoch", 0))
