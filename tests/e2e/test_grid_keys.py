"""The icons in the rows of tables by keyboard: the arrows lead to them, Enter and Space do what a click does."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.driver import enter, open_page
from tests.support.processes.installation import Installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, demo: Installation):
    with person(browser, demo.url) as page:
        enter(page, demo)
        yield page


def text_of(page: Page, column: int, row: int) -> str:
    cell = page.locator(f"#glide-cell-{column}-{row}")
    expect(cell).to_be_attached()
    return cell.inner_text()


def enter_grid(page: Page) -> None:
    """Give the first cell of the page's table the focus."""
    first = page.locator("[role=gridcell]").first
    expect(first).to_be_attached()
    page.get_by_test_id("data-grid-canvas").focus()
    expect(first).to_be_focused()


def press(page: Page, *keys: str) -> None:
    """Press *keys* in one go, each before the table can have told where the one before has led."""
    for key in keys:
        page.keyboard.press(key)


def test_a_key_acts_on_the_campaign_the_arrows_have_just_led_to(page: Page):
    open_page(page, "/campaigns")
    name = text_of(page, 2, 2)
    enter_grid(page)
    press(page, "ArrowDown", "ArrowDown", "Enter")
    page.wait_for_url("**/campaign?id=*")
    expect(page.get_by_text(name, exact=True).first).to_be_visible()


def test_the_second_icon_of_a_row_is_another_action(page: Page):
    open_page(page, "/campaigns")
    enter_grid(page)
    press(page, "ArrowDown", "ArrowRight", "Space")
    expect(page.get_by_role("dialog").get_by_text("Clone campaign").first).to_be_visible()


def test_keys_behind_the_one_that_acts_do_not_lead_it_elsewhere(page: Page):
    open_page(page, "/distribution_lists")
    name = text_of(page, 2, 1)
    enter_grid(page)
    press(page, "ArrowDown", "ArrowRight", "Enter", "ArrowDown", "ArrowDown")
    expect(page.get_by_role("dialog").get_by_text(f"Delete {name}?").first).to_be_visible()


def test_an_icon_at_the_end_of_a_row_acts_too(page: Page):
    open_page(page, "/distribution_lists")
    name = text_of(page, 2, 1)
    enter_grid(page)
    press(page, "ArrowDown", "End", "Enter")
    expect(page.get_by_role("dialog").get_by_text(name, exact=True).first).to_be_visible()


def test_icons_beside_check_boxes_act_on_their_row(page: Page):
    open_page(page, "/message_history")
    enter_grid(page)
    press(page, "ArrowDown", "ArrowRight", "ArrowLeft", "Enter")
    page.wait_for_url("**/message?id=*")


def test_a_screen_reader_hears_what_an_icon_does_and_can_press_it(page: Page):
    open_page(page, "/campaigns")
    enter_grid(page)
    icon = page.locator("#glide-cell-0-0")
    expect(icon).to_have_attribute("aria-label", "View")
    icon.dispatch_event("click")
    page.wait_for_url("**/campaign?id=*")


def test_where_there_is_no_icon_the_keys_stay_the_tables_own(page: Page):
    open_page(page, "/campaigns")
    name = text_of(page, 2, 0)
    enter_grid(page)
    press(page, "ArrowRight", "ArrowRight", "Enter")
    # The table shows a cell's whole text in a box above it.
    expect(page.locator("#portal textarea")).to_have_value(name)
