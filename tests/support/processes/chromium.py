"""The browser of the tests: Debian's Chromium, asked for nothing it does of its own accord."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.processes.tools import require_binary

# Several browsers and servers share two cores.
PATIENCE_MS = 20_000
# What a test runs once or twice is not worth the work of making it fast.
SCRIPTS = "--js-flags=--no-maglev --no-turbofan"
# The popups of the address bar, which nobody sees here, are pages of their own that each new window compiles.
POPUPS = "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
# The last switch of a name counts: the others are those that Playwright turns off (chromiumSwitches.ts of 1.65).
TURNED_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    f"msForceBrowserSignIn,msEdgeUpdateLaunchServicesPreferredVersion,{POPUPS}"
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    f"--disable-features={TURNED_OFF}",
    SCRIPTS,
]


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Start Chromium; the test is skipped (in CI: fails) where it is not installed."""
    path = require_binary("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
