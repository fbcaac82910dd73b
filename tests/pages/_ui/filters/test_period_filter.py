"""Filter By Date, on Message History: Statistics has the same."""

import json
from datetime import date, timedelta

import pytest

from pages._ui import session
from tests.pages.test_message_history import mine, receivers
from tests.support.application.page_tests import House

KEY = "message_history"


def say_chosen(at, first: date, last: date, *, finished: bool = True) -> None:
    """Let the browser say with its next run what was chosen in the calendars: AppTest cannot click there."""
    days = {"first": first.isoformat(), "last": last.isoformat()}
    at.session_state[f"{KEY}_days"] = {"chosen": days | {"finished": finished, "epoch": sent(at)["epoch"]}}


def choose_days(at, first: date, last: date) -> None:
    say_chosen(at, first, last)
    at.run()
    assert not at.exception


def sent(at) -> dict:
    """Return what the calendars in the browser are told."""
    told = [json.loads(component.proto.json or "null") for component in at.get("bidi_component")]
    # The frame has a component too, which is told nothing of the kind.
    (days,) = [each for each in told if isinstance(each, dict) and "epoch" in each]
    return days


def shown_days(at) -> tuple[str, str]:
    return sent(at)["first"], sent(at)["last"]


@pytest.mark.usefixtures("stopped_clock")
def test_a_day_chosen_in_a_calendar_makes_a_custom_range(house: House) -> None:
    viewer = house.sign_in()
    day = (session.now() - timedelta(days=40)).replace(hour=12)
    house.record([mine(viewer), mine(viewer, sent_at=day, receiver="+491791111111")])
    at = house.open(KEY)
    choose_days(at, day.date(), session.now().date())
    assert at.radio(key=f"{KEY}_period").value == "Custom range"
    assert receivers(at) == ["+491796548754"]
    choose_days(at, day.date(), day.date())
    at.button(key=f"{KEY}_apply").click().run()
    assert receivers(at) == ["+491791111111"]
    assert at.query_params["from"] == at.query_params["to"] == day.date().isoformat()


def test_a_day_chosen_last_counts_although_the_menu_has_not_followed_yet(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    day = date(2026, 3, 2)
    say_chosen(at, day, day)
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert (at.query_params["period"], at.query_params["from"]) == ("Custom range", "2026-03-02")


def test_apply_waits_while_a_typed_day_is_none(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    say_chosen(at, date(2026, 3, 2), date(2026, 3, 3), finished=False)
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert "period" not in at.query_params
    choose_days(at, date(2026, 3, 2), date(2026, 3, 4))
    at.button(key=f"{KEY}_apply").click().run()
    assert at.query_params["to"] == "2026-03-04"


@pytest.mark.usefixtures("stopped_clock")
def test_calendars_show_the_days_of_what_is_chosen_in_the_menu(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    yesterday = session.now().date() - timedelta(days=1)
    at.radio(key=f"{KEY}_period").set_value("Yesterday").run()
    assert shown_days(at) == (yesterday.isoformat(), yesterday.isoformat())
    assert at.radio(key=f"{KEY}_period").value == "Yesterday"


@pytest.mark.usefixtures("stopped_clock")
def test_a_preset_chosen_after_days_is_what_counts(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    choose_days(at, date(2026, 3, 2), date(2026, 3, 3))
    at.radio(key=f"{KEY}_period").set_value("Today").run()
    today = session.now().date().isoformat()
    assert shown_days(at) == (today, today)
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert at.query_params["period"] == "Today"
    assert "from" not in at.query_params


def test_custom_range_of_the_menu_starts_from_what_the_calendars_show(house: House) -> None:
    house.sign_in()
    at = house.open(KEY)
    at.radio(key=f"{KEY}_period").set_value("Yesterday").run()
    shown = shown_days(at)
    at.radio(key=f"{KEY}_period").set_value("Custom range").run()
    at.button(key=f"{KEY}_apply").click().run()
    assert not at.exception
    assert (at.query_params["from"], at.query_params["to"]) == shown


def test_calendars_show_the_range_of_the_address(house: House) -> None:
    house.sign_in()
    at = house.open(KEY, period="Custom range", **{"from": "2026-03-02", "to": "2026-03-05"})
    assert shown_days(at) == ("2026-03-02", "2026-03-05")
