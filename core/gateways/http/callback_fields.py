"""Callbacks whose field names and words are the customer's choice: told by a form, read by that."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.gateways.forms import Field, Value
from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import Receipt, Reply
from core.gateways.callbacks import CallbackRequest, Heard, ReadCallback
from core.gateways.http.bodies import Item, list_items, read_document, text_of
from core.gateways.http.fields import CALLBACKS, NETWORKS, Answers, refuse_strangers
from core.gateways.http.paths import check_path, find
from core.gateways.receipt_times import read_done_at
from core.gateways.states import parse_states, read_error_code, read_state, states_field

_REPLIES = "Replies"
_PATHS = (
    ("callback_items", "List of receipts", CALLBACKS, "Where it stands, if not at the top. A single one is read too."),
    ("callback_id", "Message ID", CALLBACKS, "The field with the id that the answer to the message had."),
    ("callback_state", "State", CALLBACKS, "The field with the word for how far the message is."),
    ("callback_error", "Error code", CALLBACKS, ""),
    ("callback_time", "Time of the state", CALLBACKS, "Without one, it is when the callback comes."),
    (
        "reply_sender",
        "Sender",
        _REPLIES,
        "The field with the person's number. Without these fields there are no replies.",
    ),
    ("reply_receiver", "Receiver", _REPLIES, "The field with the number or sender that the person answered."),
    ("reply_text", "Text", _REPLIES, ""),
    ("reply_id", "ID", _REPLIES, "By which a reply that comes twice is kept once."),
    ("reply_time", "Time", _REPLIES, ""),
)
_STATES = "callback_states"


def callback_form(**defaults: str) -> tuple[Field, ...]:
    """Return the fields that ask where things stand in a callback, filled in with *defaults*."""
    paths = (
        Field(name, label, default=defaults.get(name, ""), section=section, help=words)
        for name, label, section, words in _PATHS
    )
    return (*paths, states_field(_STATES, CALLBACKS), NETWORKS)


def check_callback_form(settings: Mapping[str, Value]) -> None:
    """Look at what was filled in. Raises: InvalidInput, with the *field*."""
    for name, *_ in _PATHS:
        check_path(str(settings.get(name, "")), name)
    parse_states(str(settings.get(_STATES, "")), _STATES)


@dataclass(frozen=True)
class FieldReader:
    """Reads callbacks of one gateway; *paths* by the names of the form's fields, "" where there is no such field."""

    gateway: str
    paths: Mapping[str, str]
    states: Mapping[str, str]

    def read(self, request: CallbackRequest) -> Heard:
        """Return what the callback tells. Raises: UnreadableCallback."""
        found = find(read_document(request), self.paths["callback_items"])
        items = list_items([] if found is None else found)
        return Heard.of(self._read_receipt(item, request) or self._read_reply(item, request) for item in items)

    def _read_receipt(self, item: Item, request: CallbackRequest) -> Receipt | None:
        message_id, state = self._find(item, "callback_id"), self._find(item, "callback_state")
        if not message_id or not state:
            return None
        done_at = read_done_at(self._find(item, "callback_time"), 0, request.received_at)
        code = read_error_code(self._find(item, "callback_error"))
        return Receipt(self.gateway, message_id, read_state(state, self.states), code, done_at)

    def _read_reply(self, item: Item, request: CallbackRequest) -> Reply | None:
        sender, path = self._find(item, "reply_sender"), self.paths["reply_text"]
        text = find(item, path) if path else None
        if not sender or not isinstance(text, str):
            return None
        received_at = read_done_at(self._find(item, "reply_time"), 0, request.received_at)
        receiver, reference = self._find(item, "reply_receiver"), self._find(item, "reply_id")
        return Reply(self.gateway, sender, receiver, text, received_at, reference)

    def _find(self, item: Item, name: str) -> str:
        path = self.paths[name]
        return text_of(find(item, path)) if path else ""


def make_field_reader(answers: Answers, connection: Connection) -> ReadCallback:
    """Return what reads the callbacks of *connection*, whose form has these fields. Raises: InvalidInput."""
    networks = answers.networks()
    paths = {name: answers.text(name) for name, *_ in _PATHS}
    reader = FieldReader(connection.name, paths, parse_states(answers.text(_STATES), _STATES))

    def read_callback(request: CallbackRequest) -> Heard:
        refuse_strangers(request, networks)
        return reader.read(request)

    return read_callback
