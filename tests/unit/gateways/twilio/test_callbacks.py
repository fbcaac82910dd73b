"""Twilio's callbacks, with its own library as the witness for signatures."""

import hashlib
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator, get_signature_algorithm

from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.replies import Keyword
from core.gateways.callbacks import CallbackRequest, SignatureRefused, UnreadableCallback
from core.gateways.twilio.callbacks import SETTINGS, SIGNATURE, make_reader, sign
from core.gateways.twilio.form import FORM
from tests.contract.gateways.gateway_contract import NOW
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, NAME, callback, connect

TOKEN = "token-1"
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
read = make_reader(connect(FORM, {"account_sid": "AC1", "auth_token": TOKEN}))
theirs = RequestValidator(TOKEN)
SHARED_KEY = "shared-key-1"
read_keyed = make_reader(connect(FORM, {"account_sid": "AC1", "auth_token": TOKEN, "shared_key": SHARED_KEY}))


def posted(
    fields: dict[str, str], *, query: str = "", signature: str | None = None, **facts: object
) -> CallbackRequest:
    """Return a form with Twilio's signature, made by its library."""
    url = CALLBACK_URL + (f"?{query}" if query else "")
    signed = theirs.compute_signature(url, fields) if signature is None else signature
    body = urlencode(fields).encode()
    return callback(body, FORM_TYPE, query=query, headers={"x-twilio-signature": signed}, **facts)


DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+4917", "From": "HELIO", "AccountSid": "AC1"}

SID = "SM0123456789abcdef0123456789abcdef"
REPLY = {"SmsStatus": "received", "MessageSid": SID, "From": "+4917", "To": "+4930", "Body": "START"}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "ENROUTE"),
        ("sent", "ENROUTE"),
        ("accepted", "ACCEPTD"),
        ("delivered", "DELIVRD"),
        ("read", "DELIVRD"),
        ("undelivered", "UNDELIV"),
        ("failed", "REJECTD"),
        ("canceled", "DELETED"),
        ("teleported", "teleported"),
    ],
)
def test_a_status_becomes_a_receipt(status: str, state: str):
    heard = read(posted(DELIVERED | {"MessageStatus": status, "ErrorCode": "30003"}))
    assert heard.receipts == (Receipt(NAME, "SM1", state, "30003", NOW),)
    assert (heard.replies, heard.unread_count) == ((), 0)


def test_a_reply_is_what_a_person_wrote():
    fields = REPLY | {"Body": " Stop & go = ü\n"}
    assert read(posted(fields)).replies == (Reply(NAME, "+4917", "+4930", " Stop & go = ü\n", NOW, SID),)


@pytest.mark.parametrize(
    ("told", "keyword"),
    [("STOP", Keyword.STOP), ("START", Keyword.START), ("HELP", Keyword.HELP), ("OTHER", Keyword.NONE)],
)
def test_twilio_knows_the_words_that_its_customer_has_chosen(told: str, keyword: Keyword):
    (reply,) = read(posted(REPLY | {"Body": "No", "OptOutType": told})).replies
    assert (reply.text, reply.keyword) == ("No", keyword)


@pytest.mark.parametrize(
    "cut",
    [
        # Into the ID goes the field behind it; the ID goes into the field before it; and so does its end.
        {"MessageSid": f"{SID}NumMedia0"},
        {"FromZip": f"10115MessageSid{SID}NumMedia0"},
        {"MessageSid": SID[:-1], f"{SID[-1]}NumMedia": f"0SmsStatusreceivedTo{REPLY['To']}"},
    ],
)
def test_a_reply_cut_otherwise_is_no_other_reply(cut: dict[str, str]):
    fields = REPLY | {"FromZip": "10115", "NumMedia": "0"}
    signature = theirs.compute_signature(CALLBACK_URL, fields)
    assert read(posted(fields, signature=signature)).replies[0].reference == SID
    # Twilio signs names and values without anything between them.
    swallowed = {"NumMedia"} | ({"MessageSid"} if "FromZip" in cut else set())
    swallowed |= {"SmsStatus", "To"} if len(cut) == 2 else set()
    forged = {name: value for name, value in fields.items() if name not in swallowed} | cut
    assert sign(TOKEN.encode(), CALLBACK_URL, forged.items()) == signature
    assert (heard := read(posted(forged, signature=signature))).replies == ()
    assert heard.unread_count == 1


def test_what_is_neither_is_counted():
    assert read(posted({"EventType": "onMessageAdded"})).unread_count == 1


def test_a_get_is_signed_over_its_address_alone():
    query = urlencode(DELIVERED)
    signature = theirs.compute_signature(f"{CALLBACK_URL}?{query}", {})
    heard = read(callback(method="GET", query=query, headers={"x-twilio-signature": signature}))
    assert heard.receipts[0].gateway_message_id == "SM1"


def test_json_is_signed_by_its_digest_in_the_address():
    body = json.dumps(DELIVERED).encode()
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = theirs.compute_signature(f"{CALLBACK_URL}?{query}", {})
    request = {"query": query, "headers": {"x-twilio-signature": signature}}
    assert theirs.validate(f"{CALLBACK_URL}?{query}", body.decode(), signature)
    assert read(callback(body, "application/json", **request)).receipts[0].receipt_state == "DELIVRD"
    with pytest.raises(SignatureRefused):
        read(callback(body.replace(b"delivered", b"failed!!!"), "application/json", **request))
    # The same digest beside a form whose fields nobody signed.
    with pytest.raises(SignatureRefused):
        read(callback(urlencode(DELIVERED).encode(), FORM_TYPE, **request))


