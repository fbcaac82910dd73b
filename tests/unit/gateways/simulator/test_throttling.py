from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigurationError
from core.gateways.simulator.throttling import MAX_CLOCK_SKEW_S, Bucket, take

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
RATES = st.one_of(st.floats(0.01, 2000), st.integers(1, 2000))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Call:
    """A call of `take`: how long after the one before, how wrong the caller's clock is, and what it wants."""

    pause_s: float
    skew_s: float
    wanted: int


CALLS = st.lists(
    st.builds(Call, st.floats(0, 3), st.one_of(st.just(0.0), st.floats(-20, 20)), st.integers(0, 3000)),
    min_size=1,
    max_size=15,
)


def test_a_full_bucket_grants_one_second_of_rate():
    bucket, granted, wait_s = take(Bucket(1000.0, NOON), 100, 30, NOON)
    assert (granted, bucket.tokens, wait_s) == (30, 0.0, pytest.approx(1 / 30, abs=1e-6))


def test_what_is_not_wanted_stays():
    bucket, granted, wait_s = take(Bucket(30.0, NOON), 10, 30, NOON)
    assert (bucket, granted, wait_s) == (Bucket(20.0, NOON), 10, 0.0)


def test_asking_for_nothing_tells_how_long_to_wait():
    assert take(Bucket(0.0, NOON), 0, 0.5, NOON)[1:] == (0, 2.0)


def test_tokens_come_with_time_up_to_the_capacity():
    empty = Bucket(0.0, NOON)
    assert take(empty, 100, 10, after(0.55))[1] == 5
    assert take(empty, 100, 10, after(3600))[1] == 10
    assert take(empty, 100, 10, after(3600), capacity=40)[1] == 40


def test_a_slow_rate_still_saves_up_a_whole_token():
    assert take(Bucket(0.0, NOON), 5, 0.1, after(60))[1] == 1


def test_a_fraction_is_kept_for_the_next_call():
    bucket = Bucket(0.0, NOON)
    granted = []
    for tenth in range(1, 21):
        bucket, count, _ = take(bucket, 1, 3, after(tenth / 10))
        granted.append(count)
    assert sum(granted) == 6


def test_a_lower_rate_takes_effect_at_once():
    assert take(Bucket(500.0, NOON), 500, 2, NOON)[1] == 2


def test_a_clock_that_goes_backwards_mints_nothing():
    bucket, _, _ = take(Bucket(10.0, NOON), 10, 10, NOON)
    bucket, granted, wait_s = take(bucket, 10, 10, after(-5))
    assert (granted, wait_s) == (0, pytest.approx(5.1))
    # Nor does its way back to where it was.
    assert take(bucket, 10, 10, NOON)[1] == 0
    assert take(bucket, 10, 10, after(0.5))[1] == 5


def test_a_clock_set_back_for_good_does_not_block_the_account():
    bucket, granted, wait_s = take(Bucket(10.0, after(86_400)), 10, 10, NOON)
    assert (bucket, granted, wait_s) == (Bucket(0.0, NOON), 0, 0.1)
    assert take(bucket, 10, 10, after(0.1))[1] == 1


@given(RATES, CALLS)
def test_no_window_grants_more_than_the_capacity_and_its_time(rate_tps: float, calls: list[Call]):
    bucket = Bucket(1e9, after(-100))
    true_times = list(accumulate(call.pause_s for call in calls))
    grants = []
    for time_s, call in zip(true_times, calls, strict=True):
        # The clocks of several workers: each reading may be off, and so go backwards.
        bucket, granted, _ = take(bucket, call.wanted, rate_tps, after(time_s + call.skew_s))
        assert 0 <= granted <= call.wanted
        grants.append(granted)
    skews = [call.skew_s for call in calls]
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            # What the clocks disagree about may be minted once, never once per call.
            window_s = true_times[last] - true_times[first] + max(skews) - min(skews)
            assert sum(grants[first : last + 1]) <= max(1, rate_tps) + rate_tps * window_s + 1e-3


@given(RATES, CALLS)
def test_no_window_of_one_true_clock_grants_more(rate_tps: float, calls: list[Call]):
    bucket = Bucket(1e9, NOON)
    time_s = 0.0
    times, grants = [], []
    for call in calls:
        time_s += call.pause_s
        bucket, granted, _ = take(bucket, call.wanted, rate_tps, after(time_s))
        times.append(time_s)
        grants.append(granted)
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            limit = max(1, rate_tps) + rate_tps * (times[last] - times[first])
            assert sum(grants[first : last + 1]) <= limit + 0.01


@given(RATES, st.floats(0, 0.999), st.floats(-MAX_CLOCK_SKEW_S, 5))
def test_after_the_wait_there_is_a_token(rate_tps: float, tokens: float, elapsed_s: float):
    now = after(elapsed_s)
    bucket, _, wait_s = take(Bucket(tokens, NOON), 2000, rate_tps, now)
    _, granted, wait_again_s = take(bucket, 1, rate_tps, now + timedelta(seconds=wait_s))
    assert granted == 1, wait_again_s


@given(RATES, st.floats(0, 0.9))
def test_before_the_wait_is_over_there_is_none(rate_tps: float, share: float):
    bucket, granted, wait_s = take(Bucket(0.0, NOON), 1, rate_tps, NOON)
    assert granted == 0
    assert take(bucket, 1, rate_tps, after(wait_s * share))[1] == (1 if wait_s * share * rate_tps >= 1 - 1e-6 else 0)


@pytest.mark.parametrize("rate_tps", [0, -1, float("nan"), float("inf")])
def test_there_is_no_unlimited_rate(rate_tps: float):
    with pytest.raises(ConfigurationError):
        take(Bucket(1.0, NOON), 1, rate_tps, NOON)


@pytest.mark.parametrize("capacity", [0, 0.9, float("nan"), float("inf")])
def test_a_capacity_below_one_token_would_never_send(capacity: float):
    with pytest.raises(ConfigurationError):
        take(Bucket(1.0, NOON), 1, 10, NOON, capacity=capacity)


def test_a_negative_wish_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="-1"):
        take(Bucket(1.0, NOON), -1, 10, NOON)
