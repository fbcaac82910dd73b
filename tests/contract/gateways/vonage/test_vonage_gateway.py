from dataclasses import replace

import pytest

from core.domain.messages.messages import SubmitOutcome
from core.errors import BadCredentials, InvalidInput, Unavailable
from core.gateways.vonage.form import FORM, check
from core.gateways.vonage.gateway import open_gateway, try_connection
from core.gateways.vonage.signatures import Method, check_signature
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, Account, AccountContract, opened, serve
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider, said_json

KEY, SECRET, SIGNATURE_SECRET = "abcd1234", "secret-1", "signature-secret-1"


def said(*statuses: str, **facts: str) -> Said:
    parts = [{"status": status, "message-id": f"v-{index}"} | facts for index, status in enumerate(statuses)]
    return said_json(200, {"message-count": str(len(parts)), "messages": parts})


def vonage(asked: Asked) -> Said:
    """Answer as Vonage does: with 200, and a status for each part."""
    if asked.method == "GET":
        return said_json(200, {"value": 12.5}) if asked.query["api_secret"] == SECRET else said_json(401, {})
    form = asked.form
    if form.get("api_secret") != SECRET and "sig" not in form:
        return said("4", **{"error-text": "Bad Credentials"})
    if form["to"].endswith("7"):
        return said("6", **{"error-text": "The message cannot be processed"})
    return said("0", **{"message-id": f"v-{form['to']}"})


server = serve(vonage)
ACCOUNT = Account(FORM, open_gateway, {"api_key": KEY, "api_secret": SECRET})
connection, submit = ACCOUNT.connect, ACCOUNT.submit


class TestVonage(AccountContract):
    account = ACCOUNT


def test_a_message_says_what_vonage_wants_to_know(server: ScriptedProvider):
    message = make_outbound(1, text="Grüße 😀", encoding="ucs2", sender_id="+4917012345")
    ACCOUNT.hand_over(server, [message], validity_min=2)
    assert (server.asked[0].method, server.asked[0].path) == ("POST", "/sms/json")
    assert server.asked[0].form == {
        "api_key": KEY,
        "api_secret": SECRET,
        "from": "4917012345",
        "to": "491796000001",
        "text": "Grüße 😀",
        "type": "unicode",
        "client-ref": make_outbound(1).message_id,
        "status-report-req": "1",
        "callback": CALLBACK_URL,
        "ttl": "120000",
    }


def test_an_address_that_is_too_long_for_a_message_is_one_for_the_dashboard(server: ScriptedProvider):
    long = replace(connection(server), callback_url=f"https://{'x' * 80}.example.com/callbacks/token")
    with opened(open_gateway, long) as gateway:
        gateway.submit([make_outbound(1)], NOW)
    form = server.asked[0].form
    assert (form["status-report-req"], "callback" in form) == ("1", False)
    assert "dashboard" in try_connection(long, lambda: NOW)
    assert "dashboard" not in try_connection(connection(server), lambda: NOW)


@pytest.mark.parametrize("method", Method)
def test_a_signed_request_has_a_signature_and_no_secret(server: ScriptedProvider, method: Method):
    (result,) = submit(server, signs=True, signature_secret=SIGNATURE_SECRET, signature_method=method.value)
    form = server.asked[0].form
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert "api_secret" not in form
    check_signature(form, SIGNATURE_SECRET, method, NOW)


def test_a_long_text_is_taken_once_one_part_of_it_is():
    with provider(lambda _: said("1", "0", "0")) as server:
        (result,) = submit(server)
    assert (result.outcome, result.gateway_message_id) == (SubmitOutcome.ACCEPTED, "v-1")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("3", SubmitOutcome.REJECTED),
        ("7", SubmitOutcome.REJECTED),
        ("9", SubmitOutcome.BLOCKED),
        ("5", SubmitOutcome.THROTTLED),
        ("4711", SubmitOutcome.REJECTED),
    ],
)
def test_a_status_means_what_the_table_says(status: str, outcome: SubmitOutcome):
    with provider(lambda _: said(status)) as server:
        (result,) = submit(server)
    assert (result.outcome, result.error_code) == (outcome, status)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Throughput Rate Exceeded - please wait [ 250 ] and retry", 0.25),
        ("Throughput Rate Exceeded - please wait [1500] and retry", 1.5),
        ("Throughput Rate Exceeded", 1.0),
        ("", 1.0),
    ],
)
def test_it_is_waited_for_as_long_as_vonage_says(text: str, seconds: float):
    with provider(lambda _: said("1", **{"error-text": text})) as server:
        results = submit(server, 5, connections=1)
        assert len(server.asked) == 1
    assert {(result.outcome, result.error_code, result.retry_after_s) for result in results} == {
        (SubmitOutcome.THROTTLED, "", seconds)
    }


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"messages": []}, {"messages": [{}]}, {"messages": [None]}, {"messages": [{"status": "0"}]}, "0"],
)
def test_an_answer_that_says_nothing_is_unknown(answer: object):
    with provider(lambda _: said_json(200, answer)) as server:
        assert submit(server)[0].outcome is SubmitOutcome.UNKNOWN


def test_a_wrong_secret_is_refused_as_a_whole(server: ScriptedProvider):
    with pytest.raises(BadCredentials) as refused:
        submit(server, 4, connections=1, api_secret="wrong")
    assert refused.value.provider_code == "4"
    assert len(server.asked) == 1


def test_trying_it_out_asks_for_the_balance(server: ScriptedProvider):
    assert try_connection(connection(server), lambda: NOW) == "Vonage answers; the balance is 12.5 EUR."
    with pytest.raises(BadCredentials):
        try_connection(connection(server, api_secret="wrong"), lambda: NOW)
    with provider(lambda _: Said(200, b"hello")) as other, pytest.raises(Unavailable, match="not as expected"):
        try_connection(connection(other), lambda: NOW)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("api_key", {"api_key": "ab&c=d"}),
        ("signature_secret", {"signs": True}),
        ("callback_networks", {"callback_networks": "everywhere"}),
        ("ca", {"ca": "-----BEGIN CERTIFICATE-----\nx"}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(server: ScriptedProvider, field: str, values: dict[str, object]):
    with pytest.raises(InvalidInput) as refused:
        check(connection(server, **values))
    assert refused.value.field == field
