"""The menu of a phone, in a browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.driver import enter, open_page
from tests.support.processes.installation import Installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser


def test_the_closed_menu_of_a_phone_takes_no_tab(browser: Browser, demo: Installation):
    with person(browser, demo.url, phone=True) as page:
        page.goto("/login")
        enter(page, demo)
        open_page(page, "/statistics")
        menu = page.get_by_test_id("stSidebar")
        expect(menu).to_have_attribute("data-collapsed", "true")
        for _ in range(10):
            page.keyboard.press("Tab")
            assert not menu.evaluate("menu => menu.contains(document.activeElement)"), "Tab leads to what nobody sees"
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(menu.get_by_role("link", name="Users")).to_be_in_viewport()
