"""Setting up a gateway as an administrator does, with an SMSC behind it, and sending by it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.domain.campaigns.campaigns import CampaignStatus
from core.gateways.smsc.journal import SmscJournal
from core.services.accounts.managing_accounts import AccountSettings
from tests.e2e.driver import open_page, settled
from tests.e2e.studio import Studio, cells, now, people, until
from tests.support.processes.smsc import smsc_process
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

FIRST, COUNT = 6_700_000, 20


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog")


def fill_in(page: Page, **values: str) -> None:
    for label, value in values.items():
        field = panel(page).get_by_label(label.replace("_", " "), exact=True)
        field.fill(value)
        field.press("Tab")


def save_and_test(page: Page) -> None:
    panel(page).get_by_role("button", name="Save and test").click()
    settled(page)


def test_a_gateway_is_set_up_tested_and_sent_by(browser: Browser, studio: Studio, tmp_path: Path):
    app, slow = studio.running.app, studio.slow
    with smsc_process(tmp_path, "--seed", "1", "--speed", "1000") as smsc, person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, "/gateways")
        page.get_by_role("button", name="Add Gateway").click()
        settled(page)
        fill_in(page, Name="Berlin", Host="127.0.0.1", Port=str(smsc.port), System_ID="me", Password="wrong")
        save_and_test(page)
        expect(panel(page).get_by_text("The password is wrong").first).to_be_visible()
        fill_in(page, Password="secret")
        save_and_test(page)
        expect(panel(page).get_by_text("The connection works.").first).to_be_visible()
        expect(panel(page).get_by_label("Password", exact=True)).to_have_value("")
        panel(page).get_by_role("button", name="Close").click()
        expect(cells(page, "^Berlin$")).to_have_count(1)

        before = AccountSettings(slow.gateway, slow.rate_tps)
        app.accounts.managing.change(studio.viewer, slow.account_id, AccountSettings("Berlin", slow.rate_tps), now())
        guests = studio.upload("Guests of Berlin", people(COUNT, FIRST), slow)
        campaign = studio.draft("By SMPP", (guests,), account_id=slow.account_id)
        app.campaigns.launching.launch(studio.viewer, campaign.campaign_id, now())
        until(lambda: studio.get(campaign).status is CampaignStatus.COMPLETED)
        # The worker hears what becomes of them by the connection that it keeps.
        journal = SmscJournal(tmp_path / "smsc.sqlite")
        until(lambda: journal.count_owed() == 0)
        assert 0 < journal.count_accepted() <= COUNT
        app.accounts.managing.change(studio.viewer, slow.account_id, before, now())
