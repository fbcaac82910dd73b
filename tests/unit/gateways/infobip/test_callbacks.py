import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import Receipt, Reply
from core.gateways.callbacks import Heard, SignatureRefused, UnreadableCallback
from core.gateways.infobip.callbacks import make_reader
from core.gateways.infobip.form import FORM
from tests.contract.gateways.gateway_contract import NOW
from tests.contract.gateways.http.http_gateways import NAME, callback, connect

ANSWERS = {"url": "https://x.api.infobip.com", "api_key": "k"}
read = make_reader(connect(FORM, ANSWERS))
DONE = datetime(2026, 3, 1, 11, 58, 7, tzinfo=UTC)


def result(group: int, status: int, error: int = 0, **facts: object) -> dict[str, object]:
    return {
        "bulkId": "BULK-1",
        "messageId": "018f",
        "to": "491796000001",
        "sentAt": "2026-03-01T11:58:00.000+0000",
        "doneAt": "2026-03-01T12:58:07.000+0100",
        "smsCount": 1,
        "mccMnc": "26201",
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": {"groupId": group, "id": status, "name": "SOME_NAME"},
        "error": {"groupId": 0, "id": error, "name": "NO_ERROR", "permanent": False},
    } | facts


def hear(*results: object) -> Heard:
    return read(callback(json.dumps({"results": results}).encode(), "application/json"))


@pytest.mark.parametrize(
    ("group", "status", "state"),
    [
        (1, 3, "ENROUTE"),
        (1, 26, "ACCEPTD"),
        (2, 9, "UNDELIV"),
        (3, 5, "DELIVRD"),
        (3, 2, "ACCEPTD"),
        (4, 15, "EXPIRED"),
        (5, 8, "REJECTD"),
        (9, 99, "SOME_NAME"),
    ],
)
def test_a_group_of_statuses_is_told_in_smpp_s_words(group: int, status: int, state: str):
    assert hear(result(group, status)).receipts == (Receipt(NAME, "018f", state, "", DONE),)


def test_an_error_is_kept_as_its_number():
    assert hear(result(2, 9, 27)).receipts[0].error_code == "27"


def test_a_batch_has_receipts_and_replies():
    reply = {
        "messageId": "r1",
        "from": "4917",
        "to": "4930",
        "text": "Stop it",
        "cleanText": "it",
        "keyword": "STOP",
        "receivedAt": "2026-03-01T11:59:00.000+0000",
    }
    heard = hear(result(3, 5), reply, {"nothing": 1}, result(5, 8, messageId="019f"))
    assert [receipt.gateway_message_id for receipt in heard.receipts] == ["018f", "019f"]
    assert heard.replies == (Reply(NAME, "4917", "4930", "Stop it", datetime(2026, 3, 1, 11, 59, tzinfo=UTC), "r1"),)
    assert heard.unread_count == 1


def test_without_results_nothing_is_heard():
    assert read(callback(b"{}", "application/json")) == Heard()
    assert read(callback()) == Heard()


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe{", b"[" * 50_000, b'{"results": [1]}', b'{"results": "x"}', b'{"a":' + b"1" * 5_000 + b"}"],
)
def test_what_cannot_be_read_is_said_to_be_so(body: bytes):
    with pytest.raises(UnreadableCallback):
        read(callback(body, "application/json"))


def test_no_more_is_read_than_a_callback_has():
    with pytest.raises(UnreadableCallback):
        hear(*[{}] * 5_001)


def test_it_comes_from_the_provider_s_networks_only():
    reader = make_reader(connect(FORM, {**ANSWERS, "callback_networks": "198.51.100.0/24"}))
    body = json.dumps({"results": [result(3, 5)]}).encode()
    assert reader(callback(body, "application/json", address="198.51.100.9")).receipts
    with pytest.raises(SignatureRefused):
        reader(callback(body, "application/json"))


names = ["results", "messageId", "status", "groupId", "id", "error", "text", "from", "to", "doneAt", "receivedAt"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=6),
    max_leaves=15,
)


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps({"results": value}).encode()))
def test_whatever_comes_is_read_or_refused(body: bytes):
    for kind in ("", "application/x-www-form-urlencoded", "application/json"):
        try:
            heard = read(callback(body, kind))
        except UnreadableCallback:
            continue
        assert all(receipt.done_at <= NOW.replace(day=3) for receipt in heard.receipts)
