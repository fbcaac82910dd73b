"""Vonage as a gateway. Source: https://developer.vonage.com/api/sms."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage
from core.gateways.http.bodies import text_of
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.trying import read_word, try_request, unexpected
from core.gateways.http.verdicts import (
    NOT_UNDERSTOOD,
    Refusal,
    Verdict,
    accepted,
    read_refusal,
    refused_by_table,
    too_fast,
)
from core.gateways.vonage.form import FORM
from core.gateways.vonage.signatures import Method, sign

KIND = "vonage"
_OK = "0"
# Too many messages in a second, and too many connections.
_TOO_FAST = frozenset({"1", "10"})
_OF_CREDENTIALS = frozenset({"4", "14", "32"})
_PAUSE_MS = re.compile(r"\[ ?([0-9]{1,7}) ?\]")
# A longer address for callbacks is refused, and the message with it.
CALLBACK_MOST = 100
_FORM_TYPE = "application/x-www-form-urlencoded"


class VonageProvider:
    """How Vonage is asked, and what it answers: one message a request."""

    per_request = 1

    def __init__(self, answers: Answers, callback_url: str, clock: Callable[[], datetime]) -> None:
        """Take the form as it was filled in, and where Vonage is to report. Raises: ConfigurationError."""
        self._url = answers.text("url").rstrip("/")
        self._key = answers.text("api_key")
        self._secret = answers.secret("api_secret")
        self._signature_secret = answers.secret("signature_secret") if answers.is_on("signs") else ""
        self._method = Method(answers.text("signature_method"))
        self._ttl_ms = answers.number("validity_min") * 60_000
        self._callback_url = callback_url
        self._clock = clock

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        """Yield each by itself."""
        return ([message] for message in messages)

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request for the one message of *batch*."""
        (message,) = batch
        form = {
            "from": message.sender_id.removeprefix("+"),
            "to": message.msisdn.removeprefix("+"),
            "text": message.text,
            "type": "unicode" if message.encoding == "ucs2" else "text",
            "client-ref": message.message_id,
        }
        if self._callback_url:
            form["status-report-req"] = "1"
            # Without it, Vonage reports to the address in its dashboard.
            form |= {"callback": self._callback_url} if len(self._callback_url) <= CALLBACK_MOST else {}
        if self._ttl_ms:
            form["ttl"] = str(self._ttl_ms)
        body = urlencode(self._with_credentials(form)).encode()
        return ApiRequest("POST", f"{self._url}/sms/json", {"Content-Type": _FORM_TYPE}, body)

    def ask_balance(self) -> ApiRequest:
        """Return the request for the account's balance."""
        query = urlencode({"api_key": self._key, "api_secret": self._secret})
        return ApiRequest("GET", f"{self._url}/account/get-balance?{query}")

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:  # noqa: ARG002
        """
        Return what the answer says; see `Provider.read`.

        Vonage cuts a long text itself and answers for each part. Once one of them is taken the message has left; the
        receipts are matched by the first that is.
        """
        found = answer.read_json()
        parts = found.get("messages") if isinstance(found, dict) else None
        if not answer.is_success:
            return read_refusal(answer)
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            return NOT_UNDERSTOOD
        statuses = [text_of(part.get("status")) for part in parts]
        if _OK in statuses:
            theirs = text_of(parts[statuses.index(_OK)].get("message-id"))
            return [accepted(theirs)] if theirs else NOT_UNDERSTOOD
        return _read_status(statuses[0], parts[0])

    def _with_credentials(self, form: Mapping[str, str]) -> Mapping[str, str]:
        if not self._signature_secret:
            return {**form, "api_key": self._key, "api_secret": self._secret}
        fields = {**form, "api_key": self._key, "timestamp": str(int(self._clock().timestamp()))}
        return {**fields, "sig": sign(fields, self._signature_secret, self._method)}


def _read_status(status: str, part: Mapping[str, object]) -> Sequence[Verdict] | Refusal:
    if not status:
        return NOT_UNDERSTOOD
    if status in _TOO_FAST:
        pause = _PAUSE_MS.search(text_of(part.get("error-text"))[:200])
        return too_fast(int(pause[1]) / 1_000 if pause else None)
    verdict = refused_by_table(KIND, status)
    if status in _OF_CREDENTIALS:
        return Refusal(verdict, is_general=True, is_of_credentials=True)
    return [verdict]


def open_gateway(connection: Connection, clock: Callable[[], datetime]) -> HttpGateway:
    """Return the gateway; nothing connects. Raises: ConfigurationError, InvalidInput."""
    answers = Answers(FORM, connection)
    provider = VonageProvider(answers, connection.callback_url, clock)
    return HttpGateway(connection.name, provider, answers.limits(), clock)


def try_connection(connection: Connection, clock: Callable[[], datetime]) -> str:
    """Ask for the balance. Raises: Unavailable, BadCredentials: in words."""
    answers = Answers(FORM, connection)
    answer = try_request(connection, answers.limits(), VonageProvider(answers, "", clock).ask_balance())
    balance = read_word(answer.read_json(), "value")
    if not answer.is_success or not balance:
        raise unexpected(connection, answer)
    said = f"Vonage answers; the balance is {balance} EUR."
    if len(connection.callback_url) <= CALLBACK_MOST:
        return said
    return (
        f"{said} Our callback address is longer than the {CALLBACK_MOST} characters that Vonage takes with a message: "
        "enter it in Vonage's dashboard, or reports will not come."
    )
