from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.imports.cdr_guessing import find_status
from core.domain.messages.messages import DeliveryStatus, Receipt
from core.domain.messages.receipts import (
    RECEIPT_STATES,
    STATUS_BY_WORD,
    Effect,
    Settled,
    is_final,
    is_known_state,
    judge,
    merge,
    parse_receipt_state,
    settle,
)

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SETTLED = st.builds(
    Settled,
    st.sampled_from(DeliveryStatus),
    st.sampled_from(["", "001", "27", "3"]),
    st.one_of(st.none(), st.integers(-3, 3).map(lambda minutes: NOON + timedelta(minutes=minutes))),
)
RECEIPTS = st.builds(
    Receipt,
    gateway=st.just("simulator"),
    gateway_message_id=st.just("theirs-1"),
    receipt_state=st.sampled_from(["DELIVRD", "delivered ", "UNDELIV", "EXPIRED", "ENROUTE", "ACCEPTD", "BUFFRD", ""]),
    error_code=st.sampled_from(["", "000", "27", "3"]),
    done_at=st.integers(-3, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)


def receipt(state: str, minutes: int = 0, error_code: str = "") -> Receipt:
    return Receipt("simulator", "theirs-1", state, error_code, NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("ENROUTE", DeliveryStatus.SUBMITTED),
        ("DELIVRD", DeliveryStatus.DELIVERED),
        ("EXPIRED", DeliveryStatus.UNDELIVERED),
        ("DELETED", DeliveryStatus.UNDELIVERED),
        ("UNDELIV", DeliveryStatus.UNDELIVERED),
        ("ACCEPTD", DeliveryStatus.SUBMITTED),
        ("UNKNOWN", DeliveryStatus.UNDELIVERED),
        ("REJECTD", DeliveryStatus.UNDELIVERED),
        ("SCHEDULED", DeliveryStatus.SUBMITTED),
        ("SKIPPED", DeliveryStatus.UNDELIVERED),
        ("DELIVERED", DeliveryStatus.DELIVERED),
        ("UNDELIVERABLE", DeliveryStatus.UNDELIVERED),
        (" delivrd ", DeliveryStatus.DELIVERED),
        ("Undeliv", DeliveryStatus.UNDELIVERED),
    ],
)
def test_states_of_the_standard(state: str, status: DeliveryStatus):
    assert parse_receipt_state(state) is status


@pytest.mark.parametrize("state", ["", "DELIVERED_TO_OPERATOR", "2", "DELI"])
def test_a_word_that_nobody_knows_proves_nothing(state: str):
    assert parse_receipt_state(state) is DeliveryStatus.SUBMITTED


@pytest.mark.parametrize("state", ["FAILED", "failed", "Undelivered", "BARRED", "NOCRED", "SYSERR"])
def test_a_vendors_word_for_the_end_is_one(state: str):
    assert parse_receipt_state(state) is DeliveryStatus.UNDELIVERED
    assert is_known_state(state)


@pytest.mark.parametrize("state", ["ACKED", "BUFFRED", "BUFFERED"])
def test_a_vendors_word_for_being_on_the_way_ends_nothing(state: str):
    assert parse_receipt_state(state) is DeliveryStatus.SUBMITTED
    assert is_known_state(state)


@pytest.mark.parametrize("word", STATUS_BY_WORD)
def test_a_receipt_and_a_file_of_the_same_provider_say_the_same(word: str):
    assert find_status(word) is parse_receipt_state(word)


def test_message_states_are_numbered_through():
    assert [state.message_state for state in RECEIPT_STATES] == list(range(10))


def test_final_states():
    assert {status for status in DeliveryStatus if is_final(status)} == {
        DeliveryStatus.DELIVERED,
        DeliveryStatus.UNDELIVERED,
    }


@given(SETTLED, SETTLED)
def test_order_does_not_matter(a: Settled, b: Settled):
    assert merge(a, b) == merge(b, a)


