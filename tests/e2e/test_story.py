"""The whole story as a person lives it: first visit, list, campaign, sending, history, statistics."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.gateways.simulator.journal import Journal
from tests.e2e.driver import EMAIL, PASSWORD, adds_up, cell, choose_file, log_in, metric, open_page, settled
from tests.e2e.studio import Studio
from tests.support.processes.installation import Installation, installation
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

COUNT = 2_000


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("fresh"), simulator_speed="1000") as running:
        yield running


def contacts() -> bytes:
    rows = [f"49179{6_000_000 + number},Beau {number},London" for number in range(COUNT)]
    # One that repeats, one that is no number: both are left out, with a reason.
    rows += ["491796000000,Again,London", "12345,Nobody,Nowhere"]
    return "\n".join(["PhoneNumber,FirstName,City", *rows]).encode()


def set_up(page: Page, running: Installation) -> None:
    page.goto("/")
    expect(page).to_have_url(f"{running.url}/setup")
    page.get_by_label("Setup token").fill(running.app.people.signing_in.new_setup_token())
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    page.get_by_role("button", name="Create administrator").click()
    settled(page)
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def add_list(page: Page) -> None:
    page.get_by_role("link", name="Distribution Lists").click()
    expect(page.get_by_text("No distribution lists yet").first).to_be_visible()
    page.get_by_role("button", name="Add Distribution List").first.click()
    page.get_by_role("textbox", name="List Name").fill("Spring guests")
    choose_file(page, "guests.csv", contacts())
    page.get_by_role("button", name="Save").click()
    expect(cell(page, "Ready")).to_have_count(1, timeout=60_000)
    expect(cell(page, "Spring guests")).to_have_count(1)


def fill_in(page: Page) -> None:
    page.get_by_role("link", name="Create Campaign").click()
    page.get_by_role("textbox", name="Campaign Name").fill("Spring greeting")
    page.get_by_role("textbox", name="Sender").fill("HELIOGRAPH")
    page.get_by_role("button", name="Select Distribution List").click()
    settled(page)
    drawer = page.get_by_role("dialog")
    drawer.locator("label").filter(has_text="Spring guests").click()
    expect(drawer.get_by_text("Recipients: 2\u202f000").first).to_be_visible()
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_text("Personalize", exact=True).click()
    page.get_by_role("button", name="Placeholders").click()
    page.get_by_role("textbox", name="Define Placeholders").fill("FirstName")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("{FirstName} is filled from").first).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Next Step").click()


def write(page: Page) -> None:
    message = page.get_by_role("textbox", name="Message", exact=True)
    message.fill("Hello {FirstName}, spring is here.")
    # The phone shows the first recipient while the person still types.
    expect(page.get_by_text("Hello Beau 0, spring is here.").first).to_be_visible()
    expect(page.get_by_text("Recipient 1 of 2\u202f000").first).to_be_visible()
    message.blur()
    settled(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The draft is saved.").first).to_be_visible()


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="Preflight")).to_be_visible()
    bar = page.locator(".st-key-preflight_launch_bar")
    expect(bar.get_by_text("2\u202f000\u00a0recipients").first).to_be_visible()
    settled(page)
    bar.get_by_role("button", name="Launch").click()
    expect(page.locator(".st-key-campaign_header").get_by_text("Completed").first).to_be_visible(timeout=60_000)
    adds_up(page)


def test_one_campaign_through_every_room(browser: Browser, fresh: Installation):
    with person(browser, fresh.url) as page:
        set_up(page, fresh)
        add_list(page)
        fill_in(page)
        write(page)
        draft = page.url
        open_page(page, draft)
        expect(page.get_by_role("textbox", name="Campaign Name")).to_have_value("Spring greeting")
        page.get_by_role("radio", name="Message & Preview").click()
        expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value(
            "Hello {FirstName}, spring is here."
        )
        launch(page)
        # Drawn anew: while the page moves, the word may have come and the number beside it not yet.
        open_page(page, page.url)
        sent = metric(page, "Sent")
        assert metric(page, "Total") == COUNT
        assert COUNT * 0.99 < sent <= COUNT

        page.get_by_role("button", name="Show messages").click()
        expect(page.get_by_text("Campaign: Spring greeting").first).to_be_visible()
        expect(page.get_by_text(f"of {sent // 1000}\u202f{sent % 1000:03d}").first).to_be_visible()
        open_page(page, "/statistics")
        assert metric(page, "Sent") == sent
        # Not "Today": midnight may have come since the launch.
        open_page(page, "/?dashboard_period=Last%207%20Days")
        assert metric(page, "SMS Traffic Quantity") == sent

    journal = Journal(fresh.app.settings.simulator_path)
    assert journal.list_repeated() == []
    # An answer that was lost makes a message unknown to us, though the gateway took it.
    assert sent <= journal.count_accepted() <= sent + 3


def test_bad_files_are_refused_with_a_reason(browser: Browser, studio: Studio):
    with person(browser, studio.url) as page:
        studio.enter(page)
        # Opened directly: the dashboard has a button of that name too, which is there until the lists are.
        open_page(page, "/distribution_lists")
        page.get_by_role("button", name="Add Distribution List").first.click()
        page.get_by_role("textbox", name="List Name").fill("Without numbers")
        choose_file(page, "names.csv", b"FirstName,City\nBeau,London\n")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("PhoneNumber")
        expect(page.get_by_role("textbox", name="List Name")).to_have_value("Without numbers")


def test_logging_out_ends_the_session(browser: Browser, studio: Studio):
    with person(browser, studio.url) as page:
        log_in(page)
        page.get_by_role("button", name="AL", exact=True).click()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{studio.url}/login")
        page.goto("/campaigns")
        expect(page).to_have_url(f"{studio.url}/login?next=/campaigns")
