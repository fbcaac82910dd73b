"""Messages as submit_sm: their parts, without header and sequence number, which a link gives them."""

import smpp34

from core.domain.messages.messages import OutboundMessage
from core.domain.texts.encoding import Encoding
from core.gateways.smpp.messages.submit_sm import format_validity, make_receiver, make_sender
from core.gateways.smpp.messages.texts import SubmitPart, build_parts
from core.gateways.smpp.pdu import HEADER
from core.gateways.smpp.settings import LongReceipts, SmppSettings

# A receipt for the end, whatever it is (SMPP 3.4, 5.2.17).
_RECEIPT = 1


def encode(message: OutboundMessage, settings: SmppSettings, reference: int) -> list[bytes]:
    """
    Return the body of each submit_sm that carries *message*, in sending order.

    Only the last asks for a receipt: one message has one, and the parts before it are there when it is delivered, or
    the phone would not show it. Where a provider reports one part alone, whichever that is, all ask. *reference* tells
    the parts of one message from those of another.
    Raises: UnencodableText: the text is not of the encoding it was measured in.
    """
    parts = build_parts(message.text, Encoding(message.encoding), settings, reference)
    asking = range(len(parts)) if settings.long_receipts is LongReceipts.ANY_PART else (len(parts) - 1,)
    return [_body(message, part, settings, _RECEIPT if at in asking else 0) for at, part in enumerate(parts)]


def _body(message: OutboundMessage, part: SubmitPart, settings: SmppSettings, registered_delivery: int) -> bytes:
    sender, receiver = make_sender(message.sender_id, settings), make_receiver(message.msisdn, settings)
    frame = smpp34.SubmitSm(
        sender.text,
        receiver.text,
        part.short_message,
        source_addr_ton=sender.kind.ton,
        source_addr_npi=sender.kind.npi,
        dest_addr_ton=receiver.kind.ton,
        dest_addr_npi=receiver.kind.npi,
        esm_class=part.esm_class,
        validity_period=format_validity(settings.validity_min),
        registered_delivery=registered_delivery,
        data_coding=part.data_coding,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in part.optional.items()],
    )
    return bytes(frame.encode()[HEADER.size :])
