"""
Every page in a browser, without an error and no wider than a phone.

With SCREENSHOTS_DIR (where they go) also at a desktop, in both schemes and with pictures, for the guide and the eye.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.reports.paging import PageRequest
from tests.e2e.driver import enter, open_page, settled
from tests.support.processes.installation import Installation, installation
from tests.support.processes.windows import PHONE, person

pytestmark = pytest.mark.browser


def create_campaign(page: Page, url: str) -> None:
    open_page(page, url)
    page.get_by_role("radio", name="Message & Preview").click()
    settled(page)


def plain(page: Page, url: str) -> None:
    open_page(page, url)


def quick_send(page: Page, url: str) -> None:
    open_page(page, url)
    page.get_by_role("textbox", name="Sender").fill("MERIDIAN")
    field = page.get_by_label("Recipients (E.G. +15417543010)")
    field.fill("+49 179 6548754, +33 6 12 34 56 78, hello")
    field.press("Enter")
    expect(page.get_by_text("Not a phone number: hello").first).to_be_visible()
    page.get_by_role("textbox", name="Message", exact=True).fill("Doors open at 8 – see you there!")
    settled(page)


FOLDER = os.environ.get("SCREENSHOTS_DIR")
SCHEMES = ("light", "dark") if FOLDER else ("light",)
SCREENS = pytest.mark.parametrize("phone", [False, True] if FOLDER else [True], ids=("desktop", "phone").__getitem__)
PAGES: dict[str, tuple[str, Callable[[Page, str], None]]] = {
    "dashboard": ("/?dashboard_period=Last+30+Days", plain),
    "distribution_lists": ("/distribution_lists", plain),
    "campaigns": ("/campaigns", plain),
    "campaign": ("/campaign?id={campaign}", plain),
    "create_campaign": ("/create_campaign?id={draft}", plain),
    "create_campaign_message": ("/create_campaign?id={draft}", create_campaign),
    "quick_send": ("/quick_send", quick_send),
    "preflight": ("/preflight?id={draft}", plain),
    "message_history": ("/message_history", plain),
    "message": ("/message?id={message}", plain),
    "suppressions": ("/suppressions", plain),
    "replies": ("/replies", plain),
    "statistics": ("/statistics", plain),
    "import_traffic": ("/import_traffic", plain),
    "users": ("/users", plain),
    "traffic_accounts": ("/traffic_accounts", plain),
    "gateways": ("/gateways", plain),
    "audit": ("/audit", plain),
    "settings": ("/settings", plain),
}


def addresses(demo: Installation) -> dict[str, str]:
    viewer = demo.app.people.adding.get_viewer()
    found = demo.app.campaigns.composing.page(viewer, PageRequest(size=50)).items
    return {
        "campaign": next(item.campaign_id for item in found if item.name == "Ski season opener"),
        "draft": next(item.campaign_id for item in found if item.status == "Inactive"),
        "message": with_most_receipts(demo),
    }


def with_most_receipts(demo: Installation) -> str:
    """Return the campaign message about which the gateway had most to say."""
    sql = """
        SELECT message_id::VARCHAR AS found
        FROM lake.receipts JOIN lake.messages USING (message_id, sent_at)
        WHERE campaign_id <> '' AND delivery_status = 'Undelivered'
        GROUP BY found
        ORDER BY count(*) DESC, found
        LIMIT 1
    """
    with demo.app.lake.read() as cursor:
        return str(cursor.execute(sql).fetchone()[0])


@pytest.fixture(scope="module")
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Run an installation that nobody has set up: a worker would have nothing to do."""
    with installation(tmp_path_factory.mktemp("nobody"), works=False) as running:
        yield running


def picture(page: Page, name: str) -> None:
    # The page may scroll inside; what a person sees first is what is pictured.
    if FOLDER:
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(FOLDER) / f"{name}.png")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} pixels too wide"
    cut = (
        page.get_by_test_id("stMetricValue")
        .locator("*")
        .evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)")
    )
    assert cut == [], f"{name} cuts its figures short"


def drawn(page: Page) -> None:
    """Wait until nothing on the page is a skeleton, then for what is drawn by a timer: charts and colors fade in."""
    expect(page.get_by_test_id("stSkeleton").filter(visible=True)).to_have_count(0)
    if FOLDER:
        page.wait_for_timeout(700)


def light_and_dark(page: Page, name: str) -> None:
    """Look at the page in both schemes: it changes as it stands, as when the person's desktop does at dusk."""
    prefix = "phone-" if page.viewport_size == PHONE else ""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        drawn(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        picture(page, f"{name}-{prefix}{scheme}")
    page.emulate_media(color_scheme=SCHEMES[0])


@SCREENS
def test_every_page_draws_without_an_error(browser: Browser, demo: Installation, phone: bool):
    ids = addresses(demo)
    with person(browser, demo.url, phone=phone) as page:
        page.goto("/login")
        light_and_dark(page, "login")
        enter(page, demo)
        for name, (url, show) in PAGES.items():
            show(page, url.format(**ids))
            light_and_dark(page, name)


@SCREENS
def test_the_first_visit_asks_for_the_administrator(browser: Browser, nobody: Installation, phone: bool):
    with person(browser, nobody.url, phone=phone) as page:
        page.goto("/")
        expect(page.get_by_role("button", name="Create administrator")).to_be_visible()
        light_and_dark(page, "setup")
