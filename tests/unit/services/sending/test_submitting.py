"""A thread's turn with one campaign, without a store: nobody is asked within its first second."""

from datetime import timedelta
from threading import Event
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
