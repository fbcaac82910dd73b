"""Replies are found by whoever may see messages of an account they concern, on either database."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from sqlite3 import Cursor

import openpyxl
import pytest
from sqlalchemy import Connection, event

from core.domain.accounts.accounts import AccountType
from core.domain.messages.messages import Reply
from core.domain.messages.replies import Keyword
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.exports import ExportFormat, ExportStatus
from core.domain.reports.replies import ReplyFilter, ShownReply
from core.domain.times.periods import Period
from core.errors import Forbidden
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from core.services.reports.export_requests import RepliesRequest, decode, encode
from core.services.sending.replying import keep_replies
from core.state.campaigns import replies
from core.state.campaigns.replies import Answered, HeardReply
from tests.integration.services.steps import work
from tests.support.application.factories import make_reply
from tests.support.application.house import House, contacts

MSISDN = "+491796000001"
# What opens a formula, changes the direction of what follows, is markup, and runs over several lines.
NASTY = '=HYPERLINK("http://evil.example","Click")\n\u202e<b>gnp.exe</b> [x](http://evil.example)'


def hear(house: House, *said: Reply) -> None:
    with house.app.state.write() as session:
        keep_replies(session, said, house.now)


def reply(house: House, text: str, minutes_ago: int = 1, **facts: object) -> Reply:
    return make_reply(text=text, received_at=house.now - timedelta(minutes=minutes_ago), **facts)


def everything(house: House, **filters: object) -> ReplyFilter:
    return ReplyFilter(house.everything(), **filters)


def read(house: House, viewer: Viewer | None = None, **filters: object) -> list[ShownReply]:
    page = house.app.reports.replies.page(viewer or house.viewer, everything(house, **filters), 1, 50)
    assert page.total == len(page.items)
    return list(page.items)


def texts(house: House, viewer: Viewer | None = None, **filters: object) -> list[str]:
    return [each.text for each in read(house, viewer, **filters)]


@pytest.fixture
def heard(either: House) -> Iterator[House]:
    either.wait(timedelta(hours=1))
    hear(
        either,
        reply(either, "Merci, Élise!", 3),
        reply(either, "STOP", 2, sender="491796000002"),
        reply(either, "Help", 1, sender="Vodafone"),
    )
    return either


def test_replies_are_paged_newest_first(heard: House):
    assert texts(heard) == ["Help", "STOP", "Merci, Élise!"]
    first, second = (heard.app.reports.replies.page(heard.viewer, everything(heard), page, 2) for page in (1, 2))
    assert ([each.text for each in (*first.items, *second.items)], first.total) == (texts(heard), 3)


def test_a_page_that_is_full_or_beyond_the_last_tells_how_many_there_are(heard: House):
    def total(page: int, size: int, **filters: object) -> int:
        return heard.app.reports.replies.page(heard.viewer, everything(heard, **filters), page, size).total

    assert [total(page, 3) for page in (1, 2)] == [3, 3]
    assert [total(page, 2) for page in (1, 2, 3, 9)] == [3, 3, 3, 3]
    assert [total(page, 1, search="st") for page in (1, 2)] == [1, 1]
    assert [total(page, 2, search="nothing") for page in (1, 2)] == [0, 0]


def test_one_that_concerns_several_accounts_counts_once(either: House):
    both = _with_another_account(either)
    hear(either, reply(either, "One", 3), reply(either, "Two", 2), reply(either, "Three", 1))
    with either.app.state.write() as session:
        waiting, *_ = replies.list_due(session, either.now, 1)
        replies.link(session, waiting, Answered("message-1", min(both.account_ids), ""))
    full = [either.app.reports.replies.page(both, everything(either), 1, size) for size in (1, 3)]
    assert [page.total for page in full] == [3, 3]
    # Counted within the period as they are listed: its end is not a part of it.
    start = either.now - timedelta(minutes=3)
    for minutes, count in ((1, 1), (2, 2), (3, 3)):
        wanted = ReplyFilter(Period(start, start + timedelta(minutes=minutes)))
        assert either.app.reports.replies.page(both, wanted, 1, 1).total == count


def test_neither_the_count_nor_the_choice_of_campaigns_looks_at_every_reply(house: House):
    _with_another_account(house)
    hear(house, reply(house, "One", 2), reply(house, "Two", 1))
    plans = []

    def explain(
        _connection: Connection, cursor: Cursor, statement: str, values: tuple[object, ...], *_: object
    ) -> None:
        if statement.startswith("SELECT"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            plans.append("\n".join(step for *_, step in plan))

    event.listen(house.app.state._engine, "before_cursor_execute", explain)
    page = house.app.reports.replies.page(house.viewer, everything(house), 1, 1)
    house.app.reports.replies.choices(house.viewer)
    assert page.total == 2
    assert any("COVERING INDEX ix_reply_accounts_received (account_id=? AND received_at>?" in plan for plan in plans)
    assert any("COVERING INDEX ix_replies_campaign_id (campaign_id=?" in plan for plan in plans)
    assert not [plan for plan in plans if "SCAN replies" in plan or "SCAN reply_accounts" in plan]


def test_a_reply_linked_to_an_account_it_was_not_heard_for_counts_there(either: House):
    both = _with_another_account(either)
    other = either.app.accounts.managing.list_accounts(both)[0].account_id
    alone = replace(both, account_ids=frozenset({other}))
    said = HeardReply(reply(either, "Thank you"), MSISDN, Keyword.NONE, tuple(both.account_ids - {other}))
    with either.app.state.write() as session:
        replies.add_replies(session, [said], either.now)
        (waiting,) = replies.list_due(session, either.now, 1)
        replies.link(session, waiting, Answered("message-1", other, ""))
    page = either.app.reports.replies.page(alone, everything(either), 1, 1)
    assert (page.total, page.items[0].text) == (1, "Thank you")


def test_they_are_found_by_period_text_number_and_what_they_ask_for(heard: House):
    assert texts(heard, search="elise") == ["Merci, Élise!"]
    assert texts(heard, search="%") == []
    assert texts(heard, search="179 600-0002") == texts(heard, search="+49 1796000002") == ["STOP"]
    assert texts(heard, keyword=Keyword.HELP) == ["Help"]
    assert texts(heard, keyword=Keyword.NONE) == ["Merci, Élise!"]
    late = ReplyFilter(Period(heard.now - timedelta(minutes=2), heard.now))
    page = heard.app.reports.replies.page(heard.viewer, late, 1, 50)
    assert [each.text for each in page.items] == ["Help", "STOP"]


def test_whoever_sees_numbers_masked_finds_whole_ones_only(heard: House):
    masked = replace(heard.viewer, permissions=frozenset({Permission.MESSAGE_HISTORY}))
    assert {each.sender[:4] for each in read(heard, masked)} == {"+4••", "V•••"}
    assert texts(heard, masked, search="+49 179 6000002") == ["STOP"]
    for part in ("6000002", "+4917960", "4", "Vodafone"):
        assert texts(heard, masked, search=part) == []


def test_a_stop_whose_sender_cannot_be_read_says_that_nobody_was_suppressed(heard: House):
    hear(heard, reply(heard, "STOP", 0, sender="Vodafone"))
    assert [each.asks_for for each in read(heard)] == ["STOP, not followed", "HELP", "STOP", ""]


def test_a_reply_that_may_be_anybody_s_is_shown_to_each_account_until_it_is_known(either: House):
    both = _with_another_account(either)
    mine, theirs = sorted(both.account_ids)
    facts = (replace(both, account_ids=frozenset({mine})), replace(both, account_ids=frozenset({theirs})))
    hear(either, reply(either, "Thank you"), reply(either, "STOP"))
    assert {each.account for each in read(either, both)} == {"Apart, Simulator"}
    assert [texts(either, viewer) for viewer in facts] == [["STOP", "Thank you"]] * 2
    with either.app.state.write() as session:
        for waiting in replies.list_due(session, either.now, 10):
            replies.link(session, waiting, Answered("message-1", mine, ""))
    # Both accounts have followed the STOP, and only one was thanked; the message is that one's alone.
    assert [texts(either, viewer) for viewer in facts] == [["STOP", "Thank you"], ["STOP"]]
    assert {each.message_id for each in read(either, facts[0])} == {"message-1"}
    assert {each.message_id for each in read(either, facts[1])} == {""}
    assert texts(either, facts[1], account_id=mine) == []
    assert texts(either, both, account_id=mine) == ["STOP", "Thank you"]
    assert [len(either.app.reports.replies.of_message(viewer, "message-1")) for viewer in facts] == [2, 0]


def _with_another_account(house: House) -> Viewer:
    made = NewAccount("apart", "Apart", AccountType.CAMPAIGN, AccountSettings("simulator", 100))
    apart = house.app.accounts.managing.create(house.viewer, made, house.now)
    return replace(house.viewer, account_ids=house.viewer.account_ids | {apart.account_id})


def test_replies_of_an_inactive_account_are_closed(heard: House):
    closed = replace(heard.viewer, inactive_ids=heard.viewer.account_ids)
    assert texts(heard, closed) == []
    choices = heard.app.reports.replies.choices
    assert set(choices(heard.viewer).accounts) == heard.viewer.account_ids
    assert choices(closed).accounts == {}


def test_a_campaign_s_replies_are_found_and_those_to_one_message(either: House):
    campaign = either.launch(either.upload(contacts(3)).list_id)
    work(either)
    either.wait(timedelta(minutes=1))
    hear(either, reply(either, "First", 0), reply(either, "Of nobody", 0, sender="4915112345678"))
    either.wait(timedelta(minutes=1))
    hear(either, reply(either, "Second", 0))
    either.app.sending.linking.link(either.clock)
    assert texts(either, campaign_id=campaign.campaign_id) == ["Second", "First"]
    newest = read(either)[0]
    assert (newest.campaign, newest.account) == ("Spring greeting", "Simulator")
    told = either.app.reports.replies.of_message(either.viewer, newest.message_id)
    assert [each.text for each in told] == ["First", "Second"]
    assert either.app.reports.replies.choices(either.viewer).campaigns == {campaign.campaign_id: "Spring greeting"}
    # Who may see messages but no campaigns hears of none.
    reader = replace(either.viewer, permissions=frozenset({Permission.MESSAGE_HISTORY}))
    assert either.app.reports.replies.choices(reader).campaigns == {}
    assert {each.campaign for each in read(either, reader)} == {""}


def test_what_another_account_s_campaign_is_called_is_not_said(house: House):
    both = _with_another_account(house)
    house.launch(house.upload(contacts(3)).list_id)
    work(house)
    house.wait(timedelta(minutes=1))
    # To a number that neither has sent under: both follow the STOP, and one of them was answered.
    hear(house, reply(house, "STOP", 0, receiver="4917012345"))
    house.app.sending.linking.link(house.clock)
    apart = replace(both, account_ids=both.account_ids - house.viewer.account_ids)
    assert [(each.text, each.campaign) for each in read(house)] == [("STOP", "Spring greeting")]
    assert [(each.text, each.campaign) for each in read(house, apart)] == [("STOP", "")]


def test_without_the_permission_nothing_is_said_of_one_message(house: House):
    with pytest.raises(Forbidden):
        house.app.reports.replies.of_message(replace(house.viewer, permissions=frozenset()), "message-1")


def export(house: House, kind: ExportFormat, viewer: Viewer | None = None, **filters: object) -> bytes:
    request = RepliesRequest(everything(house, **filters))
    assert decode(encode(request)) == request
    exporting = house.app.reports.exporting
    ordered = exporting.start(viewer or house.viewer, request, kind, house.now)
    exporting.run(ordered.export_id, house.clock)
    (found,) = (each for each in exporting.list_mine(house.viewer) if each.export_id == ordered.export_id)
    assert found.status is ExportStatus.READY, found.fault
    return exporting.fetch(house.viewer, ordered.export_id, house.now).path.read_bytes()


def test_an_export_has_what_strangers_wrote_as_text_and_nothing_else(heard: House):
    hear(heard, reply(heard, NASTY, 0))
    rows = list(csv.DictReader(io.StringIO(export(heard, ExportFormat.CSV).decode("utf-8-sig"), newline="")))
    assert [row["Asks For"] for row in rows] == ["", "HELP", "STOP", ""]
    # No program takes it for a formula.
    assert not rows[0]["Text"].startswith("=")
    assert "HYPERLINK" in rows[0]["Text"]
    assert "\n" in rows[0]["Text"]
    sheet = openpyxl.load_workbook(io.BytesIO(export(heard, ExportFormat.XLSX)))["Replies"]
    cells = [cell for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert [cell.data_type for cell in cells] == ["s"]


def test_an_export_has_what_was_asked_for_and_says_so(heard: House):
    (account_id,) = heard.viewer.account_ids
    filters = {"search": "st", "keyword": Keyword.STOP, "account_id": account_id}
    book = openpyxl.load_workbook(io.BytesIO(export(heard, ExportFormat.XLSX, **filters)))
    sheet, about = book["Replies"], "\n".join(str(cell.value) for row in book.worksheets[-1] for cell in row)
    assert [row[3].value for row in sheet.iter_rows(min_row=2)] == ["STOP"]
    assert "Number or text: st\nAsks for: STOP\nAccount: Simulator" in about


def test_replies_are_exported_a_thousand_at_a_time(house: House):
    hear(house, *(reply(house, f"Reply {number}", 0) for number in range(1_001)))
    rows = list(csv.DictReader(io.StringIO(export(house, ExportFormat.CSV).decode("utf-8-sig"))))
    assert {row["Text"] for row in rows} == {f"Reply {number}" for number in range(1_001)}
