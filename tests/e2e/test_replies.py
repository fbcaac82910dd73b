"""Replies as a person uses them: read what somebody sent back, see what it answers, and come back."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from core.domain.messages.messages import Reply
from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Preset, resolve_period
from core.services.sending.replying import keep_replies
from tests.e2e.driver import cell, enter, open_page, settled
from tests.support.processes.installation import Installation
from tests.support.processes.waiting import wait_until
from tests.support.processes.windows import person

pytestmark = pytest.mark.browser

# The middle of the first row, and from the table's left edge to that of the eyes.
ROW_PX, EYE_PX = 56, 28
# Nobody else in the demo company says so.
WORDS = "Where is <b>gate</b> 12?"


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
        table = page.get_by_test_id("stDataFrame").bounding_box()
        page.mouse.click(table["x"] + EYE_PX, table["y"] + ROW_PX)
        settled(page)
        expect(page).to_have_url(re.compile(f"/message\\?id={message_id}"))
        expect(page.get_by_role("heading", name="Replies")).to_be_visible()
        expect(page.get_by_role("listitem").get_by_text(WORDS, exact=True)).to_be_visible()
        page.get_by_role("button", name="Replies").click()
        expect(cell(page, WORDS).first).to_be_attached()
