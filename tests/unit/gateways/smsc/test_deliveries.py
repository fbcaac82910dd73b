from datetime import UTC, datetime

import pytest
import smpp34

from core.gateways.simulator.accepted import to_microseconds
from core.gateways.simulator.profiles import FAILURES, INTERMEDIATES
from core.gateways.smsc.behavior import ReceiptForm
from core.gateways.smsc.deliveries import MESSAGE_STATES, response_id, write_delivery, write_garbled
from core.gateways.smsc.journal import Delivery

SUBMITTED, DONE = (
    to_microseconds(datetime(*moment, tzinfo=UTC)) for moment in ((2026, 3, 1, 9, 5, 7), (2026, 12, 31, 23, 59, 58))
)
KEY = "1764451545000010"
STATE, RECEIPTED_ID, NETWORK_ERROR, PAYLOAD = 0x0427, 0x001E, 0x0423, 0x0424


def receipt(state: str = "DELIVRD", error_code: str = "") -> Delivery:
    return Delivery("me", KEY, "+491796000001", "HELIOGRAPH", SUBMITTED, DONE, state, error_code)


def written(*forms: ReceiptForm, state: str = "DELIVRD", error_code: str = "") -> smpp34.DeliverSm:
    return smpp34.decode(write_delivery(receipt(state, error_code), frozenset(forms), 9))


def test_the_usual_form_is_that_of_the_specification():
    found = written(ReceiptForm.TEXT)
    assert found.short_message.decode() == (
        f"id:{KEY} sub:001 dlvrd:001 submit date:2603010905 done date:2612312359 stat:DELIVRD err:000 Text:"
    )
    assert (found.source_addr, found.destination_addr, found.dest_addr_ton) == ("491796000001", "HELIOGRAPH", 5)
    assert (found.esm_class, found.sequence_number, found.tlvs) == (4, 9, [])


def test_a_failure_has_its_code():
    text = written(state="UNDELIV", error_code="27").short_message
    assert b" dlvrd:000 " in text
    assert b" stat:UNDELIV err:027 " in text


def test_dates_can_have_seconds():
    assert b" submit date:260301090507 done date:261231235958 " in written(ReceiptForm.SECONDS).short_message


def test_everything_can_be_in_small_letters():
    text = written(ReceiptForm.LOWERCASE, state="UNDELIV", error_code="1").short_message
    assert text == text.lower()
    assert b" stat:undeliv err:001 text:" in text


def test_a_receipt_can_stand_in_its_parameters_alone():
    found = written(ReceiptForm.TLV, state="EXPIRED", error_code="32")
    assert found.short_message == b""
    assert {each.tag: each.value for each in found.tlvs} == {
        RECEIPTED_ID: KEY.encode() + b"\0",
        STATE: b"\x03",
        NETWORK_ERROR: b"\x03\x00\x20",
    }


def test_a_receipt_can_stand_in_the_payload():
    found = written(ReceiptForm.PAYLOAD)
    assert found.short_message == b""
    assert [(each.tag, each.value[:19]) for each in found.tlvs] == [(PAYLOAD, f"id:{KEY}".encode())]


def test_the_text_can_read_like_another_state():
    text = written(ReceiptForm.SECOND_STAT).short_message
    assert text.index(b"stat:DELIVRD") < text.index(b"Text:") < text.index(b"stat:REJECTD")


def test_ids_can_differ_between_response_and_receipt():
    forms = frozenset({ReceiptForm.HEX_RESPONSE, ReceiptForm.ZERO_PADDED})
    assert response_id(KEY, forms) == "644C26390284A"
    assert int("644C26390284A", 16) == int(KEY)
    assert written(*forms).short_message.startswith(f"id:0000{KEY} ".encode())
    assert response_id(KEY, frozenset({ReceiptForm.ZERO_PADDED, ReceiptForm.HEX_RECEIPT})) == KEY
    assert written(ReceiptForm.HEX_RECEIPT).short_message.startswith(b"id:644C26390284A ")


def test_a_receipt_can_look_like_a_reply():
    assert written(ReceiptForm.UNMARKED).esm_class == written(ReceiptForm.UNMARKED, ReceiptForm.TLV).esm_class == 0


@pytest.mark.parametrize("state", sorted({state for state, *_ in (*FAILURES, *INTERMEDIATES)} | {"DELIVRD"}))
def test_every_state_of_the_simulator_has_its_number(state: str):
    found = written(ReceiptForm.TLV, state=state)
    assert {each.tag: each.value for each in found.tlvs}[STATE] == bytes((MESSAGE_STATES[state],))


@pytest.mark.parametrize("key", range(40))
def test_a_garbled_receipt_names_no_message(key: int):
    found = smpp34.decode(write_garbled(Delivery("me", str(key), "+491", "H", SUBMITTED, DONE, "DELIVRD"), 3))
    assert found.esm_class == 4
    assert f"id:{key} ".encode() not in found.short_message
