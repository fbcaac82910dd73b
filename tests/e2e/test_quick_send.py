"""Quick Send as a person types it: chips, a double click, and the campaign it becomes."""

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.reports.paging import PageRequest
from tests.e2e.driver import adds_up, enter, is_in_sight, open_page, settled
from tests.support.processes.installation import Installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

PASTE = """(field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", text);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def numbers(page: Page) -> list[str]:
    return [text[:-1].strip() for text in page.locator(".numbers li").all_inner_texts()]


def test_numbers_become_chips_and_the_message_is_sent_once(browser: Browser, demo: Installation):
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/quick_send")
        page.get_by_role("textbox", name="Sender").fill("MERIDIAN")
        field = page.get_by_label("Recipients (E.G. +15417543010)")
        field.fill("+49 179 6548754")
        field.press("Enter")
        field.fill("12ab")
        field.press("Enter")
        expect(page.get_by_text("Not a phone number: 12ab").first).to_be_visible()
        field.fill("")
        field.evaluate(PASTE, "+491796548755\n0049 179 6548756;+491796548754")
        expect(page.locator(".numbers li")).to_have_count(3)
        assert numbers(page) == ["+491796548754", "+491796548755", "+491796548756"]
        field.press("Backspace")
        expect(page.locator(".numbers li.marked")).to_have_count(1)
        field.press("Backspace")
        expect(page.locator(".numbers li")).to_have_count(2)
        page.get_by_role("button", name="Remove +491796548755").click()
        expect(page.locator(".numbers li")).to_have_count(1)
        page.get_by_role("textbox", name="Message", exact=True).fill("Doors open at 8.")
        page.get_by_role("textbox", name="Message", exact=True).blur()
        settled(page)
        expect(page.get_by_text("Messages in total: 1").first).to_be_visible()
        assert is_in_sight(page.get_by_role("button", name="Send", exact=True))
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Ok").dblclick()
        expect(page.get_by_role("heading", name="Campaign", exact=True)).to_be_visible()
        expect(page.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible(timeout=60_000)
        adds_up(page)
    viewer = demo.app.people.adding.get_viewer()
    found = demo.app.campaigns.composing.page(viewer, PageRequest(size=50)).items
    assert [item.message for item in found if item.source == "quick_send"] == ["Doors open at 8."]


def test_what_keeps_a_message_from_being_sent_is_in_sight(browser: Browser, demo: Installation):
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/quick_send")
        page.get_by_role("button", name="Send", exact=True).click()
        assert is_in_sight(page.get_by_role("alert").filter(has_text="There are no recipients."))


# Between two things a person does, the browser is busy: the answer to the first has come, and is not read yet.
TWO_AT_ONCE = """async ([first, second]) => {
    first.click();
    await new Promise((done) => setTimeout(done));
    const begun = performance.now();
    while (performance.now() - begun < 1000);
    second.click();
}"""


def test_what_is_taken_back_quickly_leaves_a_page_that_lives(browser: Browser, demo: Installation):
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/quick_send")
        field = page.get_by_label("Recipients (E.G. +15417543010)")
        for count in (1, 2):
            field.fill(f"+4917965487{count}0")
            field.press("Enter")
            expect(page.get_by_text(f"Recipients: {count} · ").first).to_be_visible()
            settled(page)
        # The browser lets go of the field as it was with one number when the first run ends, and the second brings it.
        switch = page.get_by_role("switch", name="Replace typographic characters")
        remove = page.get_by_role("button", name="Remove +491796548720")
        page.evaluate(TWO_AT_ONCE, [switch.element_handle(), remove.element_handle()])
        expect(page.get_by_text("Recipients: 1 · ").first).to_be_visible()
        settled(page)
        field.fill("+491796548730")
        field.press("Enter")
        expect(page.get_by_text("Recipients: 2 · ").first).to_be_visible()
