"""A thread's turn with one campaign, without a store: nobody is asked within its first second."""

from contextlib import suppress
from datetime import timedelta
from threading import Event
from types import SimpleNamespace
from typing import cast

from core.services.sending.batches import SendingTools
from core.services.sending.submitting import Slice
from tests.support.application.factories import NOW
from tests.support.fakes.clock import StoppedClock

NOBODY = cast(SendingTools, None)


def test_a_turn_that_began_in_time_to_come_is_over():
    clock = StoppedClock(NOW)
    turn = Slice(NOBODY, "campaign-1", clock, Event())
    assert not turn.is_over()
    clock.now -= timedelta(minutes=5)
    assert turn.is_over()


def test_a_turn_is_over_at_once_when_the_worker_stops():
    stop = Event()
    turn = Slice(NOBODY, "campaign-1", StoppedClock(NOW), stop)
    stop.set()
    assert turn.is_over()


def test_whether_others_wait_is_asked_after_a_second_and_then_ten_times_a_second():
    clock = StoppedClock(NOW)
    asked = []

    class State:
        def read(self) -> None:
            asked.append(clock.now - NOW)
            raise LookupError

    turn = Slice(cast(SendingTools, SimpleNamespace(state=State())), "campaign-1", clock, Event())
    for passed_ms in (0, 990, 1_000, 1_004, 1_099, 1_100, 1_150, 1_200):
        clock.now = NOW + timedelta(milliseconds=passed_ms)
        with suppress(LookupError):
            turn.is_over()
    assert asked == [timedelta(milliseconds=passed_ms) for passed_ms in (1_000, 1_100, 1_200)]
