"""What a process learns from messages that were late."""

from collections.abc import Sequence

import pytest

from core.services.sending.punctuality import LOOK_S, PATIENCE_LEAST, Punctuality
from tests.contract.gateways.gateway_contract import make_outbound

WINDOW = [make_outbound(number) for number in range(100)]
BEGINNING = (0, PATIENCE_LEAST)


class Watch:
    """A clock that goes on when told to."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def process(watch: Watch) -> Punctuality:
    return Punctuality(watch)


def late(*numbers: int) -> set[str]:
    return {WINDOW[number].message_id for number in numbers}


def note(process: Punctuality, watch: Watch, numbers: Sequence[int], seconds: float = LOOK_S) -> tuple[int, int]:
    watch.now_s += seconds
    process.note(WINDOW, late(*numbers))
    return process.needs()


def test_a_few_late_ones_cost_less_than_patience_for_all(process: Punctuality, watch: Watch):
    assert note(process, watch, range(5)) == BEGINNING
    assert note(process, watch, range(6)) != BEGINNING


def test_the_share_of_late_ones_is_looked_at_now_and_then(process: Punctuality, watch: Watch):
    assert note(process, watch, range(10), seconds=LOOK_S / 2) == BEGINNING
    # Ten of two hundred are few.
    assert note(process, watch, (), seconds=LOOK_S / 2) == BEGINNING
