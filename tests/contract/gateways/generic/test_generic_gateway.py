import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.domain.messages.messages import SubmitOutcome, SubmitResult
from core.errors import InvalidInput, Unavailable
from core.gateways.generic.form import FORM, check
from core.gateways.generic.gateway import open_gateway, try_connection
from core.gateways.http.gateway import HttpGateway
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, HttpGatewayContract, connect, opened, serve
from tests.contract.gateways.http.scripted_provider import (
    Asked,
    Said,
    ScriptedProvider,
    nobody,
    provider,
    said_json,
)

JSON = {
    "headers": "Authorization: Bearer {secret}",
    "secret": "key-1",
    "body": '{"msg": [{"dst": "{to}", "src": "{from}", "txt": "{text}", "n": "{segments}", "ucs2": "{unicode}"}]}',
    "answer_success": "result.ok",
    "success_words": "true",
    "answer_id": "result.ids.0",
    "answer_error": "result.error.code",
    "temporary_codes": "BUSY, 12",
    "account_codes": "NO_CREDIT",
}
TEXT = {
    "method": "GET",
    "format": "query",
    "body": "to = {to}\nmsg = {text}\nfrom = {from}\nuser = {user}\npass = {secret}",
    "user": "me",
    "secret": "p&ss=1",
    "answer_format": "text",
    "answer_id": "OK: {}",
    "answer_error": "ERR: {}",
    "account_codes": "301",
}
# What would end a string, a field, a header or an address, if it were put in as it is.
NASTY = 'a"}],"to":"x&to=1%26 {secret} {to}\\\r\nX: y\u2028 <b> 😀 +='


def by_json(asked: Asked) -> Said:
    assert asked.headers["authorization"] == "Bearer key-1"
    to = asked.json["msg"][0]["dst"]
    if to.endswith("7"):
        return said_json(200, {"result": {"ok": False, "error": {"code": "BAD_NUMBER"}}})
    return said_json(200, {"result": {"ok": True, "ids": [f"g-{to}"]}})


def by_text(asked: Asked) -> Said:
    assert asked.query["pass"] == "p&ss=1"
    to = asked.query["to"]
    return Said(200, b"ERR: 105 bad number\n" if to.endswith("7") else f"OK: g-{to}\nparts=1".encode())


server = serve(by_json)


def connection(url: str, **values: object):
    return connect(FORM, {"url": url} | values)


class TestJson(HttpGatewayContract):
    @pytest.fixture
    def gateway(self, server: ScriptedProvider) -> Iterator[HttpGateway]:
        with opened(open_gateway, connection(f"{server.url}/send", **JSON)) as made:
            yield made


class TestText(HttpGatewayContract):
    @pytest.fixture
    def server(self) -> Iterator[ScriptedProvider]:
        with provider(by_text) as running:
            yield running

    @pytest.fixture
    def gateway(self, server: ScriptedProvider) -> Iterator[HttpGateway]:
        with opened(open_gateway, connection(server.url, **TEXT)) as made:
            yield made


def submit(url: str, values: dict[str, object], **message: object) -> SubmitResult:
    made = connection(url, **values)
    check(made)
    with opened(open_gateway, made) as gateway:
        return gateway.submit([make_outbound(1, **message)], NOW)[0]


def test_a_text_stays_a_text_in_json(server: ScriptedProvider):
    submit(server.url, JSON, text=NASTY, encoding="ucs2", segment_count=2)
    assert server.asked[0].json == {
        "msg": [{"dst": "491796000001", "src": "HELIOGRAPH", "txt": NASTY, "n": 2, "ucs2": True}]
    }
    assert server.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("travels", ["form", "query"])
