"""
What Vonage tells, by GET or POST, as a form or as JSON: states of messages, and replies.

Source: https://developer.vonage.com/messaging/sms/guides/delivery-receipts and inbound-sms.
"""

from collections.abc import Mapping
from datetime import datetime

from core.domain.gateways.gateways import Connection
from core.domain.messages.messages import Receipt, Reply
from core.gateways.callbacks import CallbackRequest, Heard, ReadCallback
from core.gateways.http.bodies import Item, first_text, list_items, read_document, text_of
from core.gateways.http.fields import Answers, refuse_strangers
from core.gateways.receipt_times import read_done_at
from core.gateways.states import read_error_code, read_state
from core.gateways.vonage.form import FORM
from core.gateways.vonage.signatures import Method, check_signature

_STATES: Mapping[str, str] = {
    "accepted": "ACCEPTD",
    "buffered": "ENROUTE",
    "delivered": "DELIVRD",
    "expired": "EXPIRED",
    "failed": "UNDELIV",
    "rejected": "REJECTD",
    # Vonage does not know yet; SMPP's UNKNOWN would be an end.
    "unknown": "ENROUTE",
}


def make_reader(connection: Connection) -> ReadCallback:
    """Return what reads Vonage's callbacks. Raises: InvalidInput."""
    answers = Answers(FORM, connection)
    secret, method, networks = (
        answers.secret("signature_secret"),
        Method(answers.text("signature_method")),
        answers.networks(),
    )

    def read_callback(request: CallbackRequest) -> Heard:
        refuse_strangers(request, networks)
        items = list(list_items(read_document(request)))
        for item in items if secret else ():
            # As it came: a text signed with its spaces is another without them.
            fields = {name: value if isinstance(value, str) else text_of(value) for name, value in item.items()}
            check_signature(fields, secret, method, request.received_at)
        return Heard.of(_read(item, request.received_at, connection.name) for item in items)

    return read_callback


def _read(item: Item, received_at: datetime, gateway: str) -> Receipt | Reply | None:
    message_id, status = first_text(item, "messageId", "message-id"), first_text(item, "status")
    if message_id and status:
        done_at = read_done_at(first_text(item, "message-timestamp", "scts"), 0, received_at)
        code = read_error_code(first_text(item, "err-code"))
        return Receipt(gateway, message_id, read_state(status, _STATES), code, done_at)
    sender, text = first_text(item, "msisdn"), item.get("text")
    if not sender or not isinstance(text, str):
        return None
    # A long reply comes in parts, each a message of its own.
    sent_at = read_done_at(first_text(item, "message-timestamp"), 0, received_at)
    return Reply(gateway, sender, first_text(item, "to"), text, sent_at, message_id)
