import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smpp.messages.ids import store_receipt_id, store_response_id
from core.gateways.smpp.settings import Ids

NUMBERS = st.integers(0, 2**64 - 1)
PADDINGS = st.integers(0, 20)


@pytest.mark.parametrize(
    ("ids", "response", "receipt"),
    [
        (Ids.AS_THEY_ARE, "1000001", "1000001"),
        (Ids.AS_THEY_ARE, "12345678", "0000000012345678"),
        (Ids.AS_THEY_ARE, "00B8BE19", "B8BE19"),
        (Ids.AS_THEY_ARE, "7d093bfa-4d65-4757", " 7d093bfa-4d65-4757\0"),
        (Ids.ANY_CASE, "SAR-1eedf843-2-1", "SAR-1EEDF843-2-1"),
        (Ids.ANY_CASE, "00b8be19", "B8BE19"),
        (Ids.RESPONSE_HEX, "F4241", "1000001"),
        (Ids.RESPONSE_HEX, "000f4241", "0001000001"),
        (Ids.RESPONSE_HEX, "0x000F4241", "1000001"),
        (Ids.RESPONSE_HEX, "10C8F40D", "281605133"),
        # A receipt that has the response's form for once.
        (Ids.RESPONSE_HEX, "1d305b4c", "1D305B4C"),
        (Ids.RECEIPT_HEX, "1000001", "000F4241"),
        (Ids.RECEIPT_HEX, "0000000017", "11"),
        (Ids.RECEIPT_HEX, "18446744073709551615", "FFFFFFFFFFFFFFFF"),
    ],
)
def test_both_forms_of_an_id_are_stored_alike(ids: Ids, response: str, receipt: str):
    assert store_response_id(response, ids) == store_receipt_id(receipt, ids)


@pytest.mark.parametrize(
    ("ids", "one", "other"),
    [
        (Ids.AS_THEY_ARE, "aB9z", "ab9z"),
        (Ids.AS_THEY_ARE, "10", "1"),
        (Ids.AS_THEY_ARE, "0-1", "-1"),
        (Ids.ANY_CASE, "ab", "ba"),
        (Ids.RESPONSE_HEX, "10", "10"),
        (Ids.RECEIPT_HEX, "10", "10"),
    ],
)
def test_ids_of_two_messages_stay_two(ids: Ids, one: str, other: str):
    assert store_response_id(one, ids) != store_receipt_id(other, ids)


@given(NUMBERS, PADDINGS, PADDINGS, st.booleans())
def test_a_number_is_found_by_its_other_form(number: int, zeros: int, more_zeros: int, upper: bool):
    decimal, as_hex = "0" * zeros + str(number), "0" * more_zeros + format(number, "X" if upper else "x")
    assert store_response_id(as_hex, Ids.RESPONSE_HEX) == store_receipt_id(decimal, Ids.RESPONSE_HEX) == str(number)
    assert store_response_id(decimal, Ids.RECEIPT_HEX) == store_receipt_id(as_hex, Ids.RECEIPT_HEX) == str(number)


@given(st.text(), st.sampled_from(Ids))
def test_an_id_that_is_no_number_stays_and_is_stored_alike_again(text: str, ids: Ids):
    for store in (store_response_id, store_receipt_id):
        stored = store(text, ids)
        if not set(text.strip(" \t\r\n\0").lower()) <= set("0123456789abcdefx"):
            assert store(stored, ids) == stored
            assert ids is Ids.ANY_CASE or stored == text.strip(" \t\r\n\0")


@pytest.mark.parametrize("text", ["", "\0", " ", "0x", "٣", "9" * 65, "f" * 100_000, "-5", "1e5g"])
@pytest.mark.parametrize("ids", Ids)
def test_anything_has_a_stored_form(ids: Ids, text: str):
    assert store_receipt_id(text, ids) == store_response_id(text, ids) == text.strip(" \t\r\n\0")


def test_zero_is_an_id():
    assert store_receipt_id("0000", Ids.AS_THEY_ARE) == store_receipt_id("0000", Ids.RESPONSE_HEX) == "0"
