"""The browser of the tests: Debian's Chromium, asked for nothing it does of its own accord."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.processes.tools import require_binary

# Several browsers and servers share two cores.
PATIENCE_MS = 20_000
# What a test runs once or twice is not worth the work of making it fast.
SCRIPTS = "--js-flags=--no-maglev --no-turbofan"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", SCRIPTS]


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Start Chromium; the test is skipped (in CI: fails) where it is not installed."""
    path = require_binary("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
