"""
Infobip as a gateway.

A request takes many messages, each under the id we give it, and the answer names each by that id.
Source: https://www.infobip.com/docs/api/channels/sms/outbound-sms/send-sms-messages.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage
from core.gateways.http.bodies import text_of
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.paths import find
from core.gateways.http.trying import read_word, try_request, unexpected
from core.gateways.http.verdicts import (
    NOT_UNDERSTOOD,
    UNKNOWN,
    Refusal,
    Verdict,
    accepted,
    read_refusal,
    refused_by_table,
)
from core.gateways.infobip.form import FORM

KIND = "infobip"
# Source: https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes: groups of a status.
_TAKEN = frozenset({"0", "1", "3"})
_REFUSED = frozenset({"2", "4", "5"})


class InfobipProvider:
    """How Infobip is asked, and what it answers."""

    def __init__(self, answers: Answers, callback_url: str) -> None:
        """Take the form as it was filled in, and where Infobip is to report. Raises: ConfigurationError."""
        self._url = answers.text("url").rstrip("/")
        self._headers = {"Authorization": f"App {answers.secret('api_key')}", "Accept": "application/json"}
        self.per_request = answers.number("per_request")
        self._common: dict[str, object] = {}
        if callback_url:
            delivery = {"url": callback_url, "intermediateReport": False}
            self._common["webhooks"] = {"delivery": delivery, "contentType": "application/json"}
        if minutes := answers.number("validity_min"):
            self._common["options"] = {"validityPeriod": {"amount": minutes, "timeUnit": "MINUTES"}}

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        """Yield as many together as a request takes."""
        return (messages[start : start + self.per_request] for start in range(0, len(messages), self.per_request))

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request for *batch*."""
        messages = [
            {
                "sender": message.sender_id.removeprefix("+"),
                "destinations": [{"to": message.msisdn.removeprefix("+"), "messageId": message.message_id}],
                "content": {"text": message.text},
                **self._common,
            }
            for message in batch
        ]
        headers = {**self._headers, "Content-Type": "application/json"}
        return ApiRequest("POST", f"{self._url}/sms/3/messages", headers, json.dumps({"messages": messages}).encode())

    def ask_balance(self) -> ApiRequest:
        """Return the request for the account's balance."""
        return ApiRequest("GET", f"{self._url}/account/1/balance", self._headers)

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:
        """Return what the answer says; see `Provider.read`."""
        found = answer.read_json()
        if not answer.is_success:
            code = text_of(find(found, "requestError.serviceException.messageId")) or text_of(find(found, "errorCode"))
            return read_refusal(answer, KIND, code)
        items = find(found, "messages")
        if not isinstance(items, list):
            return NOT_UNDERSTOOD
        answered = [item for item in items if isinstance(item, dict)]
        by_id = {text_of(item.get("messageId")): item for item in answered}
        counts = Counter(text_of(item.get("messageId")) for item in answered)
        return [
            # Two answers for one message, or none, say nothing of it.
            _read_status(message.message_id, by_id[message.message_id]) if counts[message.message_id] == 1 else UNKNOWN
            for message in batch
        ]


def _read_status(message_id: str, item: Mapping[str, object]) -> Verdict:
    group = text_of(find(item, "status.groupId"))
    if group in _TAKEN:
        return accepted(message_id)
    code = text_of(find(item, "status.id"))
    return refused_by_table(KIND, code) if group in _REFUSED and code else UNKNOWN


def open_gateway(connection: Connection, clock: Callable[[], datetime]) -> HttpGateway:
    """Return the gateway; nothing connects. Raises: ConfigurationError, InvalidInput."""
    answers = Answers(FORM, connection)
    return HttpGateway(connection.name, InfobipProvider(answers, connection.callback_url), answers.limits(), clock)


def try_connection(connection: Connection) -> str:
    """Ask for the balance. Raises: Unavailable, BadCredentials: in words."""
    answers = Answers(FORM, connection)
    answer = try_request(connection, answers.limits(), InfobipProvider(answers, "").ask_balance())
    found = answer.read_json()
    balance = read_word(found, "balance")
    if not answer.is_success or not balance:
        raise unexpected(connection, answer)
    return f"Infobip answers; the balance is {balance} {read_word(found, 'currency')}.".replace(" .", ".")
