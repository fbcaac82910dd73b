"""
What a deliver_sm is: a delivery receipt, an intermediate notification, a reply of a person, or nothing known.

Nothing that came is an error: what cannot be read is `Unrecognized`, to be kept and logged as it came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from core.domain.messages.messages import Receipt
from core.domain.messages.receipts import RECEIPT_STATES, is_known_state
from core.gateways.receipt_times import read_done_at
from core.gateways.smpp.messages.deliver_sm import (
    DELIVERY_RECEIPT,
    INTERMEDIATE_NOTIFICATION,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    PLAIN,
    RECEIPTED_MESSAGE_ID,
    USER_ACKNOWLEDGMENT,
    DeliverSm,
    read_body,
)
from core.gateways.smpp.messages.ids import store_receipt_id
from core.gateways.smpp.messages.receipt_fields import ReceiptFields, read_fields
from core.gateways.smpp.messages.replies import ReplyPart, read_reply
from core.gateways.smpp.settings import Ids, SmppSettings

_WORD_BY_STATE = {state.message_state: state.word for state in RECEIPT_STATES}
# SCHEDULED, of SMPP 5.0, is what a 3.4 SMSC writes that has not filled the parameter.
_UNFILLED = b"\0"
_NUL = b"\0"
# A text with an id and so many more fields of a receipt is one, also where its state is a word of the vendor.
_FEWEST_OTHERS = 3


class Reason(StrEnum):
    """Why a deliver_sm is not recognized."""

    NO_ID = "no id"
    NO_STATE = "no state"
    NO_SOURCE = "no source"
    OTHER_KIND = "other kind"


@dataclass(frozen=True)
class IntermediateNotification:
    """
    How far a message is whose end is not known, with the fields of a *receipt*.

    It must not be merged as one: its state may be UNDELIV, for an attempt that is made again.
    """

    receipt: Receipt


@dataclass(frozen=True)
class Unrecognized:
    """
    Neither a receipt that can be matched nor a reply: to be kept as it came.

    *reason* may be logged; *deliver_sm* has numbers and perhaps somebody's text.
    """

    reason: Reason
    deliver_sm: DeliverSm


Incoming: TypeAlias = Receipt | IntermediateNotification | ReplyPart | Unrecognized


def read_deliver_sm(deliver_sm: DeliverSm, gateway: str, settings: SmppSettings) -> Incoming:
    """
    Return what *deliver_sm* is to *gateway*. It never raises.

    A receipt is known by esm_class; without its bits by receipted_message_id or message_state; without those by a text
    that names an id, a state, and one field more (three, where the state is no word of SMPP). Somebody who types such
    a text is taken for an SMSC, but has to know the id of a message.

    Where an optional parameter and the text disagree:

    - The id is that of the parameter, because by the specification it is the response's, while the text's may be cut.
      Where the settings say that receipts write ids otherwise than responses, it is the text's: the parameter may have
      either form, and which of them cannot be seen.
    - The state is that of the text where the settings say what its word means, because somebody has looked at it. Else
      it is that of the parameter, because the specification defines it and the text is the vendor's.
    - The error code is that of the text, because the provider's own list speaks of it, unless it names no error and
      the parameter does: that one has the network's number. 000 is no error, and none is kept.
    """
    fields = read_fields(read_body(deliver_sm)[0])
    message_id = _find_id(fields, deliver_sm, settings.ids)
    state = _find_state(fields, deliver_sm, settings.states)
    kind = deliver_sm.kind
    if kind in (DELIVERY_RECEIPT, INTERMEDIATE_NOTIFICATION):
        if not message_id or not state:
            return Unrecognized(Reason.NO_STATE if message_id else Reason.NO_ID, deliver_sm)
    elif not message_id or not state or not _is_unmarked_receipt(fields, state, deliver_sm):
        return _read_other(deliver_sm, settings)
    done_at = read_done_at(fields.done_date, settings.receipt_offset_min, deliver_sm.arrived_at)
    receipt = Receipt(gateway, message_id, state, _find_error_code(fields, deliver_sm), done_at)
    return IntermediateNotification(receipt) if kind == INTERMEDIATE_NOTIFICATION else receipt


def _read_other(deliver_sm: DeliverSm, settings: SmppSettings) -> ReplyPart | Unrecognized:
    if deliver_sm.kind not in (PLAIN, USER_ACKNOWLEDGMENT):
        return Unrecognized(Reason.OTHER_KIND, deliver_sm)
    return read_reply(deliver_sm, settings) if deliver_sm.source else Unrecognized(Reason.NO_SOURCE, deliver_sm)


def _is_unmarked_receipt(fields: ReceiptFields, state: str, deliver_sm: DeliverSm) -> bool:
    if RECEIPTED_MESSAGE_ID in deliver_sm.optional or MESSAGE_STATE in deliver_sm.optional:
        return True
    fewest = 1 if is_known_state(state) else _FEWEST_OTHERS
    return fields.others >= fewest


def _find_id(fields: ReceiptFields, deliver_sm: DeliverSm, ids: Ids) -> str:
    told = _read_text(deliver_sm.optional.get(RECEIPTED_MESSAGE_ID, b""))
    order = (fields.message_id, told) if ids in (Ids.RESPONSE_HEX, Ids.RECEIPT_HEX) else (told, fields.message_id)
    return next((stored for message_id in order if (stored := store_receipt_id(message_id, ids))), "")


def _find_state(fields: ReceiptFields, deliver_sm: DeliverSm, states: Mapping[str, str]) -> str:
    for said in (fields.state_in_full, fields.state):
        if explained := states.get(said.lower()):
            return explained
    state = _find_unexplained(fields, deliver_sm)
    return states.get(state.lower(), state)


def _find_unexplained(fields: ReceiptFields, deliver_sm: DeliverSm) -> str:
    value = deliver_sm.optional.get(MESSAGE_STATE, b"")
    # One octet; some write a digit, or zeros beside it.
    told = value.strip(_NUL) or value[:1]
    if not told or (told == _UNFILLED and fields.state):
        return fields.state
    number = int(told) if told.isdigit() and len(told) == 1 else int.from_bytes(told[:8])
    return _WORD_BY_STATE.get(number) or fields.state or str(number)


def _find_error_code(fields: ReceiptFields, deliver_sm: DeliverSm) -> str:
    value = deliver_sm.optional.get(NETWORK_ERROR_CODE, b"")
    if fields.names_error:
        return fields.error_code
    if len(value) == 3 and not value.isdigit():
        # SMPP 3.4, 5.3.2.31: which kind of network, then its code in two octets.
        number = int.from_bytes(value[1:])
        return str(number) if number else ""
    text = _read_text(value)
    return text if text.isascii() and text.isprintable() else value.hex()


def _read_text(value: bytes) -> str:
    # Ends with a NUL by the specification, without one by many an SMSC.
    return value.partition(_NUL)[0].decode("latin-1").strip()
