"""Windows of the browser, used again by one person after another."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, WebError

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


# Windows that nobody uses, by browser and address: a new one compiles Streamlit's scripts again, more work than to
# draw a page.
_IDLE: WeakKeyDictionary[Browser, dict[str, list[Page]]] = WeakKeyDictionary()
# A page without any script of the app.
PLAIN = "/_stcore/health"
# How many of a browser's last complaints are told.
COMPLAINTS = 20
# A page that computes for ever answers nothing.
ANSWER_MS = 5_000


@contextmanager
def person(browser: Browser, url: str, *, phone: bool = False) -> Iterator[Page]:
    """
    Open a browser window of somebody whom *url* does not know; at the end, fail if anything outside it was asked for.

    Whatever fails within has notes of how the page stood and what the browser complained of: a page whose connection
    ended looks like one that is drawn for ever.

    Scripts that somebody before has fetched and compiled are used again; cookies and what pages store are not.
    """
    idle = _IDLE.setdefault(browser, {}).setdefault(url, [])
    page = idle.pop() if idle else _new_window(browser, url)
    page.set_viewport_size(PHONE if phone else DESKTOP)
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
            asked.append(request.url)

    complaints: deque[str] = deque(maxlen=COMPLAINTS)

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    def catch(error: WebError) -> None:
        complaints.append(f"uncaught: {error.error}")

    listeners = {"request": note, "console": listen, "weberror": catch}
    for event, listener in listeners.items():
        page.context.on(event, listener)
    try:
        yield page
    except BaseException as error:
        error.add_note(f"The page stood so: {_how_it_stands(page)}")
        error.add_note("\n".join(["The browser complained of:", *complaints]))
        page.context.close()
        raise
    _forget_person(page, url)
    for event, listener in listeners.items():
        page.context.remove_listener(event, listener)
    idle.append(page)
    assert asked == [], f"asked other hosts: {asked}"


def _how_it_stands(page: Page) -> str:
    """Return at which address *page* is, what its script does and how it is connected, as Streamlit says it."""
    app = page.get_by_test_id("stApp")
    try:
        states = [app.get_attribute(f"data-test-{name}-state", timeout=ANSWER_MS) for name in ("script", "connection")]
    except Error as error:
        return f"{page.url} {error}"
    return f"{page.url} {states}"


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
