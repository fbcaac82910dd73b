"""Driving the pages as a person would: by labels and roles, waiting for what can be seen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, Error, Locator, Page, Request, expect

from core.state.people.sessions import Browser as Device
from core.web.guard.cookies import SESSION_COOKIE
from tests.support.processes.installation import Installation

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
QUIET_MS = 10_000
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


# Windows that nobody uses, by browser and address: a new one compiles Streamlit's scripts again, more work than to
# draw a page.
_IDLE: WeakKeyDictionary[Browser, dict[str, list[Page]]] = WeakKeyDictionary()
# A page without any script of the app.
PLAIN = "/_stcore/health"


@contextmanager
def person(browser: Browser, url: str, *, phone: bool = False) -> Iterator[Page]:
    """
    Open a browser window of somebody whom *url* does not know; at the end, fail if anything outside it was asked for.

    Scripts that somebody before has fetched and compiled are used again; cookies and what pages store are not.
    """
    idle = _IDLE.setdefault(browser, {}).setdefault(url, [])
    page = idle.pop() if idle else _new_window(browser, url)
    page.set_viewport_size(PHONE if phone else DESKTOP)
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
            asked.append(request.url)

    page.context.on("request", note)
    try:
        yield page
    except BaseException:
        page.context.close()
        raise
    _forget_person(page, url)
    page.context.remove_listener("request", note)
    idle.append(page)
    assert asked == [], f"asked other hosts: {asked}"


def _new_window(browser: Browser, url: str) -> Page:
    context = browser.new_context(
        base_url=url, color_scheme="light", reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(30_000)
    # The first page of a server that has just begun brings all that it imports.
    context.set_default_navigation_timeout(60_000)
    return context.new_page()


def _forget_person(page: Page, url: str) -> None:
    """Close what was opened beside *page*, and drop all that *url* has stored but its files."""
    for other in page.context.pages:
        if other != page:
            other.close()
    # The app is gone before what it keeps is: nothing writes it again.
    page.goto(PLAIN)
    page.evaluate("sessionStorage.clear()")
    stored = {"origin": url, "storageTypes": "cookies,local_storage,indexeddb,service_workers,cache_storage"}
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", stored)
    session.detach()
    page.context.clear_cookies()


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
    page.wait_for_selector(IDLE)
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
