"""
Mitto as a gateway.

A bulk request has one text for all its receivers, and its answer an id for each, in their order. Source:
https://docs.mitto.ch/sms-bulk-sms-api-reference.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage
from core.gateways.callbacks import ReadCallback
from core.gateways.http.bodies import text_of
from core.gateways.http.callback_fields import make_field_reader
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.trying import try_request, unexpected
from core.gateways.http.verdicts import (
    NOT_UNDERSTOOD,
    UNKNOWN,
    Refusal,
    Verdict,
    accepted,
    read_refusal,
    refused_by_table,
)
from core.gateways.mitto.form import FORM

KIND = "mitto"
_SENT, _INVALID_RECEIVER = "0", "8"


class MittoProvider:
    """How Mitto is asked, and what it answers."""

    def __init__(self, answers: Answers) -> None:
        """Take the form as it was filled in. Raises: ConfigurationError."""
        self._url = answers.text("url").rstrip("/")
        self._key = answers.secret("api_key")
        self.per_request = answers.number("per_request")
        self._validity_min = answers.number("validity_min")

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        """Yield those with the same sender and text together, as many as a request takes."""
        groups = dict[tuple[str, str, str], list[OutboundMessage]]()
        for message in messages:
            groups.setdefault((message.sender_id, message.encoding, message.text), []).append(message)
        for group in groups.values():
            for start in range(0, len(group), self.per_request):
                yield group[start : start + self.per_request]

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request for *batch*."""
        first = batch[0]
        numbers = [message.msisdn.removeprefix("+") for message in batch]
        body: dict[str, object] = {
            # Digits only, where it is a number.
            "from": first.sender_id.removeprefix("+"),
            "to": numbers if len(batch) > 1 else numbers[0],
            "text": first.text,
            "type": "Unicode" if first.encoding == "ucs2" else "GSM",
        }
        if len(batch) == 1:
            body["reference"] = first.message_id
        if self._validity_min:
            body["validity"] = self._validity_min
        return self.ask("smsbulk" if len(batch) > 1 else "sms", body)

    def ask(self, what: str, body: Mapping[str, object]) -> ApiRequest:
        """Return a request to the endpoint *what*."""
        headers = {"X-Mitto-API-Key": self._key, "Content-Type": "application/json"}
        return ApiRequest("POST", f"{self._url}/{what}", headers, json.dumps(body).encode())

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:
        """Return what the answer says; see `Provider.read`."""
        found = answer.read_json()
        facts = found if isinstance(found, dict) else {}
        code = text_of(facts.get("responseCode"))
        if not answer.is_success:
            return read_refusal(answer, KIND, "" if code == _SENT else code)
        # What a bulk names has been taken, whatever the code of the whole is about.
        ids = facts.get("messages") if len(batch) > 1 else [facts]
        if code == _SENT:
            return _read_ids(ids, len(batch))
        if not code or (len(batch) > 1 and ids):
            return NOT_UNDERSTOOD
        return Refusal(refused_by_table(KIND, code))


def _read_ids(items: object, count: int) -> Sequence[Verdict] | Refusal:
    if not isinstance(items, list) or len(items) != count:
        # Which of them belongs to whom?
        return NOT_UNDERSTOOD
    ids = [text_of(item.get("id")) if isinstance(item, dict) else "" for item in items]
    counts = Counter(ids)
    return [accepted(theirs) if theirs and counts[theirs] == 1 else UNKNOWN for theirs in ids]


def open_gateway(connection: Connection, clock: Callable[[], datetime]) -> HttpGateway:
    """Return the gateway; nothing connects. Raises: ConfigurationError, InvalidInput."""
    answers = Answers(FORM, connection)
    return HttpGateway(connection.name, MittoProvider(answers), answers.limits(), clock)


def try_connection(connection: Connection) -> str:
    """Ask Mitto to check, not send, a message to no number. Raises: Unavailable, BadCredentials: in words."""
    answers = Answers(FORM, connection)
    message = {"from": "Heliograph", "to": "0", "text": "Heliograph", "type": "GSM", "test": True}
    answer = try_request(connection, answers.limits(), MittoProvider(answers).ask("sms", message))
    found = answer.read_json()
    code = text_of(found.get("responseCode")) if isinstance(found, dict) else ""
    if code not in {_SENT, _INVALID_RECEIVER}:
        raise unexpected(connection, answer)
    return "Mitto answers and knows the API key."


def make_reader(connection: Connection) -> ReadCallback:
    """Return what reads Mitto's callbacks: a template that the customer fills. Raises: InvalidInput."""
    return make_field_reader(Answers(FORM, connection), connection)