@given(SETTLED, SETTLED, SETTLED)
def test_batching_does_not_matter(a: Settled, b: Settled, c: Settled):
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(SETTLED, SETTLED)
def test_repetition_does_not_matter(a: Settled, b: Settled):
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@given(st.lists(SETTLED, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_receipts_in_any_order_end_in_one_state(receipts: list[Settled], chance):
    shuffled = [*receipts, *receipts]
    chance.shuffle(shuffled)
    assert reduce(merge, shuffled) == reduce(merge, receipts)


@given(SETTLED, SETTLED)
def test_a_final_state_never_goes_back(a: Settled, b: Settled):
    merged = merge(a, b)
    if is_final(a.status):
        assert is_final(merged.status)
    if a.status is DeliveryStatus.DELIVERED:
        assert merged.status is DeliveryStatus.DELIVERED


def test_late_receipt_does_not_reopen_a_delivered_message():
    delivered = Settled(DeliveryStatus.DELIVERED, "", NOON)
    for late in (Settled(DeliveryStatus.SUBMITTED), Settled(DeliveryStatus.UNDELIVERED, "27", NOON)):
        assert merge(delivered, late) == delivered


def test_of_two_deliveries_the_earlier_time_is_kept():
    later = Settled(DeliveryStatus.DELIVERED, "", NOON + timedelta(seconds=1))
    assert merge(later, Settled(DeliveryStatus.DELIVERED, "", NOON)).delivered_at == NOON


def test_something_known_is_kept_before_nothing():
    nothing = Settled(DeliveryStatus.UNDELIVERED)
    known = Settled(DeliveryStatus.UNDELIVERED, "27", NOON)
    assert merge(nothing, known) == known


def test_a_word_is_known_in_any_case():
    assert is_known_state(" delivrd ")
    assert not is_known_state("BUFFRD")


@given(st.lists(RECEIPTS, max_size=8))
def test_receipts_that_count_are_all_that_is_known(receipts: list[Receipt]):
    nothing = Settled(DeliveryStatus.SUBMITTED)
    effects = list(judge(receipts))
    counted = [settle(each) for each, effect in zip(receipts, effects, strict=True) if effect.counts]
    assert reduce(merge, counted, nothing) == reduce(merge, map(settle, receipts), nothing)


@given(st.lists(RECEIPTS, min_size=1, max_size=6))
def test_receipts_that_come_again_count_for_nothing(receipts: list[Receipt]):
    effects = list(judge([*receipts, *receipts]))[len(receipts) :]
    assert set(effects) == {Effect.REPEATED}


@pytest.mark.parametrize(
    ("receipts", "effects"),
    [
        ([receipt("ENROUTE"), receipt("DELIVRD", 1)], [Effect.ON_THE_WAY, Effect.CHANGED]),
        ([receipt("DELIVRD"), receipt("ACCEPTD")], [Effect.CHANGED, Effect.OUT_OF_ORDER]),
        ([receipt("DELIVRD"), receipt("DELIVRD", 1)], [Effect.CHANGED, Effect.REPEATED]),
        ([receipt("DELIVRD", 1), receipt("DELIVRD")], [Effect.CHANGED, Effect.REFINED]),
        ([receipt("DELIVRD"), receipt("UNDELIV", 1, "27")], [Effect.CHANGED, Effect.LATE]),
        ([receipt("UNDELIV", 0, "27"), receipt("DELIVRD", 1)], [Effect.CHANGED, Effect.CHANGED]),
        ([receipt("UNDELIV", 0, "27"), receipt("EXPIRED", 1, "32")], [Effect.CHANGED, Effect.LATE]),
        ([receipt("BUFFRD"), receipt("BUFFRD", 1)], [Effect.ON_THE_WAY, Effect.REPEATED]),
    ],
)
def test_what_a_receipt_did(receipts: list[Receipt], effects: list[Effect]):
    assert list(judge(receipts)) == effects
