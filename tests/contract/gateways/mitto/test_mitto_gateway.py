import json

import pytest

from core.domain.messages.messages import SubmitOutcome
from core.errors import BadCredentials, Unavailable
from core.gateways.mitto.form import FORM
from core.gateways.mitto.gateway import open_gateway, try_connection
from tests.contract.gateways.gateway_contract import make_outbound
from tests.contract.gateways.http.http_gateways import Account, AccountContract, serve
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider, said_json

KEY = "mitto-key-1"


def mitto(asked: Asked) -> Said:
    """Answer as Mitto does: by the code of the whole, and with the ids in the order of the receivers."""
    body = asked.json
    if asked.headers.get("x-mitto-api-key") != KEY:
        return said_json(401, {"responseCode": 1, "responseText": "no"})
    numbers = body["to"] if asked.path == "/smsbulk" else [body["to"]]
    if any(number.endswith("7") for number in numbers):
        return said_json(200, {"responseCode": 8, "responseText": "Invalid receiver"})
    if asked.path == "/sms":
        return said_json(200, {"id": f"m-{body['to']}", "responseCode": 0, "textLength": " 13"})
    items = [{"id": f"m-{number}", "timestamp": "2026-03-01T12:00:00Z"} for number in numbers]
    return said_json(200, {"responseCode": 0, "responseText": "SMS sent", "messages": items})


server = serve(mitto)
ACCOUNT = Account(FORM, open_gateway, {"api_key": KEY})
connection, submit = ACCOUNT.connect, ACCOUNT.submit


class TestMitto(AccountContract):
    account = ACCOUNT


def test_a_message_says_what_mitto_wants_to_know(server: ScriptedProvider):
    ACCOUNT.hand_over(server, [make_outbound(1, text="Grüße 😀", encoding="ucs2", segment_count=1)])
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/sms")
    assert asked.json == {
        "from": "HELIOGRAPH",
        "to": "491796000001",
        "text": "Grüße 😀",
        "type": "Unicode",
        "reference": make_outbound(1).message_id,
    }


def test_a_sender_that_is_a_number_has_digits_only(server: ScriptedProvider):
    ACCOUNT.hand_over(server, [make_outbound(1, sender_id="+4930123456")])
    assert server.asked[0].json["from"] == "4930123456"


def test_only_the_same_text_of_the_same_sender_travels_together(server: ScriptedProvider):
    messages = [make_outbound(number, text=f"Hello {number % 2}") for number in range(6)]
    messages.append(make_outbound(8, text="Hello 0", sender_id="OTHER"))
    results = ACCOUNT.hand_over(server, messages)
    assert sorted(asked.path for asked in server.asked) == ["/sms", "/smsbulk", "/smsbulk"]
    assert [result.gateway_message_id for result in results] == [f"m-{message.msisdn[1:]}" for message in messages]


def test_as_many_travel_together_as_the_settings_say(server: ScriptedProvider):
    submit(server, 6, per_request=3)
    assert sorted(len(asked.json["to"]) for asked in server.asked) == [3, 3]
    server.asked.clear()
    submit(server, 3, per_request=1)
    assert {asked.path for asked in server.asked} == {"/sms"}


@pytest.mark.parametrize(
    "answer",
    [
        {"responseCode": 0, "messages": [{"id": "a"}, {"id": "b"}]},
        {"responseCode": 0, "messages": []},
        {"responseCode": 0},
        {"responseCode": 0, "messages": {"id": "a"}},
        {"responseCode": 4, "messages": [{"id": "a"}]},
        {},
        [],
        "SMS sent",
    ],
)
def test_a_bulk_that_does_not_name_each_message_is_unknown(answer: object):
    with provider(lambda _: said_json(200, answer)) as server:
        assert {result.outcome for result in submit(server, 3)} == {SubmitOutcome.UNKNOWN}
        # What may have been taken is not asked for again.
        assert len(server.asked) == 1


def test_of_a_bulk_the_messages_without_an_id_of_their_own_are_unknown():
    items = [{"id": "a"}, {"id": "b"}, {"id": "b"}, {}, None, {"id": "c"}]
    with provider(lambda _: said_json(200, {"responseCode": 0, "messages": items})) as server:
        results = submit(server, 6)
    assert [result.gateway_message_id for result in results] == ["a", "", "", "", "", "c"]
    assert [result.outcome is SubmitOutcome.UNKNOWN for result in results] == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (1, SubmitOutcome.THROTTLED),
        ("6", SubmitOutcome.BLOCKED),
        (8, SubmitOutcome.REJECTED),
        (4711, SubmitOutcome.REJECTED),
    ],
)
def test_a_code_means_what_the_table_says(code: object, outcome: SubmitOutcome):
    with provider(lambda _: said_json(200, {"responseCode": code})) as server:
        (result,) = submit(server, 1)
    assert (result.outcome, result.error_code) == (outcome, str(code))


def test_a_wrong_key_is_refused_as_a_whole(server: ScriptedProvider):
    with pytest.raises(BadCredentials, match="refuses the credentials"):
        submit(server, 3, api_key="wrong")


def test_trying_it_out_sends_nothing(server: ScriptedProvider):
    assert try_connection(connection(server)) == "Mitto answers and knows the API key."
    assert server.asked[0].json["test"] is True
    assert json.loads(server.asked[0].body)["to"] == "0"
    with pytest.raises(BadCredentials):
        try_connection(connection(server, api_key="wrong"))


def test_what_is_not_mitto_is_said_to_be_something_else():
    with provider(lambda _: Said(200, b"<html>")) as server, pytest.raises(Unavailable, match="not as expected"):
        try_connection(connection(server))