def test_a_text_stays_a_text_in_a_form_and_in_an_address(travels: str):
    values = {
        **JSON,
        "format": travels,
        "body": "to = {to}\ntext = {text}\nkind = {unicode}\nn = {segments}\nempty =\nboth = {from}/{id}",
        "plus": True,
        "unicode_yes": "UCS2",
        "headers": "X-Auth: {basic}\nContent-Type: application/x-www-form-urlencoded; charset=utf-8",
        "user": "me",
    }
    with provider(lambda _: said_json(200, {"result": {"ok": True, "ids": ["1"]}})) as server:
        submit(f"{server.url}/send?fixed=1", values, text=NASTY, encoding="ucs2")
        asked = server.asked[0]
    fields = asked.form if travels == "form" else asked.query
    assert fields == {
        **({} if travels == "form" else {"fixed": "1"}),
        "to": "+491796000001",
        "text": NASTY,
        "kind": "UCS2",
        "n": "1",
        "empty": "",
        "both": f"HELIOGRAPH/{make_outbound(1).message_id}",
    }
    assert asked.headers["x-auth"] == "bWU6a2V5LTE="
    if travels == "form":
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"


def test_a_text_stays_a_text_in_the_path_of_an_address():
    with provider(lambda _: said_json(200, {"result": {"ok": True, "ids": ["1"]}})) as server:
        submit(f"{server.url}/a/{{text}}/b?cb={{callback}}", JSON, text="../x?y#z/ä")
        assert server.asked[0].path == "/a/..%2Fx%3Fy%23z%2F%C3%A4/b"
        assert server.asked[0].query == {"cb": CALLBACK_URL}


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        ({"result": {"ok": True, "ids": [12]}}, SubmitOutcome.ACCEPTED, ""),
        ({"result": {"ok": "TRUE", "ids": ["a"]}}, SubmitOutcome.ACCEPTED, ""),
        ({"result": {"ok": True, "ids": []}}, SubmitOutcome.UNKNOWN, ""),
        ({"result": {"ok": False, "error": {"code": "busy"}}}, SubmitOutcome.THROTTLED, "busy"),
        ({"result": {"ok": False, "error": {"code": 12}}}, SubmitOutcome.THROTTLED, "12"),
        ({"result": {"ok": False, "error": {"code": "NO_CREDIT"}}}, SubmitOutcome.BLOCKED, "NO_CREDIT"),
        ({"result": {"ok": False}}, SubmitOutcome.REJECTED, "false"),
        ({"result": {"error": {"code": "X9"}}}, SubmitOutcome.REJECTED, "X9"),
        ({"result": {}}, SubmitOutcome.UNKNOWN, ""),
        ([], SubmitOutcome.UNKNOWN, ""),
        ("OK", SubmitOutcome.UNKNOWN, ""),
    ],
)
def test_an_answer_means_what_the_settings_say(answer: object, outcome: SubmitOutcome, code: str):
    with provider(lambda _: said_json(200, answer)) as server:
        result = submit(server.url, JSON)
    assert (result.outcome, result.error_code) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "code", "outcome", "kept"),
    [
        (400, "NO_CREDIT", SubmitOutcome.BLOCKED, "NO_CREDIT"),
        (400, "BUSY", SubmitOutcome.THROTTLED, "BUSY"),
        (400, "X9", SubmitOutcome.REJECTED, "X9"),
        (500, "BUSY", SubmitOutcome.THROTTLED, "BUSY"),
        (500, "X9", SubmitOutcome.UNKNOWN, "X9"),
        (429, "BUSY", SubmitOutcome.THROTTLED, ""),
        (502, None, SubmitOutcome.UNKNOWN, "HTTP 502"),
    ],
)
def test_a_failure_means_what_the_settings_say(status: int, code: str | None, outcome: SubmitOutcome, kept: str):
    with provider(lambda _: said_json(status, {"result": {"error": {"code": code}}})) as server:
        result = submit(server.url, JSON)
    assert (result.outcome, result.error_code) == (outcome, kept)


@pytest.mark.parametrize("status", [200, 400])
def test_a_provider_that_repeats_our_secret_is_not_quoted(status: int):
    body = {"result": {"ok": False, "error": {"code": f"no such key: {JSON['secret']}!"}}}
    with provider(lambda _: said_json(status, body)) as server:
        result = submit(server.url, JSON)
    assert (result.outcome, result.error_code) == (SubmitOutcome.REJECTED, "no such key: •••!")


