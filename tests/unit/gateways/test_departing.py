"""Each message leaves at its moment, or is told to be late."""

import math
from dataclasses import dataclass

import pytest

from core.gateways.departing import AT_ONCE, DepartureSchedule
from tests.contract.gateways.gateway_contract import make_outbound

MESSAGES = tuple(make_outbound(number) for number in range(4))


@dataclass
class Watch:
    """A clock that goes on by sleeping, and oversleeps by so many seconds."""

    now_s: float = 100.0
    oversleeps_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        # Even the shortest sleep takes a moment.
        self.now_s += max(min(seconds, 1e-5), seconds + self.oversleeps_s)


def left(watch: Watch, *moments_s: float, patience_s: float = 0.01) -> list[tuple[list[int], float, bool]]:
    schedule = DepartureSchedule([100 + moment for moment in moments_s], patience_s, watch, watch.sleep)
    return [
        (
            [MESSAGES.index(message) for message in each.messages],
            round(watch.now_s - 100, 6),
            each.is_late(watch.now_s),
        )
        for each in schedule.depart(MESSAGES[: len(moments_s)])
    ]


def test_each_leaves_at_its_moment_and_those_of_one_moment_together():
    assert left(Watch(), 0.0, 0.0, 0.2, 0.5) == [([0, 1], 0.0, False), ([2], 0.2, False), ([3], 0.5, False)]


def test_moments_that_have_come_together_leave_together():
    assert left(Watch(now_s=100.008), 0.0, 0.005, 0.02) == [([0, 1], 0.008, False), ([2], 0.02, False)]


def test_who_is_late_is_told_apart_from_who_is_not():
    assert left(Watch(now_s=100.012), 0.0, 0.001, 0.005, 0.012) == [([0, 1], 0.012, True), ([2, 3], 0.012, False)]


def test_whoever_oversleeps_is_late():
    assert left(Watch(oversleeps_s=0.05), 0.1) == [([0], 0.15, True)]


def test_whoever_wakes_too_early_sleeps_again():
    assert left(Watch(oversleeps_s=-0.004), 0.1, 0.103) == [([0], 0.1, False), ([1], 0.103, False)]


def test_what_left_in_time_may_still_become_late():
    (departure,) = DepartureSchedule([100.0], 0.01, Watch(), Watch().sleep).depart(MESSAGES[:1])
    assert [departure.is_late(at_s) for at_s in (100.01, 100.02)] == [False, True]


@pytest.mark.parametrize("is_patient", [True, False])
def test_what_is_handed_over_again_waits_for_another_moment(is_patient: bool):
    # It wakes too early, and sleeps again.
    watch, booked = Watch(oversleeps_s=-0.004), list[tuple[int, bool]]()

    def book(segment_count: int, *, is_patient: bool) -> tuple[float, float]:
        booked.append((segment_count, is_patient))
        return 100.75, 0.25

    schedule = DepartureSchedule([99.0], 0.01, watch, watch.sleep).booked_by(book)
    assert schedule.wait_again(3, is_patient=is_patient) == 101.0
    assert (round(watch.now_s, 6), booked) == (100.75, [(3, is_patient)])


def test_what_gets_no_other_moment_must_not_leave_again():
    watch = Watch()
    assert DepartureSchedule([99.0], 0.01, watch, watch.sleep).wait_again(1) is None
    assert AT_ONCE.wait_again(1) == math.inf


def test_without_moments_all_leave_at_once_and_are_never_late():
    (departure,) = AT_ONCE.depart(MESSAGES)
    assert (departure.messages, departure.is_late(1e12)) == (MESSAGES, False)
