"""Setting up a gateway as an administrator does, with an SMSC behind it; sending by it, and hearing STOP by it."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.gateways.forms import Value
from core.domain.reports.replies import ReplyFilter
from core.domain.times.periods import Period
from core.gateways.smsc.journal import SmscJournal
from core.gateways.smsc.running import SmscThread
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from tests.e2e.driver import adds_up, is_in_sight, metric, open_page, settled
from tests.e2e.studio import Studio, cells, finding, now, number, people, until
from tests.support.fakes.calm_smsc import calm_behavior
from tests.support.processes.smsc import smsc_process
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

FIRST, COUNT = 6_700_000, 20
TEST = 6_790_000
STOP_FIRST, FEW = 6_800_000, 5
STOPPED = number(STOP_FIRST + 3)


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


def find_hidden(page: Page) -> list[str]:
    """Go from field to field of the form by Tab; return those that lie under what stays at the panel's lower edge."""
    for section in panel(page).locator("summary").all():
        section.click()
    hidden = []
    panel(page).get_by_role("textbox", name="Name", exact=True).focus()
    while (
        name := page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
    ) != ("Save"):
        edge_is_seen = page.evaluate(
            """() => {
                // A switch is as large as its label; what has the focus inside has no size.
                const focused = document.activeElement.closest("label") ?? document.activeElement;
                const { left, width, top } = focused.getBoundingClientRect();
                return focused.contains(document.elementFromPoint(left + width / 2, top + 2));
            }"""
        )
        if not edge_is_seen:
            hidden.append(name)
        page.keyboard.press("Tab")
    return hidden


def test_a_gateway_is_set_up_tested_and_sent_by(browser: Browser, studio: Studio, tmp_path: Path):
    app, slow = studio.running.app, studio.slow
    with smsc_process(tmp_path, "--seed", "1", "--speed", "1000") as smsc, person(browser, studio.url) as page:
        studio.enter(page)
        open_page(page, "/gateways")
        page.get_by_role("button", name="Add Gateway").click()
        settled(page)
        save = panel(page).get_by_role("button", name="Save", exact=True)
        save.click()
        expect(panel(page).get_by_text("4 fields are to be mended").first).to_be_visible()
        assert is_in_sight(save)
        assert find_hidden(page) == []
        fill_in(page, Name="Berlin", Host="127.0.0.1", Port=str(smsc.port), System_ID="me", Password="wrong")
        save_and_test(page)
        expect(panel(page).get_by_text("The password is wrong").first).to_be_visible()
        fill_in(page, Password="secret")
        save_and_test(page)
        expect(panel(page).get_by_text("The connection works.").first).to_be_visible()
        expect(panel(page).get_by_label("Password", exact=True)).to_have_value("")
        # How it stands is drawn anew by itself, once the worker has seen it.
        expect(panel(page).get_by_text("Connected since").first).to_be_visible(timeout=60_000)
        expect(panel(page).get_by_text("Working").first).to_be_visible()
        panel(page).get_by_text("Send a test to me").click()
        fill_in(page, Number=number(TEST), Sender="HELIOGRAPH")
        panel(page).get_by_role("button", name="Send test").click()
        expect(panel(page).get_by_text("The provider calls it").first).to_be_visible(timeout=60_000)
        journal = SmscJournal(tmp_path / "smsc.sqlite")
        assert journal.count_accepted() == 1
        panel(page).get_by_role("button", name="Close").click()
        expect(cells(page, "^Berlin$")).to_have_count(1)

        before = AccountSettings(slow.gateway, slow.rate_tps)
        app.accounts.managing.change(studio.viewer, slow.account_id, AccountSettings("Berlin", slow.rate_tps), now())
        guests = studio.upload("Guests of Berlin", people(COUNT, FIRST), slow)
        campaign = studio.draft("By SMPP", (guests,), account_id=slow.account_id)
        app.campaigns.launching.launch(studio.viewer, campaign.campaign_id, now())
        until(lambda: studio.get(campaign).status is CampaignStatus.COMPLETED)
        # The worker hears what becomes of them by the connection that it keeps.
        until(lambda: journal.count_owed() == 0)
        assert 1 < journal.count_accepted() <= COUNT + 1
        app.accounts.managing.change(studio.viewer, slow.account_id, before, now())


def send_by(studio: Studio, gateway: str) -> None:
    account: Account = studio.slow
    settings = AccountSettings(gateway, account.rate_tps)
    studio.running.app.accounts.managing.change(studio.viewer, account.account_id, settings, now())


def set_up(studio: Studio, port: int) -> None:
    values: dict[str, Value] = {"host": "127.0.0.1", "port": port, "system_id": "me", "password": "secret"}
    studio.running.app.accounts.setting_up.create(studio.viewer, "Replying", "smpp", GatewayForm(values), now())
    send_by(studio, "Replying")


def count_replies(studio: Studio) -> int:
    """Return how many replies there are of the person who says STOP."""
    wanted = ReplyFilter(Period(now() - timedelta(hours=1), now() + timedelta(hours=1)), search=STOPPED)
    return studio.running.app.reports.replies.page(studio.viewer, wanted, 1, 15).total


def launch(studio: Studio, page: Page, draft: Campaign) -> None:
    bar = page.locator(".st-key-preflight_launch_bar")
    bar.get_by_role("button", name="Launch").click()
    expect(page.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible(timeout=60_000)
    assert studio.get(draft).status is CampaignStatus.COMPLETED


def test_who_replies_stop_is_left_out_of_the_next_launch(browser: Browser, studio: Studio, tmp_path: Path):
    guests = (studio.upload("Replying guests", people(FEW, STOP_FIRST), studio.slow),)
    first, second = (
        studio.draft(name, guests, account_id=studio.slow.account_id, message=f"{name}: say STOP to get no more.")
        for name in ("Before the stop", "After the stop")
    )
    with (
        SmscThread(tmp_path / "smsc.sqlite", calm_behavior()) as smsc,
        person(browser, studio.url) as page,
    ):
        set_up(studio, smsc.port)
        studio.enter(page)
        open_page(page, f"/preflight?id={first.campaign_id}")
        launch(studio, page, first)
        assert metric(page, "Sent") == FEW
        assert smsc.journal.count_accepted() == FEW

        smsc.reply("me", STOPPED, "HELIOGRAPH", "Stop, please")
        smsc.reply("me", STOPPED, "HELIOGRAPH", "Stop.")
        until(lambda: count_replies(studio) == 2)
        open_page(page, "/replies")
        expect(cells(page, r"^Stop\.$")).to_have_count(1)
        expect(cells(page, r"^STOP$")).to_have_count(1)

        open_page(page, f"/preflight?id={second.campaign_id}")
        expect(finding(page, "does not want messages of this account (suppressed)")).to_be_visible()
        launch(studio, page, second)
        open_page(page, page.url)
        adds_up(page)
        assert metric(page, "Sent") == FEW - 1
        assert smsc.journal.count_accepted() == 2 * FEW - 1
        settled(page)
    send_by(studio, studio.slow.gateway)
