"""A provider that gives no answers is asked ever less often, and at once after somebody has tried it."""

import pytest

from core.errors import Unavailable
from core.gateways.breaker import FEWEST, PAUSE_FIRST_S, Breaker


class Steady:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_test_that_went_well_ends_the_pause():
    steady = Steady()
    breaker = Breaker("berlin", FEWEST, "No answers.", steady)
    for _ in range(FEWEST):
        breaker.leave(is_known=False)
    for _ in range(5):
        steady.now_s += 1_000
        assert breaker.enter()
        breaker.leave(is_known=False)
    steady.now_s += PAUSE_FIRST_S
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker.try_now()
    # One message tries it, the others wait; and the pauses begin anew.
    assert breaker.enter()
    with pytest.raises(Unavailable):
        breaker.enter()
    steady.now_s += PAUSE_FIRST_S
    assert breaker.enter()
