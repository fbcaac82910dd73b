from collections.abc import Mapping
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import Receipt
from core.domain.words.control_characters import find_control
from core.gateways.smpp.messages.deliver_sm import (
    DELIVERY_RECEIPT,
    MESSAGE_PAYLOAD,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RECEIPTED_MESSAGE_ID,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
    DeliverSm,
)
from core.gateways.smpp.messages.receipts import IntermediateNotification, Reason, Unrecognized, read_deliver_sm
from core.gateways.smpp.messages.replies import ReplyPart, join_text
from core.gateways.smpp.settings import Ids, SmppSettings
from tests.support.cases.smpp_receipts import ARRIVED_AT, ReceiptCase, load_receipts

KINDS = {
    "receipt": Receipt,
    "notification": IntermediateNotification,
    "reply": ReplyPart,
    "unrecognized": Unrecognized,
}
WORDS = [
    "id:",
    "stat:",
    "STAT :",
    "err:",
    "done date:",
    "submit date:",
    "sub:",
    "text:",
    "DELIVRD",
    "UNDELIV",
    " ",
    "\0",
]
PIECES = st.one_of(st.sampled_from(WORDS), st.text("0123456789-:/+TZ \x11", max_size=20), st.text(max_size=5))
OCTETS = st.one_of(
    st.binary(max_size=300),
    st.lists(PIECES, max_size=20).map(lambda pieces: "".join(pieces).encode("utf-8")),
    st.lists(PIECES, max_size=20).map(lambda pieces: "".join(pieces).encode("utf-16-be")),
)
TAGS = (
    RECEIPTED_MESSAGE_ID,
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    MESSAGE_PAYLOAD,
    SAR_MSG_REF_NUM,
    SAR_TOTAL_SEGMENTS,
    SAR_SEGMENT_SEQNUM,
)
OPTIONAL = st.dictionaries(st.one_of(st.sampled_from(TAGS), st.integers(0, 0xFFFF)), st.binary(max_size=20), max_size=6)
MARKED_AND_NOT = st.one_of(st.sampled_from([0, 4, 0x20, 0x40, 0x44]), st.integers(0, 255))


def make_deliver_sm(
    octets: bytes, esm_class: int = DELIVERY_RECEIPT, optional: Mapping[int, bytes] | None = None, source: str = "4915"
) -> DeliverSm:
    return DeliverSm(esm_class, 0, octets, source, "12345", ARRIVED_AT, optional or {})


@pytest.mark.parametrize("case", load_receipts(), ids=lambda case: case.name)
def test_a_vendors_form_is_read(case: ReceiptCase):
    said = read_deliver_sm(case.deliver_sm, "smpp", case.settings)
    assert type(said) is KINDS[case.kind]
    receipt = said.receipt if isinstance(said, IntermediateNotification) else said
    if case.receipt:
        assert receipt == Receipt("smpp", *case.receipt[:3], case.done_at)


@pytest.mark.parametrize("message_id", ["ID:host-1:2:3", "id:5", "msg-id:77", "ID=5"])
def test_an_id_may_begin_like_the_name_of_its_field(message_id: str):
    said = read_deliver_sm(
        make_deliver_sm(f"id:{message_id} sub:001 stat:DELIVRD err:000".encode()), "smpp", SmppSettings()
    )
    assert isinstance(said, Receipt)
    assert said.gateway_message_id == message_id


EXPLAINED = {"acceptd": "DELIVRD", "success": "DELIVRD", "not delivered": "UNDELIV", "failed:absent": "EXPIRED"}
TEXT = "id:5 sub:001 dlvrd:001 submit date:2611281630 done date:2611281631 stat:{} err:000 text:hello"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("ACCEPTD", "DELIVRD"),
        ("Success", "DELIVRD"),
        ("Not  Delivered", "UNDELIV"),
        ("FAILED:absent", "EXPIRED"),
        ("FAILED:busy", "FAILED"),
        ("UNDELIV", "UNDELIV"),
        ("Teleported", "Teleported"),
    ],
)
def test_a_word_means_what_the_settings_say(said: str, state: str):
    receipt = read_deliver_sm(make_deliver_sm(TEXT.format(said).encode()), "smpp", SmppSettings(states=EXPLAINED))
    assert (receipt.receipt_state, receipt.gateway_message_id) == (state, "5")


@pytest.mark.parametrize(
    ("text", "message_state", "state"),
    [
        ("", b"\x06", "DELIVRD"),
        (TEXT.format("SUCCESS"), b"\x05", "DELIVRD"),
        (TEXT.format("Teleported"), b"\x05", "UNDELIV"),
        (TEXT.format("Teleported"), b"\x06", "DELIVRD"),
        ("", b"\x63", "EXPIRED"),
    ],
)
def test_the_settings_count_before_the_parameter(text: str, message_state: bytes, state: str):
    optional = {RECEIPTED_MESSAGE_ID: b"5\0", MESSAGE_STATE: message_state}
    settings = SmppSettings(states=EXPLAINED | {"99": "EXPIRED"})
    receipt = read_deliver_sm(make_deliver_sm(text.encode(), optional=optional), "smpp", settings)
    assert receipt.receipt_state == state


