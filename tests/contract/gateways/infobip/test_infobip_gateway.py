import pytest

from core.domain.messages.messages import SubmitOutcome
from core.errors import BadCredentials, Unavailable
from core.gateways.infobip.form import FORM
from core.gateways.infobip.gateway import open_gateway, try_connection
from tests.contract.gateways.gateway_contract import make_outbound
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, Account, AccountContract, serve
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider, said_json

KEY = "infobip-key-1"
PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED"}
BAD_PREFIX = {"groupId": 5, "groupName": "REJECTED", "id": 8, "name": "REJECTED_PREFIX_MISSING"}


def infobip(asked: Asked) -> Said:
    """Answer as Infobip does: a status for each message, by the id that we gave it."""
    if asked.headers["authorization"] != f"App {KEY}":
        return said_json(401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}})
    if asked.method == "GET":
        return said_json(200, {"balance": 47.79, "currency": "EUR"})
    return said_json(200, {"messages": [answer_for(message) for message in reversed(asked.json["messages"])]})


def answer_for(message: dict) -> dict:
    (destination,) = message["destinations"]
    status = BAD_PREFIX if destination["to"].endswith("7") else PENDING
    return {"messageId": destination["messageId"], "destination": destination["to"], "status": status}


server = serve(infobip)
ACCOUNT = Account(FORM, open_gateway, {"api_key": KEY})
connection, submit = ACCOUNT.connect, ACCOUNT.submit


class TestInfobip(AccountContract):
    account = ACCOUNT


def test_a_message_says_what_infobip_wants_to_know(server: ScriptedProvider):
    submit(server, validity_min=60)
    assert (server.asked[0].method, server.asked[0].path) == ("POST", "/sms/3/messages")
    assert server.asked[0].json == {
        "messages": [
            {
                "sender": "HELIOGRAPH",
                "destinations": [{"to": "491796000000", "messageId": make_outbound(0).message_id}],
                "content": {"text": "Hello"},
                "webhooks": {
                    "delivery": {"url": CALLBACK_URL, "intermediateReport": False},
                    "contentType": "application/json",
                },
                "options": {"validityPeriod": {"amount": 60, "timeUnit": "MINUTES"}},
            }
        ]
    }


def test_as_many_travel_together_as_the_settings_say(server: ScriptedProvider):
    results = submit(server, 25, per_request=10)
    assert sorted(len(asked.json["messages"]) for asked in server.asked) == [5, 10, 10]
    assert [result.gateway_message_id or "-" for result in results] == [
        "-" if number % 10 == 7 else make_outbound(number).message_id for number in range(25)
    ]


def ids(*numbers: int) -> list[dict]:
    return [{"messageId": make_outbound(number).message_id, "status": PENDING} for number in numbers]


@pytest.mark.parametrize(
    ("items", "known"),
    [
        (ids(0, 2), [True, False, True]),
        (ids(2, 1, 1), [False, False, True]),
        (ids(0, 1, 2, 9), [True, True, True]),
        ([{"messageId": "another", "status": PENDING}, None, 5], [False, False, False]),
        ([], [False, False, False]),
        ([{"messageId": make_outbound(0).message_id}, *ids(1)], [False, True, False]),
        ([{"messageId": make_outbound(0).message_id, "status": {"groupId": 9}}], [False, False, False]),
        ("PENDING", [False, False, False]),
        (None, [False, False, False]),
    ],
)
def test_what_has_no_answer_of_its_own_is_unknown(items: object, known: list[bool]):
    with provider(lambda _: said_json(200, {"messages": items})) as server:
        results = submit(server, 3)
        assert len(server.asked) == 1
    assert [result.outcome is SubmitOutcome.ACCEPTED for result in results] == known
    assert all(result.outcome in {SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN} for result in results)


@pytest.mark.parametrize(
    ("group", "status", "outcome"),
    [
        (5, 12, SubmitOutcome.BLOCKED),
        (5, 8, SubmitOutcome.REJECTED),
        (2, 9, SubmitOutcome.REJECTED),
        (5, 4711, SubmitOutcome.REJECTED),
        (3, 5, SubmitOutcome.ACCEPTED),
        (0, 0, SubmitOutcome.ACCEPTED),
    ],
)
def test_a_status_means_what_the_table_says(group: int, status: int, outcome: SubmitOutcome):
    said = {"messageId": make_outbound(0).message_id, "status": {"groupId": group, "id": status}}
    with provider(lambda _: said_json(200, {"messages": [said]})) as server:
        (result,) = submit(server)
    assert result.outcome is outcome
    assert result.error_code == ("" if outcome is SubmitOutcome.ACCEPTED else str(status))


def test_of_a_batch_with_one_bad_message_the_others_are_taken():
    def refuse_three(asked: Asked) -> Said:
        if b'"to": "491796000003"' in asked.body:
            return said_json(400, {"requestError": {"serviceException": {"messageId": "BAD_REQUEST"}}})
        return infobip(asked)

    with provider(refuse_three) as server:
        results = submit(server, 7)
    assert [result.outcome.value for result in results] == ["accepted"] * 3 + ["rejected"] + ["accepted"] * 3
    assert results[3].error_code == "BAD_REQUEST"


def test_a_wrong_key_is_refused_as_a_whole(server: ScriptedProvider):
    with pytest.raises(BadCredentials) as refused:
        submit(server, 3, api_key="wrong")
    assert refused.value.provider_code == "UNAUTHORIZED"


def test_trying_it_out_asks_for_the_balance(server: ScriptedProvider):
    assert try_connection(connection(server)) == "Infobip answers; the balance is 47.79 EUR."
    with pytest.raises(BadCredentials):
        try_connection(connection(server, api_key="wrong"))
    with provider(lambda _: Said(200, b"hello")) as other, pytest.raises(Unavailable, match="not as expected"):
        try_connection(connection(other))
