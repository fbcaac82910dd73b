"""Whatever a provider answers, there is a verdict for each message, or one for the whole; never a fault of ours."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import SubmitOutcome
from core.gateways.generic import form as generic_form
from core.gateways.generic.gateway import GenericProvider
from core.gateways.http.client import ApiAnswer
from core.gateways.http.fields import Answers
from core.gateways.http.provider import Provider
from core.gateways.http.verdicts import Refusal
from core.gateways.infobip import form as infobip_form
from core.gateways.infobip.gateway import InfobipProvider
from core.gateways.mitto import form as mitto_form
from core.gateways.mitto.gateway import MittoProvider
from core.gateways.twilio import form as twilio_form
from core.gateways.twilio.gateway import TwilioProvider
from core.gateways.vonage import form as vonage_form
from core.gateways.vonage.gateway import VonageProvider
from tests.contract.gateways.gateway_contract import NOW, make_outbound
from tests.contract.gateways.http.http_gateways import connect

URL = "https://provider.example.com"
GENERIC = {"url": URL, "body": "{}", "answer_success": "status", "answer_id": "messages.0.id", "answer_error": "code"}


def answers(form: tuple, values: dict[str, object]) -> Answers:
    return Answers(form, connect(form, values))


PROVIDERS: dict[str, Callable[[], Provider]] = {
    "mitto": lambda: MittoProvider(answers(mitto_form.FORM, {"api_key": "k"})),
    "twilio": lambda: TwilioProvider(answers(twilio_form.FORM, {"account_sid": "AC1", "auth_token": "t"}), ""),
    "vonage": lambda: VonageProvider(answers(vonage_form.FORM, {"api_key": "k", "api_secret": "s"}), "", lambda: NOW),
    "infobip": lambda: InfobipProvider(answers(infobip_form.FORM, {"url": URL, "api_key": "k"}), ""),
    "generic": lambda: GenericProvider(answers(generic_form.FORM, GENERIC), ""),
    "generic text": lambda: GenericProvider(answers(generic_form.FORM, {**GENERIC, "answer_format": "text"}), ""),
}
NAMES = ["messages", "id", "status", "groupId", "code", "sid", "messageId", "message-id", "responseCode", "errorCode"]
NAMES += ["requestError", "serviceException", "error-text"]
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["0", "1", "8", ""]) | st.text(max_size=5)
)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=15,
)
bodies = documents.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50) | st.none()


@pytest.mark.parametrize("name", PROVIDERS)
@given(body=bodies, status=st.integers(100, 599), retry_after_s=st.none() | st.floats(0, 3_600))
def test_each_message_has_a_verdict(name: str, body: bytes | None, status: int, retry_after_s: float | None):
    provider = PROVIDERS[name]()
    batch = [make_outbound(number) for number in range(min(2, provider.per_request))]
    said = provider.read(batch, ApiAnswer(status, body, retry_after_s))
    verdicts = [said.verdict] if isinstance(said, Refusal) else list(said)
    assert isinstance(said, Refusal) or len(verdicts) == len(batch)
    for verdict in verdicts:
        is_accepted = verdict.outcome is SubmitOutcome.ACCEPTED
        assert is_accepted == bool(verdict.gateway_message_id)
        # Nothing was taken where the status says so, and nothing is known where it says nothing.
        assert not is_accepted or 200 <= status < 300
        assert verdict.error_code or verdict.outcome not in {SubmitOutcome.REJECTED, SubmitOutcome.BLOCKED}
