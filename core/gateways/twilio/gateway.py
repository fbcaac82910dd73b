"""Twilio as a gateway. Source: https://www.twilio.com/docs/messaging/api/message-resource."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage
from core.gateways.http.bodies import text_of
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.trying import read_word, try_request, unexpected
from core.gateways.http.verdicts import NOT_UNDERSTOOD, Refusal, Verdict, accepted, read_refusal
from core.gateways.twilio.form import FORM

KIND = "twilio"
# Twilio keeps a message no longer than that, and says so by refusing the request.
_VALIDITY_MOST_S = 36_000


class TwilioProvider:
    """How Twilio is asked, and what it answers: one message a request."""

    per_request = 1

    def __init__(self, answers: Answers, callback_url: str) -> None:
        """Take the form as it was filled in, and where Twilio is to report. Raises: ConfigurationError."""
        account = answers.text("account_sid")
        self._account_url = f"{answers.text('url').rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}"
        key = answers.text("api_key_sid")
        user, password = (key, answers.secret("api_key_secret")) if key else (account, answers.secret("auth_token"))
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
        self._service = answers.text("messaging_service_sid")
        self._validity_s = min(answers.number("validity_min") * 60, _VALIDITY_MOST_S)
        self._callback_url = callback_url

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        """Yield each by itself."""
        return ([message] for message in messages)

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request for the one message of *batch*."""
        (message,) = batch
        form = {"To": message.msisdn, "Body": message.text}
        if self._service:
            form["MessagingServiceSid"] = self._service
        else:
            form["From"] = message.sender_id
        if self._callback_url:
            form["StatusCallback"] = self._callback_url
        if self._validity_s:
            form["ValidityPeriod"] = str(self._validity_s)
        headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        return ApiRequest("POST", f"{self._account_url}/Messages.json", headers, urlencode(form).encode())

    def ask_account(self) -> ApiRequest:
        """Return the request for the account itself."""
        return ApiRequest("GET", f"{self._account_url}.json", {"Authorization": self._authorization})

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:  # noqa: ARG002
        """Return what the answer says; see `Provider.read`."""
        found = answer.read_json()
        facts = found if isinstance(found, dict) else {}
        if not answer.is_success:
            return read_refusal(answer, KIND, text_of(facts.get("code")))
        sid = text_of(facts.get("sid"))
        return [accepted(sid)] if sid else NOT_UNDERSTOOD


def open_gateway(connection: Connection, clock: Callable[[], datetime]) -> HttpGateway:
    """Return the gateway; nothing connects. Raises: ConfigurationError, InvalidInput."""
    answers = Answers(FORM, connection)
    return HttpGateway(connection.name, TwilioProvider(answers, connection.callback_url), answers.limits(), clock)


def try_connection(connection: Connection) -> str:
    """Ask for the account. Raises: Unavailable, BadCredentials: in words."""
    answers = Answers(FORM, connection)
    answer = try_request(connection, answers.limits(), TwilioProvider(answers, "").ask_account())
    status = read_word(answer.read_json(), "status")
    if not answer.is_success or not status:
        raise unexpected(connection, answer)
    return f"Twilio answers; the account is {status}."
