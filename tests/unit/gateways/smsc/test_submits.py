import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smpp.pdu import Command, Frames, Pdu, pdu
from core.gateways.smsc.submits import ALL, FAILURES_ONLY, NONE, Part, Refused, Submit, digest_of, read_submit
from tests.support.fakes.esme import encoded

UDHI = 0x40
REFERENCE, TOTAL, NUMBER, PAYLOAD = 0x020C, 0x020E, 0x020F, 0x0424


def read(text: bytes = b"Hello", msisdn: str = "491796000001", **facts: object) -> Submit:
    return read_submit(Frames().feed(encoded(msisdn, text, 1, **facts))[0])


@pytest.mark.parametrize("msisdn", ["491796000001", "+491796000001"])
def test_the_receiver_has_its_plus(msisdn: str):
    assert read(msisdn=msisdn).msisdn == "+491796000001"


@given(
    st.binary(max_size=100),
    st.integers(0, 255),
    st.lists(st.tuples(st.integers(0x10, 0x6F), st.binary(max_size=8)), max_size=3),
    st.integers(2, 255).flatmap(lambda total: st.tuples(st.just(total), st.integers(1, total))),
)
def test_a_part_is_found_among_whatever_else_a_header_has(
    text: bytes, reference: int, others: list[tuple[int, bytes]], parts: tuple[int, int]
):
    elements = [bytes((kind, len(value))) + value for kind, value in others]
    elements.append(bytes((0, 3, reference, *parts)))
    header = b"".join(elements)
    found = read(bytes((len(header),)) + header + text, esm_class=UDHI)
    assert (found.octets, found.part) == (text, Part(reference, *parts))


def read_or_status(frame: Pdu) -> Submit | int:
    try:
        return read_submit(frame)
    except Refused as refused:
        return refused.status


@given(st.binary(max_size=60))
def test_any_header_is_read_or_refused(octets: bytes):
    found = read_or_status(Frames().feed(encoded("491796000001", octets, 1, esm_class=UDHI))[0])
    assert octets.endswith(found.octets) if isinstance(found, Submit) else found == 0x01


@given(st.binary(max_size=120))
def test_any_body_is_read_or_refused(body: bytes):
    found = read_or_status(Frames().feed(pdu(Command.SUBMIT_SM, 1, body))[0])
    assert isinstance(found, Submit) or found > 0


def test_a_wide_reference_is_read_whole():
    assert read(b"\x06\x08\x04\x01\x02\x03\x02x", esm_class=UDHI).part == Part(0x0102, 3, 2)


@pytest.mark.parametrize("parts", [(0, 0), (0, 1), (2, 0), (2, 3), (1, 1)])
def test_a_part_that_makes_no_sense_is_a_text_of_its_own(parts: tuple[int, int]):
    assert read(b"\x05\x00\x03\x07" + bytes(parts) + b"x", esm_class=UDHI).part is None
    values = [(REFERENCE, b"\0\7"), (TOTAL, bytes((parts[0],))), (NUMBER, bytes((parts[1],)))]
    assert read(tlvs=[smpp34.Tlv(*each) for each in values]).part is None


def test_a_text_in_the_payload_is_the_text():
    found = read(b"", tlvs=[smpp34.Tlv(PAYLOAD, b"x" * 1_000)])
    assert (found.octets, found.segment_count) == (b"x" * 1_000, 7)


@pytest.mark.parametrize(
    ("length", "data_coding", "segment_count"),
    [
        (160, 0, 1),
        (161, 0, 2),
        (306, 0, 2),
        (307, 0, 3),
        (140, 8, 1),
        (142, 8, 2),
        (268, 8, 2),
        (270, 8, 3),
        (141, 4, 2),
    ],
)
def test_segments_are_counted_by_what_fits(length: int, data_coding: int, segment_count: int):
    found = read(b"", data_coding=data_coding, tlvs=[smpp34.Tlv(PAYLOAD, b"x" * length)])
    assert found.segment_count == segment_count


@pytest.mark.parametrize(
    ("registered_delivery", "wanted"), [(0, NONE), (1, ALL), (2, FAILURES_ONLY), (3, ALL), (0x11, ALL), (0x10, NONE)]
)
def test_receipts_are_as_they_are_asked_for(registered_delivery: int, wanted: int):
    assert read(registered_delivery=registered_delivery).receipt == wanted


def test_a_digest_is_that_of_receiver_and_text():
    assert digest_of("+491", b"a") == digest_of("+491", b"a")
    assert (
        len({digest_of("+491", b"a"), digest_of("+492", b"a"), digest_of("+491", b"b"), digest_of("+49", b"1a")}) == 4
    )