@pytest.mark.parametrize(
    ("body", "outcome", "kept"),
    [
        (b"OK: 1234567 3 parts", SubmitOutcome.ACCEPTED, "1234567"),
        (b"ERR: 301 no credit", SubmitOutcome.BLOCKED, "301"),
        (b"ERR: 7", SubmitOutcome.REJECTED, "7"),
        (b"<html>\xff", SubmitOutcome.UNKNOWN, ""),
        (b"", SubmitOutcome.UNKNOWN, ""),
        (b"OK: ", SubmitOutcome.UNKNOWN, ""),
    ],
)
def test_a_text_means_what_stands_in_it(body: bytes, outcome: SubmitOutcome, kept: str):
    with provider(lambda _: Said(200, body)) as server:
        result = submit(server.url, TEXT)
    assert (result.outcome, result.gateway_message_id or result.error_code) == (outcome, kept)


def test_without_a_place_for_the_id_receipts_name_ours():
    with provider(lambda _: Said(204)) as server:
        result = submit(server.url, {"body": '{"to": "{to}", "ref": "{id}"}'})
        assert server.asked[0].json["ref"] == result.gateway_message_id == make_outbound(1).message_id


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("url", {"url": "file:///etc/passwd"}),
        ("url", {"url": "https://me:secret@host/"}),
        ("url", {"url": "https://{user}.example.com/"}),
        ("url", {"url": "https://host/{number}"}),
        ("url", {"url": "https://host/#x"}),
        ("url", {"url": "https://"}),
        ("url", {"url": "https://ho st/"}),
        ("url", {"url": "https://host:99999/"}),
        ("body", {"body": "{to}"}),
        ("body", {"body": '{"to": "{number}"}'}),
        ("body", {"body": '{"to": ["{to}", {"a": "{}"}]}'}),
        ("body", {"body": "[" * 5_000}),
        # Python's parser would read them: of the first, no message could be written, and the second is no JSON.
        ("body", {"body": "[" * 300 + '"{to}"' + "]" * 300}),
        ("body", {"body": '{"to": "{to}", "price": NaN}'}),
        ("body", {"body": '{"to": "{to}", "price": 1e999}'}),
        ("body", {"format": "form", "body": "just words"}),
        ("body", {"format": "form", "body": "to = {receiver}"}),
        ("headers", {"headers": "Authorization Bearer"}),
        ("headers", {"headers": "Host: elsewhere"}),
        ("headers", {"headers": "Content-Length: 5"}),
        ("headers", {"headers": "X-Text: {text}"}),
        ("headers", {"headers": "X-Ä: 1"}),
        ("format", {"method": "GET"}),
        ("answer_id", {"answer_id": "a..b"}),
        ("callback_states", {"callback_states": "delivered = ARRIVED"}),
        ("callback_states", {"callback_states": "delivered"}),
        ("callback_id", {"callback_id": "."}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(field: str, values: dict[str, object]):
    made = connection("https://host/", body='{"to": "{to}"}')
    with pytest.raises(InvalidInput) as refused:
        check(replace(made, settings={**made.settings, **values}))
    assert refused.value.field == field


def test_gateways_of_a_private_network_are_allowed():
    for url in ("http://10.0.0.5:8080/sms", "http://[fd00::1]/sms", "http://gateway.local/sms"):
        check(connection(url, body='{"to": "{to}"}'))


def test_trying_it_out_connects_and_sends_nothing(server: ScriptedProvider):
    words = try_connection(connection(f"{server.url}/send", **JSON))
    assert (
        words == f"127.0.0.1, port {server.port}, can be reached. Only a test message shows whether it takes messages."
    )
    assert server.asked == []
    with nobody() as url, pytest.raises(Unavailable, match="refused"):
        try_connection(connection(url, **JSON))
    with pytest.raises(Unavailable, match="TLS"):
        try_connection(connection(server.url.replace("http:", "https:"), **JSON))


def test_json_is_what_it_says(server: ScriptedProvider):
    submit(server.url, JSON)
    assert json.loads(server.asked[0].body)["msg"][0]["ucs2"] is False
