"""Message History, Replies and Suppressions as a person uses them: take messages away, open one, lift a suppression."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from core.domain.accounts.suppressions import SuppressionFilter
from core.domain.messages.messages import DeliveryStatus, Reply
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Preset, resolve_period
from core.services.sending.replying import keep_replies
from tests.e2e.driver import cell, enter, open_page, settled
from tests.support.processes.installation import Installation
from tests.support.processes.waiting import wait_until
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

ROW_PX, HEAD_PX = 40, 36
# From the table's left edge to the middle of the check boxes, and of the eyes.
BOX_PX, EYE_PX = 16, 60
# Where there are no boxes, the eyes come first.
FIRST_PX = 28
# Behind the check boxes and the clocks.
ARROW_PX = 116
STOPPED = [f"+49179{number:07}" for number in range(8_800_000, 8_800_003)]
# Nobody else in the demo company says so.
WORDS = "Where is <b>gate</b> 12?"


def click(page: Page, row: int, x: int) -> None:
    """Click into a row of the table, counted from 0, or into its head (-1): it is drawn on a canvas."""
    expect(page.locator("canvas table [role=gridcell]").first).to_be_attached()
    table = page.get_by_test_id("stDataFrame").bounding_box()
    y = HEAD_PX // 2 if row < 0 else HEAD_PX + row * ROW_PX + ROW_PX // 2
    page.mouse.click(table["x"] + x, table["y"] + y)
    settled(page)


def newest(demo: Installation, count: int, delivery_status: str = "") -> list[dict]:
    viewer = demo.app.people.adding.get_viewer()
    period = resolve_period(Preset.LAST_30_DAYS, datetime.now(UTC), viewer.time_zone)
    (first, *_) = demo.app.reports.reporting.all_messages(
        viewer, MessageQuery(viewer.account_ids, period, sender="MERIDIAN", delivery_status=delivery_status)
    )[1]
    return first.slice(0, count).to_pylist()


def download(page: Page) -> list[dict[str, str]]:
    """Take the newest export away and read it."""
    page.locator(".st-key-frame_downloads").get_by_role("button").first.click()
    link = page.get_by_role("link", name="Download").first
    expect(link).to_be_visible()
    answer = page.request.get(link.get_attribute("href"))
    return list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))


def test_checked_messages_are_what_is_exported(browser: Browser, demo: Installation):
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/message_history?period=Last+30+Days&sender=MERIDIAN")
        expect(page.get_by_text("selected")).to_have_count(0)
        click(page, 1, BOX_PX)
        click(page, 3, BOX_PX)
        expect(page.get_by_text("2 selected").first).to_be_visible()
        page.get_by_role("button", name="Export selection").click()
        page.get_by_role("button", name="CSV").click()
        expect(page.get_by_text("is ready").first).to_be_visible(timeout=60_000)
        # What has just been ordered says so itself: nothing lies over its button.
        said, ordered = (
            found.bounding_box()
            for found in (page.get_by_test_id("stToast").first, page.get_by_role("link", name="Download").first)
        )
        assert said
        assert ordered
        assert said["x"] + said["width"] < ordered["x"]
        rows = download(page)
    shown = newest(demo, 4)
    assert [row["Receiver"] for row in rows] == [shown[1]["receiver"], shown[3]["receiver"]]


def test_the_head_checks_the_page_and_clear_unchecks_it(browser: Browser, demo: Installation):
    with person(browser, demo.url, phone=True) as page:
        enter(page, demo)
        open_page(page, "/message_history?period=Last+30+Days")
        click(page, -1, BOX_PX)
        expect(page.get_by_text("15 selected").first).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("selected")).to_have_count(0)


def test_a_message_opens_from_its_row_and_leads_back_to_the_filters(browser: Browser, demo: Installation):
    # Of some messages no receipt ever comes.
    message = newest(demo, 3, DeliveryStatus.DELIVERED)[2]
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/message_history?period=Last+30+Days&sender=MERIDIAN&delivery_status=Delivered")
        click(page, 2, EYE_PX)
        expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
        expect(page).to_have_url(re.compile(f"/message\\?id={message['message_id']}"))
        steps = page.get_by_role("listitem").filter(has=page.locator("time"))
        expect(steps.filter(has_text="Submitted")).to_be_visible()
        expect(page.get_by_text(re.compile("^Receipt ")).first).to_be_visible()
        page.get_by_role("button", name="Message History").click()
        expect(page.get_by_text("Sender: MERIDIAN").first).to_be_visible()
        expect(page.get_by_text("Last 30 Days").first).to_be_visible()
        expect(cell(page, message["receiver"]).first).to_be_attached()


def answer(demo: Installation) -> str:
    """Let the receiver of a campaign's message answer it; return the message's id."""
    viewer, now = demo.app.people.adding.get_viewer(), datetime.now(UTC)
    period = resolve_period(Preset.LAST_30_DAYS, now, viewer.time_zone)
    query = MessageQuery(viewer.account_ids, period, sender="CityBreaks")
    (message,) = demo.app.reports.reporting.messages(viewer, query, 1, 1).table.to_pylist()
    said = Reply("simulator", message["receiver"].lstrip("+"), "CityBreaks", WORDS, now)
    with demo.app.state.write() as session:
        keep_replies(session, [said], now)
    message_id = str(message["message_id"])
    # The worker finds out, among what the whole demo company was answered.
    told = demo.app.reports.replies
    wait_until(lambda: WORDS in {each.text for each in told.of_message(viewer, message_id)}, "the reply is linked", 0.5)
    return message_id


def test_a_reply_leads_to_the_message_it_answers_and_back(browser: Browser, demo: Installation):
    message_id = answer(demo)
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/replies?replies_search=gate")
        expect(cell(page, WORDS).first).to_be_attached()
        click(page, 0, FIRST_PX)
        expect(page).to_have_url(re.compile(f"/message\\?id={message_id}"))
        expect(page.get_by_role("heading", name="Replies")).to_be_visible()
        expect(page.get_by_role("listitem").get_by_text(WORDS, exact=True).first).to_be_visible()
        page.get_by_role("button", name="Replies").click()
        expect(cell(page, WORDS).first).to_be_attached()


def test_a_file_is_imported_and_one_of_its_numbers_lifted_with_a_reason(browser: Browser, demo: Installation):
    viewer = demo.app.people.adding.get_viewer()
    managing = demo.app.suppressions.managing
    with person(browser, demo.url) as page:
        enter(page, demo)
        open_page(page, "/suppressions")
        page.get_by_role("button", name="Import", exact=True).click()
        panel = page.get_by_role("dialog")
        panel.get_by_role("combobox").click()
        page.get_by_role("option", name="All accounts").click()
        settled(page)
        content = "\n".join(["PhoneNumber", *STOPPED, "nonsense"]).encode()
        file = {"name": "optouts.csv", "mimeType": "text/csv", "buffer": content}
        panel.locator("input[type=file]").set_input_files(file)
        expect(panel.get_by_text("optouts.csv").first).to_be_visible()
        panel.get_by_label("Reason (optional)").fill("Old system")
        panel.get_by_role("button", name="Import", exact=True).click()
        told = page.get_by_text("optouts.csv: 3 numbers are suppressed, 1 row was left out.").first
        expect(told).to_be_visible(timeout=60_000)
        search = page.get_by_placeholder("Search number")
        search.fill("0179 8800001")
        search.press("Enter")
        settled(page)
        expect(page.get_by_text("1–1 of 1").first).to_be_visible()
        table = page.get_by_test_id("stDataFrame").last.bounding_box()
        page.mouse.click(table["x"] + ARROW_PX, table["y"] + HEAD_PX + ROW_PX // 2)
        panel.get_by_label("Reason").fill("Signed up again")
        panel.get_by_role("button", name="Lift").click()
        expect(page.get_by_text("1 suppression was lifted.").first).to_be_visible()
    history = managing.history(viewer, STOPPED[1])
    ((scope, lifted),) = history.lifted
    assert (history.suppressions, scope, lifted.reason) == ((), "All accounts", "Signed up again")
    assert managing.page(viewer, SuppressionFilter("+4917988"), 1, 10).total == 2
