from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

MARCH = {"first": "2026-03-02", "last": "2026-03-20", "finished": True, "epoch": 1}


def draw(first: str) -> None:
    from datetime import date  # noqa: PLC0415 - AppTest runs this function as a script of its own

    import streamlit as st  # noqa: PLC0415

    from pages._ui.components.calendars import Days, calendars, find_choice, show, shown  # noqa: PLC0415

    bounds = Days(date(1970, 1, 1), date(2999, 12, 31))
    if st.session_state.get("asked") != first:
        st.session_state["asked"] = first
        show("days", bounds.nearest(Days(date.fromisoformat(first), date(2026, 3, 31))))
    calendars(key="days", today=date(2026, 3, 14), bounds=bounds)
    days, choice = shown("days", bounds), find_choice("days", bounds)
    st.text(f"{days.first} {days.last} {choice and choice.finished}")


def opened(first: str = "2026-03-01") -> AppTest:
    at = AppTest.from_function(draw, args=(first,)).run()
    assert not at.exception
    return at


def chosen(at: AppTest, chosen: Any) -> str:
    """Let the browser say what was chosen."""
    at.session_state["days"] = {"chosen": chosen}
    at.run()
    assert not at.exception
    return at.text[0].value


def test_calendars_stand_at_the_days_they_were_told_to_show() -> None:
    assert opened().text[0].value == "2026-03-01 2026-03-31 None"


def test_days_out_of_bounds_or_turned_round_begin_with_the_nearest_range() -> None:
    assert opened("0001-01-01").text[0].value == "1970-01-01 2026-03-31 None"
    assert opened("2026-04-02").text[0].value == "2026-04-02 2026-04-02 None"


def test_what_is_chosen_holds() -> None:
    at = opened()
    assert chosen(at, MARCH) == "2026-03-02 2026-03-20 True"
    at.run()
    assert at.text[0].value == "2026-03-02 2026-03-20 True"


def test_a_choice_is_forgotten_when_other_days_are_shown() -> None:
    at = opened()
    chosen(at, MARCH)
    at.args = ("2026-02-01",)
    at.run()
    assert at.text[0].value == "2026-02-01 2026-03-31 None"


@pytest.mark.parametrize(
    "nonsense",
    [
        "2026-03-02",
        [],
        {"epoch": 1},
        MARCH | {"epoch": 0},
        MARCH | {"first": "02/03/2026"},
        MARCH | {"first": None},
        MARCH | {"first": "2026-03-21"},
        MARCH | {"first": "1969-12-31"},
        MARCH | {"last": "3000-01-01"},
    ],
)
def test_what_is_no_range_within_bounds_is_no_choice(nonsense: Any) -> None:
    assert chosen(opened(), nonsense) == "2026-03-01 2026-03-31 None"
