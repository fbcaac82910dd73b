"""Driving the pages as a person would: by labels and roles, waiting for what can be seen."""

import re
from contextlib import suppress
from datetime import UTC, datetime

from playwright.sync_api import Error, Locator, Page, expect

from core.state.people.sessions import Browser as Device
from core.web.guard.cookies import SESSION_COOKIE
from tests.support.processes.installation import Installation

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# A page that the browser has given up says until the end of days that its script is running.
DEAD = "[data-testid=stApp][data-test-connection-state=DISCONNECTED_FOREVER]"
QUIET_MS = 10_000


def enter(page: Page, running: Installation, email: str = EMAIL) -> None:
    """Sign in without the form, which has tests of its own."""
    device = Device("127.0.0.1", page.evaluate("navigator.userAgent"))
    token = running.app.people.signing_in.sign_in(email, PASSWORD, device, datetime.now(UTC))
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": running.url}])


def log_in(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log In").click()
    settled(page)


def open_page(page: Page, path: str) -> None:
    page.goto(path)
    settled(page)


def settled(page: Page) -> None:
    """Wait until the script has run and nothing on the page is an error of ours."""
    page.wait_for_selector(f"{IDLE}, {DEAD}")
    expect(page.locator(DEAD)).to_have_count(0, timeout=1)
    # A request that the page before had under way may count as such for ever; the script has run whatever comes of it.
    with suppress(Error):
        page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def adds_up(page: Page) -> None:
    """Wait until the page says that the campaign's numbers add up."""
    expect(page.get_by_text("Adds up").first).to_be_visible()


def is_in_sight(element: Locator) -> bool:
    """Return whether all of *element*'s height is on screen, with nothing over it such as the bar at the lower edge."""
    expect(element).to_be_visible()
    return element.evaluate(
        """element => {
            const { left, width, top, bottom } = element.getBoundingClientRect();
            const found = [top + 1, bottom - 1].map((y) => document.elementFromPoint(left + width / 2, y));
            return found.every((one) => element.contains(one));
        }"""
    )


def choose_file(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_text(name).first).to_be_visible()


def cell(page: Page, text: str) -> Locator:
    """Return the cells of the page's tables that read *text*: drawn on a canvas, they are told to screen readers."""
    return page.locator("canvas table [role=gridcell]").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def metric(page: Page, label: str) -> int:
    """Return the whole number in the tile called *label*."""
    tile = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return int(re.sub(r"\D", "", tile.get_by_test_id("stMetricValue").inner_text()) or 0)
