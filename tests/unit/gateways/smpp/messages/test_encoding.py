import smpp34

from core.domain.messages.messages import OutboundMessage
from core.gateways.smpp.messages.encoding import encode
from core.gateways.smpp.pdu import Command, pdu
from core.gateways.smpp.settings import LongTexts, SmppSettings


def message(text: str = "Hello", encoding: str = "gsm7") -> OutboundMessage:
    return OutboundMessage("id", "+4917960000001", "HELIOGRAPH", text, encoding, 1, "26201")


def read(body: bytes) -> smpp34.SubmitSm:
    return smpp34.decode(pdu(Command.SUBMIT_SM, 1, body))


def test_a_short_message_is_one_submit_sm_that_asks_for_a_receipt():
    (body,) = encode(message(), SmppSettings(validity_min=90), 1)
    sent = read(body)
    assert (sent.source_addr, sent.source_addr_ton, sent.source_addr_npi) == ("HELIOGRAPH", 5, 0)
    assert (sent.destination_addr, sent.dest_addr_ton, sent.dest_addr_npi) == ("4917960000001", 1, 1)
    assert (sent.short_message, sent.data_coding, sent.registered_delivery) == (b"Hello", 0, 1)
    assert sent.validity_period == "000000013000000R"


def test_only_the_last_part_asks_for_a_receipt():
    sent = [read(body) for body in encode(message("x" * 400), SmppSettings(), 7)]
    assert [part.registered_delivery for part in sent] == [0, 0, 1]
    assert {part.esm_class for part in sent} == {0x40}


def test_a_payload_stands_beside_an_empty_text():
    (body,) = encode(message("Ж" * 200, "ucs2"), SmppSettings(long_texts=LongTexts.PAYLOAD), 7)
    sent = read(body)
    assert sent.short_message == b""
    assert [(tlv.tag, len(tlv.value)) for tlv in sent.tlvs] == [(0x0424, 400)]
