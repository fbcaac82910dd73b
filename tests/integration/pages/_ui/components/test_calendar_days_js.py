"""The calendars' arithmetic in the browser, against Python's calendar."""

import calendar
import json
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.tools import require_binary

SCRIPT = Path(__file__).parents[5] / "pages" / "_ui" / "components" / "calendar_days.js"
ANSWER = """
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((it) => EXPRESSION)));
"""
EPOCH = date(1970, 1, 1)
# Leap days, centuries with and without one, both ends of what may be chosen, and every kind of month between.
DAYS = [
    EPOCH,
    date(1972, 2, 29),
    date(2000, 2, 29),
    date(2026, 2, 1),
    date(2026, 3, 31),
    date(2028, 2, 29),
    date(2100, 2, 28),
    date(2999, 12, 31),
    *(date(2026, 11, 26) + timedelta(days=37 * step) for step in range(60)),
]

Ask = Callable[[str, list[Any]], list[Any]]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Return a function that evaluates an expression about `it` for every case."""
    node = require_binary("node")

    def run(expression: str, cases: list[Any]) -> list[Any]:
        done = subprocess.run(
            [node, "-e", SCRIPT.read_text("utf-8") + ANSWER.replace("EXPRESSION", expression)],
            input=json.dumps(cases),
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    return run


def number(day: date) -> int:
    return (day - EPOCH).days


def numbers(days: list[date]) -> list[int]:
    return [number(day) for day in days]


def months_later(day: date, count: int) -> date:
    year, month = divmod(12 * day.year + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def test_days_are_read_and_written(ask: Ask):
    texts = [day.isoformat() for day in DAYS]
    assert ask("parseIso(it)", texts) == numbers(DAYS)
    assert ask("toIso(it)", numbers(DAYS)) == texts
    assert ask("toTyped(it)", numbers(DAYS)) == [f"{day:%d/%m/%Y}" for day in DAYS]
    assert ask("parseTyped(it)", [f"{day:%d/%m/%Y}" for day in DAYS]) == numbers(DAYS)


def test_days_are_typed_as_people_do(ask: Ask):
    assert ask("parseTyped(it)", ["1/3/2026", " 01.03.2026 ", "1-3-2026"]) == [number(date(2026, 3, 1))] * 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "31/02/2026",
        "29/02/2100",
        "00/01/2026",
        "01/13/2026",
        "1/1/26",
        "2026-03-01",
        "1/1/0026",
        "1/1/1/1",
    ],
)
def test_what_is_no_day_is_none(ask: Ask, text: str):
    assert ask("parseTyped(it)", [text]) == [None]


def test_days_have_their_names(ask: Ask):
    names = [f"{day:%A} {day.day} {day:%B} {day.year}" for day in DAYS]
    assert ask("describeDay(it)", numbers(DAYS)) == names
    assert ask("describeMonth(it)", numbers(DAYS)) == [f"{day:%B %Y}" for day in DAYS]
    assert ask("weekdayOf(it)", numbers(DAYS)) == [day.weekday() for day in DAYS]
    # Before 1970 days are counted backwards.
    assert ask("weekdayOf(it)", [-1, -4, -8]) == [2, 6, 2]


@pytest.mark.parametrize("count", [-12, -1, 1, 12, 25])
def test_another_month_keeps_the_date_or_ends_with_the_month(ask: Ask, count: int):
    days = [day for day in DAYS if 1971 < day.year < 2990]
    expected = [number(months_later(day, count)) for day in days]
    assert ask(f"addMonths(it, {count})", numbers(days)) == expected


def test_a_month_is_six_weeks_from_monday_on(ask: Ask):
    def laid_out(day: date) -> list[int | None]:
        weeks = calendar.Calendar(firstweekday=0).monthdayscalendar(day.year, day.month)
        dates = [date_ for week in weeks for date_ in week]
        found = [number(day.replace(day=date_)) if date_ else None for date_ in dates]
        return found + [None] * (42 - len(found))

    assert ask("layOutMonth(it)", numbers(DAYS)) == [laid_out(day) for day in DAYS]


@pytest.mark.parametrize(
    ("key", "shift", "expected"),
    [
        ("ArrowLeft", False, date(2028, 2, 28)),
        ("ArrowRight", False, date(2028, 3, 1)),
        ("ArrowUp", False, date(2028, 2, 22)),
        ("ArrowDown", False, date(2028, 3, 7)),
        ("Home", False, date(2028, 2, 28)),
        ("End", False, date(2028, 3, 5)),
        ("PageUp", False, date(2028, 1, 29)),
        ("PageDown", False, date(2028, 3, 29)),
        ("PageUp", True, date(2027, 2, 28)),
        ("PageDown", True, date(2029, 2, 28)),
    ],
)
def test_keys_lead_to_days(ask: Ask, key: str, shift: bool, expected: date):
    # A Tuesday.
    leap_day = number(date(2028, 2, 29))
    assert ask("followKey(it.day, it.key, it.shift)", [{"day": leap_day, "key": key, "shift": shift}]) == [
        number(expected)
    ]


def test_other_keys_lead_nowhere(ask: Ask):
    assert ask("followKey(20000, it, false)", ["a", "Tab", "Escape", "constructor"]) == [None] * 4


@pytest.mark.parametrize(
    ("end", "day", "expected"),
    [
        ("first", 5, (5, 20)),
        ("first", 20, (20, 20)),
        ("first", 30, (30, 30)),
        ("last", 30, (10, 30)),
        ("last", 10, (10, 10)),
        ("last", 5, (5, 5)),
    ],
)
def test_a_range_is_never_turned_round(ask: Ask, end: str, day: int, expected: tuple[int, int]):
    case = {"end": end, "day": day}
    (found,) = ask("chooseEnd({ first: 10, last: 20 }, it.end, it.day)", [case])
    assert (found["first"], found["last"]) == expected


def test_days_are_kept_within_bounds(ask: Ask):
    assert ask("keepWithin(it, { earliest: 10, latest: 20 })", [5, 15, 25]) == [10, 15, 20]
