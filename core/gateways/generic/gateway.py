"""An HTTP interface described by settings, as a gateway."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import OutboundMessage
from core.gateways.callbacks import ReadCallback
from core.gateways.generic.answers import make_answer_reader
from core.gateways.generic.form import FORM
from core.gateways.generic.templates import (
    Values,
    fill,
    fill_json,
    fill_url,
    make_values,
    parse_fields,
    parse_headers,
    parse_json,
)
from core.gateways.http.callback_fields import make_field_reader
from core.gateways.http.client import ApiAnswer, ApiRequest
from core.gateways.http.fields import Answers
from core.gateways.http.gateway import HttpGateway
from core.gateways.http.trying import reach
from core.gateways.http.verdicts import Refusal, Verdict

_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


class GenericProvider:
    """How the provider is asked, and what it answers, as the settings say: one message a request."""

    per_request = 1

    def __init__(self, answers: Answers, callback_url: str) -> None:
        """Take the form as it was filled in. Raises: InvalidInput: it could not have been."""
        self._method = answers.text("method")
        self._url = answers.text("url")
        self._format = answers.text("format")
        self._headers = parse_headers(answers.text("headers"), "headers")
        body = answers.text("body")
        self._document = parse_json(body, "body") if self._format == "json" else None
        self._fields = parse_fields(body, "body") if self._format != "json" else ()
        self._gateway = {"user": answers.text("user"), "secret": answers.secret("secret"), "callback": callback_url}
        self._prefix = "+" if answers.is_on("plus") else ""
        self._unicode = {True: answers.text("unicode_yes"), False: answers.text("unicode_no")}
        self._reader = make_answer_reader(answers)

    def cut(self, messages: Sequence[OutboundMessage]) -> Iterator[Sequence[OutboundMessage]]:
        """Yield each by itself."""
        return ([message] for message in messages)

    def write(self, batch: Sequence[OutboundMessage]) -> ApiRequest:
        """Return the request for the one message of *batch*."""
        (message,) = batch
        values = self._values(message)
        url, body = fill_url(self._url, values.texts), b""
        fields = urlencode([(name, fill(template, values.texts)) for name, template in self._fields])
        if self._format == "json":
            body = json.dumps(fill_json(self._document, values)).encode()
        elif self._format == "form":
            body = fields.encode()
        elif fields:
            url += ("&" if "?" in url else "?") + fields
        headers = {name: fill(template, values.texts) for name, template in self._headers}
        if body and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = _TYPES[self._format]
        return ApiRequest(self._method, url, headers, body)

    def read(self, batch: Sequence[OutboundMessage], answer: ApiAnswer) -> Sequence[Verdict] | Refusal:
        """Return what the answer says; see `Provider.read`."""
        return self._reader.read(batch[0].message_id, answer)

    def _values(self, message: OutboundMessage) -> Values:
        is_unicode = message.encoding == "ucs2"
        texts = {
            "to": self._prefix + message.msisdn.removeprefix("+"),
            "from": message.sender_id,
            "text": message.text,
            "id": message.message_id,
            "unicode": self._unicode[is_unicode],
        }
        return make_values(texts, self._gateway, message.segment_count, unicode=is_unicode)


def open_gateway(connection: Connection, clock: Callable[[], datetime]) -> HttpGateway:
    """Return the gateway; nothing connects. Raises: ConfigurationError, InvalidInput."""
    answers = Answers(FORM, connection)
    return HttpGateway(connection.name, GenericProvider(answers, connection.callback_url), answers.limits(), clock)


def try_connection(connection: Connection) -> str:
    """Connect to the address; nothing can be asked that would not send. Raises: Unavailable: in words."""
    answers = Answers(FORM, connection)
    where = reach(connection, answers.text("url"), answers.limits())
    return f"{where}, can be reached. Only a test message shows whether it takes messages."


def make_reader(connection: Connection) -> ReadCallback:
    """Return what reads its callbacks, as the settings say. Raises: InvalidInput."""
    return make_field_reader(Answers(FORM, connection), connection)
