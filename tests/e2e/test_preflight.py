"""The preflight as a person reads it: findings, their rows, and a launch of exactly what was on screen."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.gateways.simulator.journal import Journal
from core.services.campaigns.composing import draft_of
from core.state.suppressions import suppressions
from tests.e2e.driver import adds_up, open_page, settled
from tests.e2e.studio import Studio, cells, finding, now, number, people, until
from tests.support.application.factories import make_origin
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

FIRST = 5_400_000
# One SMS for everybody but those whose name is not in the GSM alphabet.
TEXT = (
    "Hello {FirstName}, our spring collection is here. Come by this week and take 20 percent off with the code "
    "SPRING. We look forward to it, {Nmae}."
)
PLAIN = {"placeholders": {"FirstName": "FirstName"}, "message": TEXT}


@pytest.fixture(scope="module")
def audience(studio: Studio) -> dict[str, str]:
    """
    Lists by name: 15 rows (3 Łukasz, 2 without a name), 5 of which are in Others too; 2 of the 15 bought already.

    One of Others does not want messages.
    """
    rows = people(10, FIRST) + people(3, FIRST + 10, "Łukasz") + people(2, FIRST + 13, "")
    found = {
        "Guests": studio.upload("Preflight guests", rows),
        "Others": studio.upload("Preflight others", people(5, FIRST) + people(3, FIRST + 50)),
        "Bought": studio.upload("Preflight bought", people(2, FIRST + 8)),
    }
    with studio.running.app.state.write() as session:
        suppressions.add_suppressions(
            session,
            studio.fast.account_id,
            [number(FIRST + 50)],
            make_origin(created_at=now()),
        )
    return found


def show_rows(page: Page, text: str, numbers: list[str]) -> None:
    """Follow a finding to its rows and see exactly *numbers* there."""
    finding(page, text).get_by_role("button", name="Show rows").click()
    expect(page.get_by_text(f"of {len(numbers)}", exact=False).last).to_be_visible()
    expect(cells(page, r"^\+")).to_have_text(numbers)


def launch_bar(page: Page):
    return page.locator(".st-key-preflight_launch_bar")


def test_every_finding_has_its_figures_and_leads_to_exactly_its_rows(
    browser: Browser, studio: Studio, audience: dict[str, str]
):
    earlier = studio.draft("Earlier today", (studio.upload("Preflight earlier", people(1, FIRST + 90)),), **PLAIN)
    studio.running.app.campaigns.launching.launch(studio.viewer, earlier.campaign_id, now())
    draft = studio.draft(
        "Many findings",
        (audience["Guests"], audience["Others"]),
        left_out_ids=(audience["Bought"],),
        fallbacks={"FirstName": "customer"},
        **PLAIN,
    )
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/preflight?id={draft.campaign_id}")
        # 23 rows: 5 twice, 2 left out, 1 suppressed; 3 of the 15 need three SMS: 21 SMS of 5 cents.
        expect(launch_bar(page)).to_contain_text("15\u00a0recipients for €\u00a01.05, immediately")
        expect(page.get_by_text("of 23 rows").first).to_be_visible()
        expect(page.get_by_text("1–15 of 23").first).to_be_visible()
        show_rows(
            page,
            "3\u00a0recipients need 3\u00a0segments instead of 1 because of Ł in {FirstName}: +€\u00a00.30",
            [number(FIRST + offset) for offset in (10, 11, 12)],
        )
        expect(page.get_by_role("heading", name="More segments because of Unicode")).to_be_in_viewport()
        expect(cells(page, "^Hello Łukasz, our spring")).to_have_count(3)
        show_rows(
            page,
            "2\u00a0recipients have no value for {FirstName}: “customer” is used instead",
            [number(FIRST + offset) for offset in (13, 14)],
        )
        expect(cells(page, "^Hello customer, our spring")).to_have_count(2)
        show_rows(page, "5\u00a0recipients are on the lists more than once", [number(FIRST + o) for o in range(5)])
        expect(cells(page, "^Preflight others$")).to_have_count(5)
        show_rows(page, "2\u00a0recipients are on a list that is left out", [number(FIRST + o) for o in (8, 9)])
        show_rows(page, "1\u00a0recipient does not want messages", [number(FIRST + 50)])
        expect(finding(page, "{Nmae} is not a placeholder")).to_be_visible()
        # The address says which rows: a colleague sees the same.
        open_page(page, page.url)
        expect(cells(page, r"^\+")).to_have_text([number(FIRST + 50)])
        page.get_by_role("button", name="Show all rows").click()
        expect(page.get_by_text("1–15 of 23").first).to_be_visible()
        finding(page, "The same text was sent today, by Earlier today").get_by_role("button").click()
        expect(page.get_by_role("heading", name="Earlier today")).to_be_visible()


def test_a_budget_that_does_not_suffice_keeps_the_launch_shut(
    browser: Browser, studio: Studio, audience: dict[str, str]
):
    guests = (studio.upload("Budget guests", people(4, FIRST + 200)),)
    studio.set_budget(Decimal(1_000_000))
    left = studio.running.app.campaigns.preflighting.look(
        studio.viewer, studio.draft("Budget probe", guests).campaign_id, now()
    ).preflight.budget_left_eur_cents
    # Whatever was spent before: 19 cents are left for what costs 20.
    studio.set_budget(Decimal(1_000_000) - left + 19)
    draft = studio.draft("Too dear", guests, message="A budget is a budget.")
    try:
        with person(browser, studio.url) as page:
            studio.enter(page)
            open_page(page, f"/preflight?id={draft.campaign_id}")
            expect(finding(page, "€\u00a00.19 is left this month; €\u00a00.01 more is needed")).to_be_visible()
            expect(launch_bar(page).get_by_role("button", name="Launch")).to_be_disabled()
            studio.set_budget(None)
            page.reload()
            settled(page)
            expect(launch_bar(page).get_by_role("button", name="Launch")).to_be_enabled()
            expect(page.get_by_text("The budget is not enough")).to_have_count(0)
    finally:
        studio.set_budget(None)


def change(studio: Studio, draft: Campaign, message: str) -> None:
    """Let a colleague save the draft with another message."""
    stored = studio.get(draft)
    changed = replace(draft_of(stored), message=message)
    studio.running.app.campaigns.composing.save(studio.viewer, changed, now(), stored.campaign_id, stored.version)


def test_an_edit_between_is_noticed_and_the_new_counts_are_shown_first(browser: Browser, studio: Studio):
    guests = (studio.upload("Edited guests", people(3, FIRST + 300)),)
    draft = studio.draft("Edited meanwhile", guests, message="Short and sweet.")
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/preflight?id={draft.campaign_id}")
        expect(launch_bar(page)).to_contain_text("3\u00a0recipients for €\u00a00.15")
        change(studio, draft, "Long and bitter. " * 10)
        launch_bar(page).get_by_role("button", name="Launch").click()
        trouble = page.get_by_role("alert").filter(has_text="have changed since this preflight")
        expect(trouble).to_be_in_viewport()
        expect(launch_bar(page)).to_contain_text("3\u00a0recipients for €\u00a00.30")
        settled(page)
        assert studio.get(draft).status is CampaignStatus.INACTIVE
        launch_bar(page).get_by_role("button", name="Launch").click()
        expect(page.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible(timeout=60_000)
    assert studio.get(draft).cost_eur_cents == Decimal(30)


def test_launching_in_two_tabs_launches_once(browser: Browser, studio: Studio):
    guests = (studio.upload("Tab guests", people(20, FIRST + 400)),)
    draft = studio.draft("Two tabs", guests, message="Only once, please.")
    journal = Journal(studio.running.app.settings.simulator_path)
    until(lambda: not studio.running.app.campaigns.launching.list_processing(now()))
    before = journal.count_accepted()
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/preflight?id={draft.campaign_id}")
        other = page.context.new_page()
        open_page(other, f"/preflight?id={draft.campaign_id}")
        launch_bar(page).get_by_role("button", name="Launch").click()
        expect(page.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible(timeout=60_000)
        launch_bar(other).get_by_role("button", name="Launch").click()
        refused = other.get_by_role("alert").filter(
            has_text=re.compile("Two tabs: It has already been sent completely")
        )
        expect(refused).to_be_in_viewport()
        other.get_by_role("button", name="Show campaign").last.click()
        expect(other.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible()
        adds_up(other)
    assert journal.list_repeated() == []
    # One answer in 50 000 is lost, and one in 500 is a refusal.
    assert 18 <= journal.count_accepted() - before <= 20
