"""Filter By Date as a person uses it: with the mouse, with the keyboard, and on a phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.driver import enter, open_page, settled
from tests.support.processes.installation import Installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

MARCH = "/statistics?period=Custom+range&from=2026-03-10&to=2026-03-20"


@pytest.fixture(params=[False, True], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, demo: Installation) -> Iterator[Page]:
    with person(browser, demo.url, phone=request.param) as found:
        enter(found, demo)
        open_page(found, MARCH)
        open_calendars(found)
        yield found


def open_calendars(page: Page) -> None:
    page.get_by_role("button", name="Filter By Date").click()
    expect(calendar(page, "From")).to_be_visible()
    settled(page)


def calendar(page: Page, label: str) -> Locator:
    return page.get_by_role("region", name=label, exact=True)


def day(page: Page, label: str, name: str) -> Locator:
    return calendar(page, label).get_by_role("gridcell", name=re.compile(f"^{name}"))


def expect_days(page: Page, first: str, last: str) -> None:
    expect(page.get_by_role("textbox", name="From", exact=True)).to_have_value(first)
    expect(page.get_by_role("textbox", name="To", exact=True)).to_have_value(last)


def apply(page: Page, first: str, last: str) -> None:
    """Click Apply, and see that the address holds the days and the button names them."""
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(f"period=Custom\\+range&from={first}&to={last}"))
    expect(calendar(page, "From")).to_have_count(0)
    settled(page)


def test_a_range_is_chosen_with_the_mouse(page: Page):
    expect_days(page, "10/03/2026", "20/03/2026")
    calendar(page, "From").get_by_role("button", name="Previous month").click()
    day(page, "From", "Tuesday 3 February 2026").click()
    expect(page.get_by_role("radio", name="Custom range")).to_be_checked()
    calendar(page, "To").get_by_role("combobox", name="Month").select_option("April")
    day(page, "To", "Wednesday 1 April 2026").click()
    expect_days(page, "03/02/2026", "01/04/2026")
    # Both calendars mark the days between.
    for label, name in (("From", "Saturday 28 February 2026"), ("To", "Wednesday 1 April 2026")):
        expect(day(page, label, name)).to_have_attribute("aria-label", f"{name}, in the range")
    apply(page, "2026-02-03", "2026-04-01")


def test_a_range_is_chosen_with_the_keyboard(page: Page):
    day(page, "From", "Tuesday 10 March 2026").focus()
    # 11th, 18th, a month back, Monday of that week, two years back.
    for key in ("ArrowRight", "ArrowDown", "PageUp", "Home", "Shift+PageUp", "Shift+PageUp"):
        page.keyboard.press(key)
    expect(day(page, "From", "Friday 16 February 2024")).to_be_focused()
    expect(calendar(page, "From").get_by_role("grid")).to_have_attribute("aria-label", "First day, February 2024")
    page.keyboard.press("Enter")
    expect_days(page, "16/02/2024", "20/03/2026")
    expect(day(page, "From", "Friday 16 February 2024")).to_have_attribute("aria-selected", "true")
    expect(day(page, "From", "Friday 16 February 2024")).to_be_focused()
    day(page, "To", "Friday 20 March 2026").focus()
    for key in ("PageDown", "ArrowUp", "End", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect_days(page, "16/02/2024", "18/04/2026")
    settled(page)
    apply(page, "2024-02-16", "2026-04-18")


def test_a_day_chosen_switches_the_menu_to_custom_range(page: Page):
    open_page(page, "/statistics?period=Last+30+Days")
    open_calendars(page)
    expect(page.get_by_role("radio", name="Last 30 Days")).to_be_checked()
    # At once, as a hurried person does.
    first = page.get_by_role("textbox", name="From", exact=True)
    first.fill("02/03/2026")
    first.press("Enter")
    expect(page.get_by_role("radio", name="Custom range")).to_be_checked()
    expect(first).to_have_value("02/03/2026")


def test_the_other_end_follows_and_a_year_is_jumped_to(page: Page):
    calendar(page, "From").get_by_role("spinbutton", name="Year").fill("2030")
    page.keyboard.press("Tab")
    day(page, "From", "Sunday 31 March 2030").click()
    expect_days(page, "31/03/2030", "31/03/2030")
    expect(calendar(page, "To").get_by_text("Moved forward with the start date.").first).to_be_visible()
    settled(page)
    apply(page, "2030-03-31", "2030-03-31")


def test_days_are_typed_and_what_is_none_is_explained(page: Page):
    first = page.get_by_role("textbox", name="From", exact=True)
    first.fill("31/02/2026")
    # What is wrong is said before anything is asked of the stores.
    page.get_by_role("button", name="Apply").click()
    expect(calendar(page, "From").get_by_text("Not a date. Enter it as DD/MM/YYYY.").first).to_be_visible()
    settled(page)
    expect(page).to_have_url(re.compile(re.escape(MARCH)))
    first.fill("01/01/1969")
    first.press("Enter")
    expect(calendar(page, "From").get_by_text("Only 01/01/1970 to 31/12/2999.").first).to_be_visible()
    first.fill("1/3/2026")
    # The click is what ends the typing.
    apply(page, "2026-03-01", "2026-03-20")


def test_bounds_cannot_be_left(page: Page):
    calendar(page, "From").get_by_role("spinbutton", name="Year").fill("1900")
    page.keyboard.press("Tab")
    expect(calendar(page, "From").get_by_role("spinbutton", name="Year")).to_have_value("1970")
    day(page, "From", "Tuesday 10 March 1970").focus()
    for key in ("PageUp", "PageUp", "PageUp"):
        page.keyboard.press(key)
    expect(day(page, "From", "Thursday 1 January 1970")).to_be_focused()
    expect(calendar(page, "From").get_by_role("button", name="Previous month")).to_be_disabled()


def test_a_preset_moves_both_calendars_and_what_is_left_is_forgotten(page: Page):
    page.locator("label").filter(has_text="Last 7 Days").click()
    expect(page.get_by_role("textbox", name="From", exact=True)).not_to_have_value("10/03/2026")
    expect(calendar(page, "To").locator("[aria-current=date]")).to_have_attribute("aria-selected", "true")
    settled(page)
    expect(page).to_have_url(re.compile(re.escape(MARCH)))
    page.keyboard.press("Escape")
    expect(calendar(page, "From")).to_have_count(0)
    open_calendars(page)
    expect_days(page, "10/03/2026", "20/03/2026")
    expect(page.get_by_role("radio", name="Custom range")).to_be_checked()


def test_calendars_stand_side_by_side_or_below_each_other_and_whole(page: Page):
    body = page.get_by_test_id("stPopoverBody")
    assert body.evaluate("element => element.scrollWidth <= element.clientWidth")
    boxes = [calendar(page, label).bounding_box() for label in ("From", "To")]
    menu = page.get_by_role("radiogroup", name="Period").bounding_box()
    height = boxes[0]["height"]
    if page.viewport_size["width"] > 640:
        assert menu["x"] + menu["width"] <= boxes[0]["x"]
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
        assert boxes[0]["y"] == boxes[1]["y"]
    else:
        assert menu["y"] + menu["height"] <= boxes[0]["y"]
        assert boxes[0]["y"] + height <= boxes[1]["y"]
    # A month of four weeks takes the room of one of six.
    calendar(page, "From").get_by_role("spinbutton", name="Year").fill("2027")
    calendar(page, "From").get_by_role("combobox", name="Month").select_option("February")
    assert calendar(page, "From").bounding_box()["height"] == height
