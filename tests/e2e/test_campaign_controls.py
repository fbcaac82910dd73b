"""A campaign under way as a person watches and steers it, and the people behind each of its numbers."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.domain.campaigns.campaigns import CampaignStatus, Source
from core.domain.reports.paging import PageRequest
from tests.e2e.driver import adds_up, metric, open_page, settled
from tests.e2e.studio import Studio, cells, now, number, people, until
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

FIRST = 5_600_000
COUNT = 1_200


def state(page: Page, word: str) -> None:
    expect(page.locator(".st-key-campaign_header").get_by_text(word).first).to_be_visible()


def line(page: Page, label: str) -> Locator:
    """Return a line of the reconciliation."""
    return page.locator(".st-key-campaign_reconciliation tr").filter(has_text=re.compile(f"^{label}"))


def count(page: Page, label: str) -> int:
    """Return the number of a line, or of all that begin so: what failed has one for each reason."""
    lines = line(page, label).all()
    assert lines, f"there is no line {label}"
    return sum(int(re.sub(r"\D", "", each.locator("td, th").last.inner_text())) for each in lines)


def follow(page: Page, label: str, total: int) -> None:
    """Follow the number of a line and see as many rows as it says."""
    line(page, label).get_by_role("link").click()
    settled(page)
    words = f"{total:,}".replace(",", "\u202f")
    expect(page.get_by_text(f"1–{min(total, 15)} of {words}").first).to_be_visible()


def grows(page: Page, beyond: int) -> None:
    """Wait until the tile says that more than *beyond* were sent, without a click or a reload."""
    tile = page.get_by_test_id("stMetric").filter(has=page.get_by_text("Sent", exact=True))
    value = tile.get_by_test_id("stMetricValue")
    expect(value).not_to_have_text(re.compile(rf"^\s*{beyond}\s*$"))
    expect(value).to_have_text(re.compile(r"[1-9]"))


def test_a_campaign_is_watched_paused_resumed_and_canceled(browser: Browser, studio: Studio):
    guests = studio.upload("Slow guests", people(COUNT, FIRST), studio.slow)
    draft = studio.draft("Slow motion", (guests,), account_id=studio.slow.account_id)
    studio.running.app.campaigns.launching.launch(studio.viewer, draft.campaign_id, now())
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/campaign?id={draft.campaign_id}")
        state(page, "Active")
        expect(page.get_by_text(re.compile(r"of 1\u202f200")).first).to_be_visible()
        grows(page, 0)
        grows(page, metric(page, "Sent"))

        page.get_by_role("button", name="Pause").click()
        state(page, "Paused")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        assert studio.get(draft).status is CampaignStatus.PAUSED
        # What was on its way is settled; then nothing goes out any more.
        reconcile = studio.running.app.reports.reporting.reconciliation

        def rests() -> bool:
            before = reconcile(studio.viewer, draft.campaign_id).sent_count
            page.wait_for_timeout(1_000)
            return reconcile(studio.viewer, draft.campaign_id).sent_count == before

        until(rests)
        held = reconcile(studio.viewer, draft.campaign_id).sent_count
        assert 0 < held < COUNT
        page.get_by_role("button", name="Resume").click()
        state(page, "Active")
        until(lambda: reconcile(studio.viewer, draft.campaign_id).sent_count > held)

        page.get_by_role("button", name="Cancel campaign").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("This cannot be undone.")
        dialog.get_by_role("button", name="Keep it").click()
        expect(dialog).to_have_count(0)
        assert studio.get(draft).status is CampaignStatus.ACTIVE
        page.get_by_role("button", name="Cancel campaign").click()
        dialog.get_by_role("button", name="Ok").click()
        state(page, "Canceled")
        for name in ("Pause", "Resume", "Cancel campaign", "Send a test to me"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        # Settled while somebody looks on: nothing is pending any more, and it still adds up.
        expect(line(page, "Pending")).to_have_text(re.compile(r"^Pending\s*0$"), timeout=60_000)
        adds_up(page)
        sent, canceled = count(page, "Sent"), count(page, "Excluded\\s*canceled")
        assert sent > held
        assert sent + canceled + count(page, "Failed") + count(page, "Unknown") == COUNT

        follow(page, "Excluded\\s*canceled", canceled)
        expect(cells(page, "^canceled$")).to_have_count(15)
        page.go_back()
        settled(page)
        state(page, "Canceled")
        follow(page, "Sent", sent)
        page.get_by_role("button", name="Show campaign").click()
        state(page, "Canceled")


def test_each_number_leads_to_as_many_people(browser: Browser, studio: Studio):
    guests = studio.upload("Number guests", people(9, FIRST + 5_000))
    others = studio.upload("Number others", people(4, FIRST + 5_000))
    left_out = studio.upload("Number bought", people(2, FIRST + 5_007))
    draft = studio.draft("Numbers", (guests, others), left_out_ids=(left_out,))
    studio.running.app.campaigns.launching.launch(studio.viewer, draft.campaign_id, now())
    until(lambda: studio.get(draft).status is CampaignStatus.COMPLETED)
    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/campaign?id={draft.campaign_id}")
        adds_up(page)
        assert metric(page, "Total") == 13
        for label, offsets in {"Excluded\\s*duplicate": range(4), "Excluded\\s*left out": (7, 8)}.items():
            assert count(page, label) == len(offsets)
            follow(page, label, len(offsets))
            expect(cells(page, r"^\+")).to_have_text([number(FIRST + 5_000 + offset) for offset in offsets])
            page.go_back()
            settled(page)
        expect(line(page, "Pending").get_by_role("link")).to_have_count(0)
        open_page(page, f"/campaign_rows?id={draft.campaign_id}&outcome=pending")
        expect(page.get_by_text("Nothing found").first).to_be_visible()


def test_a_test_message_goes_to_the_number_that_was_typed(browser: Browser, studio: Studio):
    guests = studio.upload("Test guests", people(2, FIRST + 6_000, "Renee"))
    draft = studio.draft(
        "Try it first", (guests,), message="Bonjour {FirstName}!", placeholders={"FirstName": "FirstName"}
    )

    def tests() -> list:
        found = studio.running.app.campaigns.composing.page(studio.viewer, PageRequest(size=50)).items
        return [item for item in found if item.source is Source.QUICK_SEND]

    with person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, f"/campaign?id={draft.campaign_id}")
        page.get_by_role("button", name="Send a test to me").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Your number").fill("12")
        dialog.get_by_role("button", name="Send").click()
        expect(dialog.get_by_role("alert")).to_contain_text("too short")
        assert tests() == []
        dialog.get_by_label("Your number").fill("+33 6 12 34 56 78")
        dialog.get_by_role("button", name="Send").dblclick()
        expect(dialog).to_have_count(0)
        expect(page.get_by_text("The test is on its way.").first).to_be_visible()
        state(page, "Inactive")
    (sent,) = tests()
    assert sent.message == "Bonjour Renee!"
    until(lambda: studio.get(sent).status is CampaignStatus.COMPLETED)
    rows = studio.running.app.sending.reconciling.rows(studio.viewer, sent.campaign_id, "sent", None, 1, 15)
    assert rows.table["Receiver"].to_pylist() == ["+33612345678"]
