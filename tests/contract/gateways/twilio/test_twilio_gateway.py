from base64 import b64encode

import pytest

from core.domain.messages.messages import SubmitOutcome
from core.errors import BadCredentials, InvalidInput, Unavailable
from core.gateways.twilio.form import FORM, check
from core.gateways.twilio.gateway import open_gateway, try_connection
from tests.contract.gateways.http.http_gateways import CALLBACK_URL, Account, AccountContract, serve
from tests.contract.gateways.http.scripted_provider import Asked, Said, ScriptedProvider, provider, said_json

SID, TOKEN = "AC0123456789abcdef", "token-1"
PATH = f"/2010-04-01/Accounts/{SID}"


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def twilio(asked: Asked) -> Said:
    if asked.headers["authorization"] not in {basic(SID, TOKEN), basic("SK1", "key-secret")}:
        return said_json(401, {"code": 20003, "message": "Authenticate", "status": 401})
    if asked.method == "GET":
        return said_json(200, {"sid": SID, "status": "active"})
    to = asked.form["To"]
    if to.endswith("7"):
        return said_json(400, {"code": 21211, "message": "Invalid 'To'", "status": 400})
    return said_json(201, {"sid": f"SM{to[1:]}", "status": "queued", "error_code": None})


server = serve(twilio)
ACCOUNT = Account(FORM, open_gateway, {"account_sid": SID, "auth_token": TOKEN})
connection, submit = ACCOUNT.connect, ACCOUNT.submit


class TestTwilio(AccountContract):
    account = ACCOUNT


def test_a_message_says_what_twilio_wants_to_know(server: ScriptedProvider):
    submit(server)
    assert (server.asked[0].method, server.asked[0].path) == ("POST", f"{PATH}/Messages.json")
    assert server.asked[0].form == {
        "To": "+491796000000",
        "From": "HELIOGRAPH",
        "Body": "Hello",
        "StatusCallback": CALLBACK_URL,
    }


def test_a_messaging_service_chooses_the_sender(server: ScriptedProvider):
    submit(server, messaging_service_sid="MG1", validity_min=10)
    form = server.asked[0].form
    assert (form["MessagingServiceSid"], form["ValidityPeriod"], "From" in form) == ("MG1", "600", False)


def test_no_longer_validity_is_asked_for_than_twilio_has(server: ScriptedProvider):
    submit(server, validity_min=4_320)
    assert server.asked[0].form["ValidityPeriod"] == "36000"


def test_an_api_key_stands_for_the_account(server: ScriptedProvider):
    submit(server, api_key_sid="SK1", api_key_secret="key-secret")
    assert server.asked[0].headers["authorization"] == basic("SK1", "key-secret")
    assert server.asked[0].path.startswith(PATH)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 21610, SubmitOutcome.REJECTED),
        (400, 21212, SubmitOutcome.BLOCKED),
        (403, 21408, SubmitOutcome.BLOCKED),
        (400, 21611, SubmitOutcome.THROTTLED),
        (400, 99999, SubmitOutcome.REJECTED),
        (404, 20404, SubmitOutcome.BLOCKED),
        (500, 20500, SubmitOutcome.UNKNOWN),
    ],
)
def test_a_code_means_what_the_table_says(status: int, code: int, outcome: SubmitOutcome):
    with provider(lambda _: said_json(status, {"code": code, "status": status})) as server:
        (result,) = submit(server)
    assert (result.outcome, result.error_code) == (outcome, str(code))


def test_too_many_requests_are_no_fault_of_the_message():
    with provider(lambda _: said_json(429, {"code": 20429}, **{"Retry-After": "3"})) as server:
        (result,) = submit(server)
    assert (result.outcome, result.error_code, result.retry_after_s) == (SubmitOutcome.THROTTLED, "", 3.0)


@pytest.mark.parametrize("answer", [{}, [], {"sid": None}, {"sid": ""}, "queued"])
def test_success_without_an_id_is_unknown(answer: object):
    with provider(lambda _: said_json(201, answer)) as server:
        assert submit(server)[0].outcome is SubmitOutcome.UNKNOWN


def test_a_wrong_token_is_refused_as_a_whole(server: ScriptedProvider):
    with pytest.raises(BadCredentials) as refused:
        submit(server, 3, auth_token="wrong")
    assert refused.value.provider_code == "20003"


def test_trying_it_out_asks_for_the_account(server: ScriptedProvider):
    assert try_connection(connection(server)) == "Twilio answers; the account is active."
    assert (server.asked[0].method, server.asked[0].path) == ("GET", f"{PATH}.json")
    with pytest.raises(BadCredentials):
        try_connection(connection(server, auth_token="wrong"))
    with provider(lambda _: Said(200, b"hello")) as other, pytest.raises(Unavailable, match="not as expected"):
        try_connection(connection(other))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("account_sid", {"account_sid": "0123"}),
        ("account_sid", {"account_sid": "AC/../x"}),
        ("messaging_service_sid", {"messaging_service_sid": "AC1"}),
        ("api_key_secret", {"api_key_sid": "SK1"}),
        ("url", {"url": "https://me:secret@api.twilio.com"}),
        ("url", {"url": "ftp://api.twilio.com"}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(server: ScriptedProvider, field: str, values: dict[str, str]):
    with pytest.raises(InvalidInput) as refused:
        check(connection(server, **values))
    assert refused.value.field == field


def test_what_can_be_is_taken(server: ScriptedProvider):
    check(connection(server))
    check(connection(server, api_key_sid="SK1", api_key_secret="s", messaging_service_sid="MG1"))
