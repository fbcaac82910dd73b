"""The message that a reply answers is found wherever it is: in days that are indexed, and in those that are not yet."""

from datetime import timedelta

import pytest

from core.history.lake.connection import Lake
from core.history.messages import answering
from core.history.messages.answering import LOOKBACK, AnsweredMessage, AnsweredMessages, Asked
from core.history.messages.message_store import MessageStore
from core.history.numbers.number_index import NumberIndex
from core.history.numbers.number_search import is_moment
from tests.support.stores.messages import NOW, make_message, message_table, unsent_table

MSISDN = "+491796548754"


def send(lake: Lake, *messages: dict[str, object]) -> None:
    batch_id = f"batch-{messages[0]['message_id']}"
    MessageStore(lake).append_batch(batch_id, "campaign-1", message_table(*messages), unsent_table(), NOW)


def make(days_ago: float, **overrides: object) -> dict[str, object]:
    return make_message(sent_at=NOW - timedelta(days=days_ago), receiver=MSISDN, **overrides)


def find(lake: Lake, **overrides: object) -> str | None:
    facts = {
        "gateway": "simulator",
        "msisdn": MSISDN,
        "sender_id": "12345",
        "received_at": NOW,
        "account_ids": ("account-1",),
    }
    found = AnsweredMessages(lake).find(Asked(**(facts | overrides)))
    return found.message_id if found else None


@pytest.fixture(params=["indexed", "not indexed"])
def index(request: pytest.FixtureRequest, lake: Lake):
    def run() -> None:
        if request.param == "indexed":
            numbers = NumberIndex(lake)
            for day in numbers.list_unindexed(NOW + timedelta(days=30)):
                numbers.index_day(day)

    return run


def test_the_newest_one_before_the_reply_is_answered(lake: Lake, index) -> None:
    old, new, later = make(20), make(3, campaign_id=""), make(-1)
    near = make_message(sent_at=NOW - timedelta(hours=1), receiver=f"{MSISDN}1")
    send(lake, old, new, later, near)
    index()
    assert AnsweredMessages(lake).find(Asked("simulator", MSISDN, "12345", NOW, ())) == AnsweredMessage(
        new["message_id"], "account-1", ""
    )
    assert find(lake, received_at=NOW - timedelta(days=4)) == old["message_id"]
    assert find(lake, received_at=NOW - timedelta(days=21)) is None


def test_one_of_another_gateway_or_too_long_ago_is_not_answered(lake: Lake, index) -> None:
    send(lake, make(1, gateway="Oslo"), make(LOOKBACK / timedelta(days=1) + 1))
    index()
    assert find(lake) is None


def test_the_sender_id_that_was_replied_to_comes_first_then_the_likely_account(lake: Lake, index) -> None:
    other = make(1, account="account-3", sender="Bookings")
    likely = make(2, account="account-1", sender="Bookings")
    named = make(3, account="account-2", sender="+4915112345678")
    send(lake, other, likely, named)
    index()
    assert find(lake, account_ids=()) == other["message_id"]
    assert find(lake) == likely["message_id"]
    assert find(lake, sender_id="4915112345678") == named["message_id"]
    assert find(lake, sender_id="BOOKINGS") == likely["message_id"]


def test_several_are_found_in_one_look_where_that_can_tell(lake: Lake) -> None:
    facts = {"sender": "+4915112345678"}
    old, near, newest, foreign = make(1.5, **facts), make(1, **facts), make(0.5, **facts), make(0.1, **facts)
    foreign |= {"account": "account-2"}
    ancient = make_message(sent_at=NOW - timedelta(days=9), receiver="+491796548755", **facts)
    unnamed = make_message(sent_at=NOW - timedelta(days=0.2), receiver="+491796548756", sender="Other")
    send(lake, old, near, newest, foreign, ancient, unnamed, make(-1, **facts), make(0.4, **facts, gateway="Oslo"))

    def ask(msisdn: str = MSISDN, days_ago: float = 0) -> Asked:
        return Asked("simulator", msisdn, "4915112345678", NOW - timedelta(days=days_ago), ("account-1",))

    asked = [
        ask(),
        ask(days_ago=0.7),
        ask("+491796548755"),
        ask("+491796548756"),
        ask("+491796548757"),
        ask(days_ago=6),
    ]
    found = AnsweredMessages(lake).find_recent(asked)
    assert {number: message.message_id for number, message in found.items()} == {
        0: newest["message_id"],
        1: near["message_id"],
    }
    # The rest takes a look of its own; and where both tell, they tell the same.
    alone = [AnsweredMessages(lake).find(each) for each in asked]
    assert [alone[number] for number in found] == list(found.values())
    assert [each.message_id if each else None for each in alone[2:]] == [
        ancient["message_id"],
        unnamed["message_id"],
        None,
        None,
    ]
    assert AnsweredMessages(lake).find_recent([]) == {}


def test_a_reply_within_the_second_of_its_message_answers_it(lake: Lake) -> None:
    message = make_message(sent_at=NOW + timedelta(milliseconds=900), receiver=MSISDN)
    send(lake, message)
    assert find(lake) == message["message_id"]


def test_of_many_places_to_look_at_few_are_opened(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    # Days that are not indexed between such that are: each would be a part of the statement.
    monkeypatch.setattr(answering, "_MOST_STRETCHES", 3)
    sent = [make(days) for days in range(1, 21)]
    send(lake, *sent)
    numbers = NumberIndex(lake)
    for day in numbers.list_unindexed(NOW + timedelta(days=30))[::2]:
        numbers.index_day(day)
    with lake.read() as cursor:
        period = answering.Period(NOW - LOOKBACK, NOW)
        stretches = answering._stretches(cursor, MSISDN, period)
    assert len([each for each in stretches if not is_moment(each)]) <= 3
    for days in range(20):
        assert find(lake, received_at=NOW - timedelta(days=days, seconds=1)) == sent[days]["message_id"]
