import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import Receipt, Reply
from core.gateways.callbacks import SignatureRefused, UnreadableCallback
from core.gateways.vonage.callbacks import make_reader
from core.gateways.vonage.form import FORM
from core.gateways.vonage.signatures import Method, check_signature, sign
from tests.contract.gateways.gateway_contract import NOW
from tests.contract.gateways.http.http_gateways import NAME, callback, connect

SECRET = "signature-secret-1"
FORM_TYPE = "application/x-www-form-urlencoded"
ANSWERS = {"api_key": "abcd1234", "api_secret": "s"}
read = make_reader(connect(FORM, ANSWERS))
RECEIPT = {
    "msisdn": "491796000001",
    "to": "HELIOGRAPH",
    "network-code": "26201",
    "messageId": "0A0000000123ABCD1",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2603011158",
    "err-code": "0",
    "message-timestamp": "2026-03-01 11:59:30 +0000",
    "timestamp": str(int(NOW.timestamp())),
}
EXPECTED = Receipt(NAME, "0A0000000123ABCD1", "DELIVRD", "", datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC))


def test_it_comes_in_an_address_in_a_form_and_in_json():
    assert read(callback(method="GET", query=urlencode(RECEIPT))).receipts == (EXPECTED,)
    assert read(callback(urlencode(RECEIPT).encode(), FORM_TYPE)).receipts == (EXPECTED,)
    assert read(callback(json.dumps(RECEIPT).encode(), "application/json")).receipts == (EXPECTED,)
    assert read(callback(json.dumps(RECEIPT).encode())).receipts == (EXPECTED,)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", "ACCEPTD"),
        ("buffered", "ENROUTE"),
        ("delivered", "DELIVRD"),
        ("expired", "EXPIRED"),
        ("failed", "UNDELIV"),
        ("rejected", "REJECTD"),
        ("unknown", "ENROUTE"),
        ("Delivered", "DELIVRD"),
        ("lost", "lost"),
    ],
)
def test_a_status_is_told_in_smpp_s_words(status: str, state: str):
    heard = read(callback(method="GET", query=urlencode(RECEIPT | {"status": status, "err-code": "6"})))
    assert [(each.receipt_state, each.error_code) for each in heard.receipts] == [(state, "6")]


def test_a_reply_is_what_a_person_wrote():
    reply = {"msisdn": "4917", "to": "4930", "messageId": "0B1", "text": "Stop", "type": "text", "keyword": "STOP"}
    assert read(callback(method="GET", query=urlencode(reply))).replies == (
        Reply(NAME, "4917", "4930", "Stop", NOW, "0B1"),
    )


def test_what_is_neither_is_counted():
    assert read(callback(json.dumps([{}, {"status": "delivered"}, RECEIPT]).encode())).unread_count == 2


def by_hand(fields: dict[str, str], method: Method) -> str:
    """Sign as Vonage's documentation says, by other means than the gateway."""
    joined = b""
    for name in sorted(set(fields) - {"sig"}):
        joined += b"&" + name.encode() + b"=" + fields[name].translate({0x26: "_", 0x3D: "_"}).encode()
    if method is Method.MD5_HASH:
        digest = hashlib.new("md5", usedforsecurity=False)
        digest.update(joined)
        digest.update(SECRET.encode())
        return digest.hexdigest()
    return hmac.digest(SECRET.encode(), joined, method.value).hex()


@pytest.mark.parametrize("method", Method)
def test_a_signature_of_any_kind_lets_in_what_it_signs(method: Method):
    signed = make_reader(connect(FORM, {**ANSWERS, "signature_secret": SECRET, "signature_method": method.value}))
    fields = RECEIPT | {"text": "a=b&c=d ü "}
    right = fields | {"sig": by_hand(fields, method).upper()}
    assert signed(callback(urlencode(right).encode(), FORM_TYPE)).receipts == (EXPECTED,)
    assert signed(callback(json.dumps(right).encode(), "application/json")).receipts == (EXPECTED,)
    for wrong in (
        fields,
        right | {"status": "failed"},
        right | {"more": "1"},
        right | {"sig": ""},
        right | {"sig": "ü"},
        {name: value for name, value in right.items() if name != "msisdn"},
    ):
        with pytest.raises(SignatureRefused):
            signed(callback(urlencode(wrong).encode(), FORM_TYPE))


def test_a_signature_lets_in_no_fields_hidden_in_a_name():
    reply = {"messageId": "0B1", "msisdn": "4917", "text": "START", "to": "4930", "timestamp": RECEIPT["timestamp"]}
    signature = sign(reply, SECRET, Method.SHA256)
    check_signature(reply | {"sig": signature}, SECRET, Method.SHA256, NOW)
    # Signed alike, and without the ID by which it is known when it comes again.
    hidden = {"messageId=0B1&msisdn": "4917"} | {name: reply[name] for name in ("text", "to", "timestamp")}
    assert sign(hidden, SECRET, Method.SHA256) == signature
    with pytest.raises(SignatureRefused):
        check_signature(hidden | {"sig": signature}, SECRET, Method.SHA256, NOW)


def test_of_a_batch_each_is_signed():
    signed = make_reader(connect(FORM, {**ANSWERS, "signature_secret": SECRET}))
    right = RECEIPT | {"sig": by_hand(RECEIPT, Method.MD5_HASH)}
    assert len(signed(callback(json.dumps([right, right]).encode())).receipts) == 2
    with pytest.raises(SignatureRefused):
        signed(callback(json.dumps([right, RECEIPT]).encode()))


@pytest.mark.parametrize(
    ("age", "is_let_in"),
    [
        (timedelta(0), True),
        (timedelta(hours=24), True),
        (timedelta(minutes=-4), True),
        (timedelta(hours=26), False),
        (timedelta(minutes=-6), False),
    ],
)
def test_what_was_signed_long_ago_is_refused(age: timedelta, is_let_in: bool):
    fields = {"timestamp": str(int((NOW - age).timestamp()))}
    fields["sig"] = sign(fields, SECRET, Method.SHA256)
    if is_let_in:
        check_signature(fields, SECRET, Method.SHA256, NOW)
    else:
        with pytest.raises(SignatureRefused, match="time"):
            check_signature(fields, SECRET, Method.SHA256, NOW)


@pytest.mark.parametrize("timestamp", ["", "soon", "9" * 400, "-5", "٣"])
def test_what_does_not_say_when_it_was_signed_is_refused(timestamp: str):
    fields = {"timestamp": timestamp}
    fields["sig"] = sign(fields, SECRET, Method.SHA512)
    with pytest.raises(SignatureRefused):
        check_signature(fields, SECRET, Method.SHA512, NOW)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RECEIPT, "text", "sig"]), inner, max_size=6)
    ),
    max_leaves=12,
)


def test_it_comes_from_the_provider_s_networks_only():
    reader = make_reader(connect(FORM, ANSWERS | {"callback_networks": "198.51.100.0/24"}))
    assert reader(callback(method="GET", query=urlencode(RECEIPT), address="198.51.100.9")).receipts
    with pytest.raises(SignatureRefused):
        reader(callback(method="GET", query=urlencode(RECEIPT)))


@given(st.sampled_from(["GET", "POST"]), st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_read_or_refused(method: str, body: bytes):
    for reader in (read, make_reader(connect(FORM, {**ANSWERS, "signature_secret": SECRET}))):
        for kind in ("", FORM_TYPE, "application/json"):
            try:
                reader(callback(body, kind, method=method, query=body.decode("latin-1")))
            except (SignatureRefused, UnreadableCallback):
                continue