def test_json_without_a_digest_is_nobodys():
    signature = theirs.compute_signature(CALLBACK_URL, {})
    with pytest.raises(SignatureRefused):
        read(callback(json.dumps(DELIVERED).encode(), "application/json", headers={"x-twilio-signature": signature}))


ADDRESSES = [
    f"{host}/callbacks/token"
    for host in (
        *("https://sms.example.com", "https://sms.example.com:443", "https://sms.example.com:8443"),
        *("http://sms.example.com", "http://sms.example.com:80", "http://sms.example.com:8080"),
        *("https://192.0.2.1", "https://192.0.2.1:8443"),
    )
]


@pytest.mark.parametrize("asked", ADDRESSES)
@pytest.mark.parametrize("signed", ADDRESSES)
def test_a_port_may_be_signed_or_not_as_twilio_s_own_library_has_it(signed: str, asked: str):
    signature = theirs.compute_signature(signed, DELIVERED)
    request = posted(DELIVERED, signature=signature, url=asked)
    if theirs.validate(asked, DELIVERED, signature):
        assert read(request).receipts
        return
    with pytest.raises(SignatureRefused):
        read(request)


@pytest.mark.parametrize(
    "signed", ["https://sms.example.com:8443/callbacks/token", "https://sms.example.com/callbacks/token"]
)
def test_another_port_than_the_usual_one_may_be_left_out(signed: str):
    signature = theirs.compute_signature(signed, DELIVERED)
    assert read(posted(DELIVERED, signature=signature, url="https://sms.example.com:8443/callbacks/token")).receipts


def test_a_form_is_one_whatever_its_type_says():
    signature = theirs.compute_signature(CALLBACK_URL, DELIVERED)
    request = callback(urlencode(DELIVERED).encode(), "application/json", headers={"x-twilio-signature": signature})
    assert read(request).receipts[0].receipt_state == "DELIVRD"


@pytest.mark.parametrize(
    "request_",
    [
        posted(DELIVERED, signature=""),
        posted(DELIVERED, signature="x" * 28),
        posted(DELIVERED, signature="ü€"),
        posted(DELIVERED, signature=RequestValidator("another").compute_signature(CALLBACK_URL, DELIVERED)),
        posted(DELIVERED, signature=theirs.compute_signature(CALLBACK_URL, DELIVERED | {"MessageStatus": "failed"})),
        posted(DELIVERED, signature=theirs.compute_signature(CALLBACK_URL + "2", DELIVERED)),
        posted(DELIVERED, signature=theirs.compute_signature(CALLBACK_URL, DELIVERED), query="x=1"),
        callback(urlencode(DELIVERED).encode(), FORM_TYPE),
    ],
    ids=["empty", "wrong", "no ascii", "another token", "another status", "another address", "a query", "none"],
)
def test_what_is_not_signed_is_refused(request_: CallbackRequest):
    with pytest.raises(SignatureRefused):
        read(request_)


def by_key(settings: str, *, key: str = SHARED_KEY, algorithm: str | None = None) -> CallbackRequest:
    """Return a form that is signed with a shared key, as *settings* say, by Twilio's library."""
    algorithm = algorithm or get_signature_algorithm(settings)
    signature = RequestValidator(key).compute_signature(CALLBACK_URL, DELIVERED, algorithm)
    headers = {SIGNATURE: signature, SETTINGS: settings}
    return callback(urlencode(DELIVERED).encode(), FORM_TYPE, headers=headers)


@pytest.mark.parametrize(
    "settings",
    [
        "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
        "algorithm=hmac_sha256",
        "key=webhooks_sharedkey_1, algorithm = HMAC_SHA256",
        "key=webhooks_sharedkey_1,algorithm=HMAC_SHA1",
        "key=webhooks_sharedkey_1",
    ],
)
def test_a_shared_key_signs_by_the_algorithm_that_is_said(settings: str):
    assert read_keyed(by_key(settings)).receipts[0].gateway_message_id == "SM1"
    # Without a rule that matches, the token still signs.
    assert read_keyed(posted(DELIVERED)).receipts
    with pytest.raises(SignatureRefused, match="has none"):
        read(by_key(settings))
    with pytest.raises(SignatureRefused, match="wrong"):
        read_keyed(by_key(settings, key=TOKEN))


@pytest.mark.parametrize(
    ("settings", "algorithm"),
    [
        ("key=1,algorithm=HMAC_MD5", "HMAC_SHA1"),
        ("key=1,algorithm=HMAC_SHA256", "HMAC_SHA1"),
        ("key=1,algorithm=HMAC_SHA1", "HMAC_SHA256"),
    ],
)
def test_another_algorithm_than_the_one_that_is_said_is_refused(settings: str, algorithm: str):
    with pytest.raises(SignatureRefused):
        read_keyed(by_key(settings, algorithm=algorithm))


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=8),
    st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]),
)
def test_we_sign_as_twilio_does(fields: dict[str, str], algorithm: str):
    expected = theirs.compute_signature(CALLBACK_URL, fields, algorithm)
    assert sign(TOKEN.encode(), CALLBACK_URL, fields.items(), algorithm) == expected


@given(
    st.sampled_from(["GET", "POST", "PUT", ""]),
    st.binary(max_size=300),
    st.text(max_size=80),
    st.sampled_from(["", FORM_TYPE, "application/json", "text/plain"]),
    st.text(max_size=40),
    st.sampled_from(["", "key=1,algorithm=HMAC_SHA256", "=,,=algorithm"]),
)
def test_whatever_comes_is_read_or_refused(
    method: str, body: bytes, query: str, kind: str, signature: str, settings: str
):
    headers = {SIGNATURE: signature, SETTINGS: settings}
    request = callback(body, kind, method=method, query=query, headers=headers)
    with pytest.raises((SignatureRefused, UnreadableCallback)):
        read(request)
