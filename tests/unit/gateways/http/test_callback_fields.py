import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import Receipt, Reply
from core.errors import InvalidInput
from core.gateways.callbacks import Heard, SignatureRefused, UnreadableCallback
from core.gateways.generic import gateway as generic
from core.gateways.generic.form import FORM as GENERIC
from core.gateways.http.bodies import FORM_MOST
from core.gateways.mitto import gateway as mitto
from core.gateways.mitto.form import FORM as MITTO
from core.gateways.states import parse_states
from tests.contract.gateways.gateway_contract import NOW
from tests.contract.gateways.http.http_gateways import NAME, callback, connect

FORM_TYPE = "application/x-www-form-urlencoded"
read_mitto = mitto.make_reader(connect(MITTO, {"api_key": "k"}))
# As the guide's template has it, filled in by Mitto.
TOLD = {
    "Id": "7d35863fe6f44695a713d54e6ba0aeb5",
    "MccMnc": "26201",
    "status": "Delivered",
    "receiver": "491796000001",
    "errorcode": "0",
    "reference": "018f",
    "sendtime": "2026-03-01 11:58:07",
    "sendtimestamp": "1772366287",
}
EXPECTED = Receipt(NAME, TOLD["Id"], "DELIVRD", "", NOW)


def test_mitto_s_template_is_read_by_get_and_post_alone_and_in_an_array():
    assert read_mitto(callback(method="GET", query=urlencode(TOLD))).receipts == (EXPECTED,)
    assert read_mitto(callback(query=urlencode(TOLD))).receipts == (EXPECTED,)
    assert read_mitto(callback(urlencode(TOLD).encode(), FORM_TYPE)).receipts == (EXPECTED,)
    assert read_mitto(callback(json.dumps(TOLD).encode(), "application/json")).receipts == (EXPECTED,)
    assert read_mitto(callback(json.dumps([TOLD, TOLD]).encode(), "application/json")).receipts == (EXPECTED, EXPECTED)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_form_longer_than_any_receipt_or_reply_is_refused_unread(method: str):
    longest = urlencode(TOLD) + "&text=" + "%41" * 40_000
    assert len(longest) < FORM_MOST
    assert read_mitto(callback(longest.encode(), FORM_TYPE)).receipts == (EXPECTED,)
    endless = "%" * (FORM_MOST + 1)
    with pytest.raises(UnreadableCallback, match="too long"):
        read_mitto(
            callback(endless.encode(), FORM_TYPE) if method == "POST" else callback(method=method, query=endless)
        )


@pytest.mark.parametrize("kind", [FORM_TYPE, "application/json; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize(
    "body",
    [
        urlencode(TOLD).encode(),
        b"\r\n" + urlencode(TOLD).encode(),
        json.dumps(TOLD).encode(),
        json.dumps([TOLD], indent=1).encode(),
        json.dumps(TOLD).encode("utf-8-sig"),
        json.dumps(TOLD).encode("utf-16"),
    ],
    ids=["form", "form after a line", "object", "list", "object with a mark", "UTF-16"],
)
def test_a_body_is_read_as_what_it_is_whatever_its_type_says(kind: str, body: bytes):
    assert read_mitto(callback(body, kind)).receipts == (EXPECTED,)


@pytest.mark.parametrize("body", [b'{"Id": "a=b', b"[1=2", b'"a=b', b"nothing", b"<Id>1</Id>"])
def test_json_that_is_cut_off_is_no_form(body: bytes):
    with pytest.raises(UnreadableCallback):
        read_mitto(callback(body, "application/json"))


def test_a_form_whose_first_name_is_a_brace_is_a_form():
    assert read_mitto(callback(b"{x=1&" + urlencode(TOLD).encode(), FORM_TYPE)).receipts == (EXPECTED,)


def test_a_word_nobody_has_explained_stays_as_it_came():
    heard = read_mitto(callback(method="GET", query=urlencode(TOLD | {"status": "Gone fishing", "errorcode": "E/7"})))
    assert [(each.receipt_state, each.error_code) for each in heard.receipts] == [("Gone fishing", "E/7")]


def test_the_words_of_the_settings_count_before_smpp_s_own():
    connection = connect(
        MITTO, {"api_key": "k", "callback_states": "Gone Fishing = UNDELIV\nUNKNOWN = ENROUTE\nno = way = EXPIRED"}
    )
    read = mitto.make_reader(connection)
    states = [
        read(callback(method="GET", query=urlencode(TOLD | {"status": word}))).receipts[0].receipt_state
        for word in ("gone fishing", "unknown", "no = way", "Expired", "DELIVRD")
    ]
    assert states == ["UNDELIV", "ENROUTE", "EXPIRED", "EXPIRED", "DELIVRD"]


def test_places_are_the_settings_own():
    connection = connect(
        GENERIC,
        {
            "url": "https://host/",
            "body": "{}",
            "callback_items": "data.reports",
            "callback_id": "message.id",
            "callback_state": "state.0",
            "callback_error": "reason",
            "callback_time": "at",
            "callback_states": "ok = DELIVRD",
            "reply_sender": "from",
            "reply_receiver": "to",
            "reply_text": "content.text",
            "reply_id": "uid",
            "reply_time": "at",
        },
    )
    reports = [
        {"message": {"id": 12}, "state": ["OK"], "at": "2026-03-01T11:00:00Z", "reason": 0},
        {"from": 4917, "to": "SHOP", "content": {"text": "Stop"}, "uid": "u1", "at": 1772362800},
        {"from": "4917"},
    ]
    read = generic.make_reader(connection)
    at = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
    assert read(callback(json.dumps({"data": {"reports": reports}}).encode())) == Heard(
        (Receipt(NAME, "12", "DELIVRD", "", at),), (Reply(NAME, "4917", "SHOP", "Stop", at, "u1"),), 1
    )
    # One that is not in a list, and none.
    assert len(read(callback(json.dumps({"data": {"reports": reports[0]}}).encode())).receipts) == 1
    assert read(callback(json.dumps({"data": {}}).encode())) == Heard()


def test_without_places_for_replies_there_are_none():
    assert read_mitto(callback(method="GET", query="from=4917&text=Stop")) == Heard(unread_count=1)


def test_it_comes_from_the_provider_s_networks_only():
    read = mitto.make_reader(connect(MITTO, {"api_key": "k", "callback_networks": "198.51.100.0/24"}))
    with pytest.raises(SignatureRefused):
        read(callback(method="GET", query=urlencode(TOLD)))


@pytest.mark.parametrize("line", ["delivered", "= DELIVRD", "delivered =", "delivered = ARRIVED", "a = b"])
def test_a_line_that_explains_nothing_is_refused(line: str):
    with pytest.raises(InvalidInput) as caught:
        parse_states(f"ok = DELIVRD\n\n{line}\n", "callback_states")
    assert caught.value.field == "callback_states"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(TOLD)), inner, max_size=6),
    max_leaves=12,
)


@given(st.sampled_from(["GET", "POST"]), st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_read_or_refused(method: str, body: bytes):
    for kind in ("", FORM_TYPE, "application/json"):
        try:
            read_mitto(callback(body, kind, method=method, query=body.decode("latin-1")))
        except UnreadableCallback:
            continue
