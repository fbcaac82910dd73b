"""Vonage's own library as the witness: what it sends, and what it says of signatures."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient
from vonage_sms import Sms, SmsMessage

from core.gateways.http.client import ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.vonage.form import FORM
from core.gateways.vonage.gateway import VonageProvider
from core.gateways.vonage.signatures import Method, check_signature, sign
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.http_gateways import connect

KEY, SECRET = "abcd1234", "signature-secret-1"
CALLBACK_URL = "https://sms.example.com/callbacks/token"
TEXT = make_outbound(1, text="Grüße & mehr = 😀", encoding="ucs2", sender_id="+4917012345")
# Its library signs with HMACs only.
by_hmac = pytest.mark.parametrize("method", [method for method in Method if method is not Method.MD5_HASH])


class Recording(BaseAdapter):
    """Stands between the library and the network: keeps what is sent, and takes the message."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, **_: object) -> Response:
        self.sent.append(request)
        answer = Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url
        answer._content = b'{"message-count": "1", "messages": [{"to": "4917", "message-id": "v-1", "status": "0"}]}'
        return answer

    def close(self) -> None:
        pass


@pytest.fixture
def recording() -> Recording:
    return Recording()


def send_by_library(recording: Recording, auth: Auth) -> PreparedRequest:
    client = HttpClient(auth)
    client._session.mount("https://", recording)
    message = SmsMessage(
        to=TEXT.msisdn.removeprefix("+"),
        from_=TEXT.sender_id.removeprefix("+"),
        text=TEXT.text,
        type="unicode",
        client_ref=TEXT.message_id,
        status_report_req=True,
        callback=CALLBACK_URL,
        ttl=120_000,
    )
    Sms(client).send(message)
    return recording.sent[0]


def write(**answers: object) -> ApiRequest:
    filled = {"api_key": KEY, "api_secret": "secret-1", "validity_min": 2, "signature_secret": SECRET} | answers
    provider = VonageProvider(Answers(FORM, connect(FORM, filled)), CALLBACK_URL, lambda: NOW)
    return provider.write([TEXT])


def fields_of(body: bytes | str) -> dict[str, str]:
    text = body.decode() if isinstance(body, bytes) else body
    return dict(parse_qsl(text, keep_blank_values=True))


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


def test_the_same_message_is_asked_for_in_the_same_fields(recording: Recording):
    theirs = send_by_library(recording, Auth(api_key=KEY, api_secret="secret-1"))
    ours = write()
    assert (ours.method, ours.url) == (theirs.method, theirs.url)
    # The key and the secret travel in the form here, in a header there: Vonage takes both.
    expected = fields_of(theirs.body) | {"status-report-req": "1"}
    assert without(fields_of(ours.body), "api_key", "api_secret") == expected


@by_hmac
def test_a_signed_request_is_one_that_the_library_takes_for_signed(recording: Recording, method: Method):
    library = Auth(api_key=KEY, signature_secret=SECRET, signature_method=method.value)
    ours = fields_of(write(signs=True, signature_method=method.value).body)
    assert library.check_signature(dict(ours))
    assert not library.check_signature(ours | {"text": "Another"})
    assert set(fields_of(send_by_library(recording, library).body)) == set(ours)


@by_hmac
@given(
    values=st.dictionaries(
        st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1).filter(lambda name: name not in {"sig", "timestamp"}),
        st.text(st.characters(codec="utf-8")),
    )
)
def test_whatever_the_fields_say_it_signs_them_alike(method: Method, values: dict[str, str]):
    library = Auth(api_key=KEY, signature_secret=SECRET, signature_method=method.value)
    fields = values | {"timestamp": str(int(NOW.timestamp()))}
    assert sign(fields, SECRET, method) == library.sign_params(dict(fields))
    check_signature(fields | {"sig": library.sign_params(dict(fields))}, SECRET, method, NOW)
