"""Campaigns as a person looks for one: search, filters, order, pages, the eye, and the clone."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.reports.paging import PageRequest
from tests.e2e.driver import enter, open_page, settled
from tests.e2e.studio import CLONE_PX, EYE_PX, Studio, cells, click_row, now, people
from tests.support.processes.installation import Installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

NAMES = [f"Aster {number:02d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def asters(studio: Studio) -> Studio:
    """Twelve campaigns: one scheduled (05), one of the slow account (07), the others drafts."""
    guests = studio.upload("Aster guests", people(2, 5_000_000))
    for name in NAMES:
        if name == "Aster 07":
            studio.draft(name, account_id=studio.slow.account_id)
        elif name == "Aster 05":
            planned = studio.draft(name, (guests,), schedule_at=now() + timedelta(days=3))
            studio.running.app.campaigns.launching.launch(studio.viewer, planned.campaign_id, now())
        else:
            studio.draft(name, (guests,))
    return studio


def see(page: Page, *names: str) -> None:
    """Wait until the table shows exactly these campaigns, in this order."""
    expect(cells(page, "Aster")).to_have_text(names)


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("combobox", name=field).click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")
    settled(page)


def search(page: Page, term: str) -> None:
    field = page.get_by_placeholder("Search by name")
    field.fill(term)
    field.press("Enter")
    settled(page)


def test_search_pages_and_order_find_every_campaign(browser: Browser, asters: Studio):
    with person(browser, asters.url) as page:
        asters.enter(page)
        open_page(page, "/campaigns")
        search(page, "aSTER")
        expect(page.get_by_text("1–10 of 12").first).to_be_visible()
        # The newest first, which is how they were made.
        see(page, *NAMES[:1:-1])
        page.get_by_role("button", name="Page 2").click()
        expect(page.get_by_text("11–12 of 12").first).to_be_visible()
        see(page, "Aster 02", "Aster 01")
        search(page, "aster 1")
        expect(page.get_by_text("1–3 of 3").first).to_be_visible()
        choose(page, "Sort by", "Name")
        expect(page).to_have_url(re.compile("campaigns_sort=Name"))
        see(page, "Aster 10", "Aster 11", "Aster 12")
        search(page, "no such campaign")
        expect(page.get_by_text("Nothing found").first).to_be_visible()


def test_filters_stay_in_the_address_through_a_reload_and_the_way_back(browser: Browser, asters: Studio):
    with person(browser, asters.url) as page:
        asters.enter(page)
        open_page(page, "/campaigns")
        search(page, "aster")
        choose(page, "Status", "Scheduled")
        expect(page.get_by_text("1–1 of 1").first).to_be_visible()
        see(page, "Aster 05")
        choose(page, "Account", "Slow lane")
        expect(page.get_by_text("Nothing found").first).to_be_visible()
        page.reload()
        settled(page)
        expect(page.get_by_text("Nothing found").first).to_be_visible()
        open_page(page, "/campaigns?campaigns_search=aster&campaigns_account=Slow+lane")
        expect(page.get_by_placeholder("Search by name")).to_have_value("aster")
        expect(page.get_by_text("1–1 of 1").first).to_be_visible()
        see(page, "Aster 07")
        click_row(page, 0, EYE_PX)
        expect(page.get_by_role("heading", name="Aster 07")).to_be_visible()
        expect(page.locator(".st-key-campaign_header").get_by_text("Inactive").first).to_be_visible()
        page.go_back()
        settled(page)
        expect(page.get_by_text("1–1 of 1").first).to_be_visible()
        see(page, "Aster 07")


def test_clone_asks_for_a_name_and_cancel_leaves_nothing(browser: Browser, asters: Studio):
    def clones() -> list:
        found = asters.running.app.campaigns.composing.page(asters.viewer, PageRequest(size=50, search="Bluebell"))
        return list(found.items)

    with person(browser, asters.url) as page:
        asters.enter(page)
        open_page(page, "/campaigns?campaigns_search=aster+05")
        click_row(page, 0, CLONE_PX)
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_label("Name of the copy")).to_have_value("Copy of Aster 05")
        dialog.get_by_label("Name of the copy").fill("Bluebell 01")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        settled(page)
        assert clones() == []
        click_row(page, 0, CLONE_PX)
        dialog.get_by_label("Name of the copy").fill("B")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("3 to 50 characters")
        dialog.get_by_label("Name of the copy").fill("Bluebell 02")
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_role("textbox", name="Campaign Name")).to_have_value("Bluebell 02")
        expect(page.get_by_text("Bluebell 02 is saved as a draft.").first).to_be_visible()
        expect(page.get_by_text("Aster guests – 2\u00a0recipients").first).to_be_visible()
    (copy,) = clones()
    assert (copy.name, copy.status, copy.schedule_at) == ("Bluebell 02", CampaignStatus.INACTIVE, None)


def test_the_numbers_of_a_campaign_stay_on_one_line_on_a_phone(browser: Browser, demo: Installation):
    found = demo.app.campaigns.composing.page(demo.app.people.adding.get_viewer(), PageRequest(size=50)).items
    campaign_id = next(item.campaign_id for item in found if item.name == "Ski season opener")
    with person(browser, demo.url, phone=True) as page:
        enter(page, demo)
        open_page(page, f"/campaign?id={campaign_id}")
        for card in ("reconciliation", "delivery"):
            numbers = page.locator(f".st-key-campaign_{card} td p")
            expect(numbers.last).to_have_text(re.compile(r"^\d+\s\d{3}$"))
            heights = numbers.evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
            assert len(set(heights)) == 1, (card, heights)
