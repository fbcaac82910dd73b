from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.messages.error_codes import Stage, find_meaning
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Viewer
from core.history.messages.message_store import MessageStore
from pages._ui.screens.message.timeline import in_words
from tests.support.application.campaigns import save_draft, send
from tests.support.application.page_tests import House
from tests.support.stores.messages import make_message, make_update, merge_receipts

KEY = "message"
SENT_AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def record(house: House, viewer: Viewer, **overrides: Any) -> str:
    """Record a message of the viewer's account, with three receipts; return its id."""
    (account_id,) = viewer.account_ids
    message = make_message(
        **{"account": account_id, "sent_at": SENT_AT, "campaign_id": "", "source": "api"} | overrides
    )
    house.record([message])
    came = [
        (DeliveryStatus.SUBMITTED, 0.4, {"receipt_state": "<b>BUFFRD</b>"}),
        (DeliveryStatus.UNDELIVERED, 70, {"error_code": "27"}),
        (DeliveryStatus.UNDELIVERED, 80, {"error_code": "27"}),
    ]
    updates = [
        make_update(
            status,
            gateway_message_id=message["gateway_message_id"],
            done_at=SENT_AT + timedelta(seconds=seconds),
            **facts,
        )
        for status, seconds, facts in came
    ]
    merge_receipts(MessageStore(house.app.lake), updates)
    return str(message["message_id"])


def timeline(at: Any) -> str:
    return next(block.proto.body for block in at.get("html") if "<ol" in block.proto.body)


def facts(at: Any) -> str:
    return at.table[0].value.to_string()


def test_a_message_shows_its_facts_and_its_way(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY, id=record(house, viewer))
    assert not at.exception
    assert at.header[0].value == r"\+491796548754"
    way = timeline(at)
    in_order = ["Queued", "Submitted", "&lt;b&gt;BUFFRD&lt;/b&gt;", "Receipt UNDELIV", ">Repeated<", ">Now<"]
    assert [way.index(words) for words in in_order] == sorted(way.index(words) for words in in_order)
    assert "come through the API" in way
    assert "Not an SMPP state" in way
    # Less than a second apart, and more.
    assert "12:00:00.400" in way
    assert ">12:01:10<" in way
    assert "absent subscriber" in way
    assert "Absent subscriber" in facts(at)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("simulator", "1", "unknown subscriber: the number does not exist; sending again will not help."),
        ("simulator", "27", "absent subscriber: the phone was off or out of reach; may be temporary."),
        ("acme", "21", "usually facility not supported."),
        ("twilio", "30002", "account suspended; the problem is the account, not this receiver."),
        ("twilio", "4711", "the gateway's own; its meaning is not known."),
    ],
)
def test_an_error_is_told_in_words_and_whether_it_may_pass(kind: str, code: str, words: str) -> None:
    assert in_words(code, find_meaning(kind, code, Stage.RECEIPT)) == f"Error code {code}: {words}"


def test_a_campaigns_message_was_queued_when_its_audience_was_frozen(house: House) -> None:
    viewer = house.sign_in()
    campaign = send(house, viewer, save_draft(house, viewer))
    with house.app.lake.read() as cursor:
        (message_id,) = cursor.execute("SELECT message_id::VARCHAR FROM lake.messages LIMIT 1").fetchone()
    at = house.open(KEY, id=message_id)
    assert not at.exception
    way = timeline(at)
    assert way.index("Campaign launched") < way.index("Queued") < way.index("Submitted")
    at.button(key=f"{KEY}_campaign").click().run()
    assert at.query_params["id"] == campaign.campaign_id


def test_numbers_and_campaigns_are_covered_for_those_who_may_not_see_them(house: House) -> None:
    viewer = house.sign_in()
    message_id = record(house, viewer)
    house.sign_in("Reporting manager")
    at = house.open(KEY, id=message_id)
    assert not at.exception
    assert at.header[0].value.startswith(r"\+4••••")
    assert "6548754" not in at.header[0].value + facts(at) + timeline(at)
    assert not [button for button in at.button if button.key == f"{KEY}_campaign"]


@pytest.mark.parametrize("message_id", ["", "nonsense", "019a5807-0024-7f59-a8b2-eca1990b2807"])
def test_a_message_nobody_knows_is_an_error(house: House, message_id: str) -> None:
    house.sign_in()
    at = house.open(KEY, id=message_id)
    assert not at.exception
    assert "There is no such message" in at.error[0].value


def test_a_message_of_another_account_is_as_unknown(house: House) -> None:
    viewer = house.sign_in()
    at = house.open(KEY, id=record(house, viewer, account="somebody-else"))
    assert "There is no such message" in at.error[0].value
    assert not at.table


def test_the_way_back_leads_to_the_filters_one_came_from(house: House) -> None:
    viewer = house.sign_in()
    message_id = record(house, viewer, sent_at=datetime.now(UTC), sender="Acme & Co")
    at = house.open(KEY, id=message_id, back="sender=Acme+%26&period=Today&message_history_size=25")
    at.button(key=f"{KEY}_back").click().run()
    assert not at.exception
    assert (at.query_params["sender"], at.query_params["period"]) == ("Acme &", "Today")
    assert len(at.dataframe[0].value) == 1
