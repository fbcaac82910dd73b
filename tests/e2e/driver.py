"""Driving the pages as a person would: by labels and roles, waiting for what can be seen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Request, expect

EMAIL, PASSWORD = "ada@example.com", "Heliograph-test-1"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
QUIET_MS = 10_000
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


# Contexts that nobody uses, by browser, address and size. A new one compiles Streamlit's scripts again, which is more
# work than to draw a page.
_IDLE: WeakKeyDictionary[Browser, dict[tuple[str, bool], list[BrowserContext]]] = WeakKeyDictionary()


@contextmanager
def person(browser: Browser, url: str, *, phone: bool = False) -> Iterator[Page]:
    """
    Open a browser window of somebody whom *url* does not know; at the end, fail if anything outside it was asked for.

    Scripts that somebody before has fetched and compiled are used again; cookies and what pages store are not.
    """
    idle = _IDLE.setdefault(browser, {}).setdefault((url, phone), [])
    context = idle.pop() if idle else _new_context(browser, url, phone=phone)
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
            asked.append(request.url)

    context.on("request", note)
    try:
        yield context.new_page()
    except BaseException:
        context.close()
        raise
    _forget_person(context, url)
    context.remove_listener("request", note)
    idle.append(context)
    assert asked == [], f"asked other hosts: {asked}"


def _new_context(browser: Browser, url: str, *, phone: bool) -> BrowserContext:
    context = browser.new_context(
        base_url=url,
        color_scheme="light",
        viewport=PHONE if phone else DESKTOP,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(30_000)
    return context


def _forget_person(context: BrowserContext, url: str) -> None:
    """Close all pages of *context* and drop all that *url* has stored in it but its files."""
    last = context.new_page()
    for page in context.pages:
        if page != last:
            page.close()
    stored = {"origin": url, "storageTypes": "cookies,local_storage,indexeddb,service_workers,cache_storage"}
    context.new_cdp_session(last).send("Storage.clearDataForOrigin", stored)
    context.clear_cookies()
    last.close()


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