def test_an_explained_word_makes_a_receipt_known_without_its_bit_as_one_of_smpp_does():
    unmarked = make_deliver_sm(b"id:5 stat:SUCCESS err:000", esm_class=0)
    assert isinstance(read_deliver_sm(unmarked, "smpp", SmppSettings()), ReplyPart)
    assert isinstance(read_deliver_sm(unmarked, "smpp", SmppSettings(states=EXPLAINED)), Receipt)


def test_there_are_enough_forms_and_each_has_a_name():
    names = [case.name for case in load_receipts()]
    assert len(set(names)) == len(names) > 80


@pytest.mark.parametrize(
    ("deliver_sm", "reason"),
    [
        (make_deliver_sm(b"stat:DELIVRD err:000"), Reason.NO_ID),
        (make_deliver_sm(b"id:12345"), Reason.NO_STATE),
        (make_deliver_sm(b"STOP", esm_class=0, source=""), Reason.NO_SOURCE),
        (make_deliver_sm(b"", esm_class=0x18), Reason.OTHER_KIND),
    ],
)
def test_what_is_not_recognized_is_kept_with_the_reason(deliver_sm: DeliverSm, reason: Reason):
    assert read_deliver_sm(deliver_sm, "smpp", SmppSettings()) == Unrecognized(reason, deliver_sm)


@given(OCTETS, MARKED_AND_NOT, st.integers(0, 255), OPTIONAL, st.sampled_from(Ids), st.integers(-720, 840))
def test_nothing_that_comes_is_an_error(octets, esm_class, data_coding, optional, ids, offset_min):
    deliver_sm = DeliverSm(esm_class, data_coding, octets, "4915", "12345", ARRIVED_AT, optional)
    said = read_deliver_sm(deliver_sm, "smpp", SmppSettings(ids=ids, receipt_offset_min=offset_min))
    if isinstance(said, Receipt):
        assert said.gateway_message_id
        assert said.receipt_state
        assert find_control(said.gateway_message_id + said.receipt_state + said.error_code) is None
        assert said.done_at.tzinfo is UTC
    if isinstance(said, ReplyPart):
        text = join_text([said.fragment])
        assert len(text) <= len(deliver_sm.octets)
        assert "\0" not in text


@given(st.sampled_from(load_receipts()), st.integers(0, 300), st.binary(max_size=3))
def test_a_receipt_cut_or_broken_anywhere_is_no_error(case: ReceiptCase, at: int, noise: bytes):
    octets = case.deliver_sm.octets
    for broken in (octets[:at], octets[:at] + noise + octets[at + 1 :]):
        deliver_sm = make_deliver_sm(broken, case.esm_class, case.deliver_sm.optional)
        assert isinstance(read_deliver_sm(deliver_sm, "smpp", case.settings), tuple(KINDS.values()))


LONG = 100_000


@pytest.mark.parametrize(
    "octets",
    [
        b"id:1 stat:DELIVRD err:000 text:" + b"x" * LONG,
        b"id:1 stat:DELIVRD err:000 " + b"id:" * (LONG // 3),
        b"id:1 stat:DELIVRD" + b" " * LONG,
        b"id:1 stat:DELIVRD done date:" + b"9" * LONG,
        b"id:1 stat:DELIVRD err:" + b"0" * LONG,
    ],
)
def test_a_receipt_of_100_kb_says_what_its_beginning_says(octets: bytes):
    said = read_deliver_sm(make_deliver_sm(octets), "smpp", SmppSettings())
    assert isinstance(said, Receipt)
    assert (said.gateway_message_id, said.receipt_state, said.done_at) == ("1", "DELIVRD", ARRIVED_AT)


def test_what_begins_after_four_thousand_octets_is_not_looked_for():
    deliver_sm = make_deliver_sm(b" " * 4_096 + b"id:1 stat:DELIVRD err:000")
    assert read_deliver_sm(deliver_sm, "smpp", SmppSettings()) == Unrecognized(Reason.NO_ID, deliver_sm)


@pytest.mark.parametrize("digits", ["0" * LONG, "9" * LONG, "f" * LONG])
@pytest.mark.parametrize("ids", Ids)
def test_an_id_of_100_kb_is_one_like_any_other(ids: Ids, digits: str):
    deliver_sm = make_deliver_sm(b"stat:DELIVRD", optional={RECEIPTED_MESSAGE_ID: digits.encode()})
    said = read_deliver_sm(deliver_sm, "smpp", SmppSettings(ids=ids))
    assert isinstance(said, Receipt)
    assert 0 < len(said.gateway_message_id) <= 64
