"""What only a browser shows: policies that bite, ticks that are not activity, pages that are left in time."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.fake_sign_in import ADA, BEN, PASSWORD
from tests.support.fakes.file_sign_in import FileSignIn
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser
TIMEOUT_MS = 30_000
# Between two looks at the ticks, of which there are five a second.
LOOK_MS = 100
# How many ticks the page shows; 0 while it shows none, as between two drawings.
TICKS = "Number(document.body.innerText.match(/ticks: ([0-9]+)/)?.[1] ?? 0)"


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with person(chromium, f"http://{address}") as window:
        yield window


def enter(context: BrowserContext, address: str, token: str) -> None:
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": f"http://{address}"}])


def open_and_warn(page: Page, sign_in: FileSignIn, token: str, seconds: float, path: str = "/") -> None:
    """Open the page, then let its session end soon; to draw a page is activity, which would undo it."""
    page.goto(path)
    expect(page.get_by_text("component ran").first).to_be_visible(timeout=TIMEOUT_MS)
    see_ticks(page, 10)
    sign_in.warn(token, seconds)
    ask_at_once(page)


def ticks(page: Page) -> int:
    return int(page.wait_for_function(TICKS, polling=LOOK_MS).json_value())


def see_ticks(page: Page, beyond: int) -> None:
    page.wait_for_function(f"beyond => {TICKS} > beyond", arg=beyond, polling=LOOK_MS)


def ask_at_once(page: Page) -> None:
    """Let the page ask for its session at once; one test waits until it does so by itself."""
    page.evaluate("dispatchEvent(new Event('online'))")


def test_login_leads_to_the_page_one_wanted_and_nothing_is_asked_of_other_hosts(page: Page, address: str) -> None:
    hosts: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.goto("/?id=42")
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    assert page.get_by_label("Password", exact=True).get_attribute("type") == "password"
    page.get_by_role("button", name="Show password").click()
    assert page.get_by_label("Password", exact=True).get_attribute("type") == "text"
    page.get_by_role("button", name="Log In").click()
    expect(page.get_by_role("heading", name="Inside")).to_be_visible(timeout=TIMEOUT_MS)
    assert page.url == f"http://{address}/?id=42"
    expect(page.locator(".js-plotly-plot .bars")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_text("component ran").first).to_have_css("color", "rgb(1, 2, 3)", timeout=TIMEOUT_MS)
    expect(page.locator("body[data-script=ran]")).to_be_attached(timeout=TIMEOUT_MS)
    assert hosts == {address}
    assert complaints == []


def test_ticks_are_not_activity_but_a_click_is(page: Page, address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    enter(page.context, address, token)
    page.goto("/")
    expect(page.get_by_text("component ran").first).to_be_visible(timeout=TIMEOUT_MS)
    see_ticks(page, 5)
    loaded = sign_in.touched(token)
    before = ticks(page)
    # More than five seconds' worth, after which the next activity would be recorded.
    see_ticks(page, before + 26)
    assert sign_in.touched(token) == loaded
    page.get_by_role("button", name="Click me").click()
    see_ticks(page, ticks(page) + 1)
    assert sign_in.touched(token) == loaded + 1


def test_page_is_left_when_the_session_ends_and_found_again(page: Page, address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    enter(page.context, address, token)
    page.goto("/?id=42")
    expect(page.get_by_role("heading", name="Inside")).to_be_visible(timeout=TIMEOUT_MS)
    sign_in.revoke(token)
    # Within five seconds it asks by itself.
    page.wait_for_url("**/login?next=**")
    page.get_by_label("Email").fill(ADA.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log In").click()
    page.wait_for_url("**/?id=42")


def test_page_is_loaded_anew_when_somebody_else_signs_in(page: Page, address: str, sign_in: FileSignIn) -> None:
    enter(page.context, address, sign_in.start(ADA))
    page.goto("/")
    expect(page.locator("script[data-user-id=user-ada]")).to_be_attached(timeout=TIMEOUT_MS)
    enter(page.context, address, sign_in.start(BEN))
    ask_at_once(page)
    expect(page.locator("script[data-user-id=user-ben]")).to_be_attached(timeout=TIMEOUT_MS)


def test_an_idle_person_is_warned_and_may_stay(page: Page, address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    enter(page.context, address, token)
    open_and_warn(page, sign_in, token, 90)
    warning = page.get_by_role("dialog", name="Are you still there?")
    expect(warning).to_contain_text("1:", timeout=TIMEOUT_MS)
    before = sign_in.touched(token)
    warning.get_by_role("button", name="Stay logged in").click()
    expect(warning).not_to_be_attached(timeout=TIMEOUT_MS)
    assert sign_in.touched(token) == before + 1


def test_a_session_that_ran_out_is_explained_and_one_that_was_ended_is_not(
    page: Page, address: str, sign_in: FileSignIn
) -> None:
    for seconds, explained in ((90.0, False), (0.5, True)):
        token = sign_in.start(ADA)
        enter(page.context, address, token)
        open_and_warn(page, sign_in, token, seconds, "/?id=42")
        expect(page.get_by_role("dialog", name="Are you still there?")).to_be_visible(timeout=TIMEOUT_MS)
        sign_in.revoke(token)
        if not explained:
            # One that runs out is asked for when its time is over.
            ask_at_once(page)
        page.wait_for_url("**/login?next=%2F%3Fid%3D42**")
        assert ("ended=idle" in page.url) is explained
        expect(page.get_by_role("status")).to_have_count(int(explained))


def test_logging_out_in_the_warning_ends_the_session(page: Page, address: str, sign_in: FileSignIn) -> None:
    token = sign_in.start(ADA)
    enter(page.context, address, token)
    open_and_warn(page, sign_in, token, 90)
    warning = page.get_by_role("dialog", name="Are you still there?")
    warning.get_by_role("button", name="Log out").click(timeout=TIMEOUT_MS)
    page.wait_for_url("**/login")
    assert not (sign_in.folder / token).exists()


def test_whoever_logs_out_is_not_led_back_even_if_the_socket_closes_first(
    page: Page, address: str, sign_in: FileSignIn
) -> None:
    token = sign_in.start(ADA)
    enter(page.context, address, token)
    page.goto("/?id=42")
    # The frame's button ends the session and then says where to go; here nothing says it any more.
    page.evaluate(
        """() => {
            const box = Object.assign(document.createElement("div"), { className: "st-key-frame_log_out" });
            box.style = "position: fixed; inset: 4rem auto auto 4rem; z-index: 2147483000";
            box.append(Object.assign(document.createElement("button"), { textContent: "Leave now" }));
            document.body.prepend(box);
        }"""
    )
    page.get_by_role("button", name="Leave now").click()
    sign_in.revoke(token)
    page.wait_for_url("**/login")
