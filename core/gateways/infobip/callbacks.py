"""
What Infobip posts: batches of states of messages, and of replies, in JSON.

Source: https://www.infobip.com/docs/api/channels/sms/outbound-sms (delivery reports) and inbound-sms.
"""

from collections.abc import Mapping

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import Receipt, Reply
from core.gateways.callbacks import CallbackRequest, Heard, ReadCallback
from core.gateways.http.bodies import Item, first_text, list_items, read_document, text_of
from core.gateways.http.fields import Answers, refuse_strangers
from core.gateways.http.paths import find
from core.gateways.infobip.form import FORM
from core.gateways.receipt_times import read_done_at
from core.gateways.states import read_error_code

_GROUPS: Mapping[str, str] = {"1": "ENROUTE", "2": "UNDELIV", "3": "DELIVRD", "4": "EXPIRED", "5": "REJECTD"}
# These say less than their group: taken, or handed to the network, which has not delivered yet.
_STATUSES: Mapping[str, str] = {"2": "ACCEPTD", "26": "ACCEPTD"}


def make_reader(connection: Connection) -> ReadCallback:
    """Return what reads Infobip's callbacks. Raises: InvalidInput."""
    networks = Answers(FORM, connection).networks()

    def read_callback(request: CallbackRequest) -> Heard:
        refuse_strangers(request, networks)
        results = find(read_document(request), "results")
        return Heard.of(
            _read(item, request, connection.name) for item in list_items([] if results is None else results)
        )

    return read_callback


def _read(item: Item, request: CallbackRequest, gateway: str) -> Receipt | Reply | None:
    message_id = first_text(item, "messageId")
    state = _read_state(item)
    if message_id and state:
        done_at = read_done_at(first_text(item, "doneAt", "sentAt"), 0, request.received_at)
        code = read_error_code(text_of(find(item, "error.id")))
        return Receipt(gateway, message_id, state, code, done_at)
    sender, text = first_text(item, "from"), item.get("text")
    if not sender or not isinstance(text, str):
        return None
    received_at = read_done_at(first_text(item, "receivedAt"), 0, request.received_at)
    return Reply(gateway, sender, first_text(item, "to"), text, received_at, message_id)


def _read_state(item: Item) -> str:
    status, group = text_of(find(item, "status.id")), text_of(find(item, "status.groupId"))
    return _STATUSES.get(status) or _GROUPS.get(group) or text_of(find(item, "status.name"))
