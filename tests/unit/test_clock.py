import math
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import core.clock
from core.clock import StoreClock, set_off
from core.errors import StorageError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Machine:
    """A machine's steady clock, and the store's time as it is told there."""

    def __init__(self) -> None:
        self.steady_s = 1_000.0
        self.store = NOON

    def tell(self) -> datetime:
        return self.store

    def pass_time(self, seconds: float) -> None:
        self.steady_s += seconds
        self.store += timedelta(seconds=seconds)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> StoreClock:
    made = StoreClock(machine.tell, lambda: machine.steady_s)
    made.set()
    return made


def test_it_is_the_store_s_time_whatever_the_machine_s_is(clock: StoreClock):
    assert clock() == NOON


def test_between_two_looks_it_goes_on_by_itself(machine: Machine, clock: StoreClock):
    machine.pass_time(3)
    assert clock() == NOON + timedelta(seconds=3)


def test_it_does_not_go_back_for_a_reading_that_came_late(machine: Machine, clock: StoreClock):
    machine.pass_time(3)
    before = clock()
    machine.store -= timedelta(milliseconds=400)
    assert clock.set() == clock() == before
    machine.pass_time(1)
    assert clock() == before + timedelta(milliseconds=600)


def test_a_store_s_clock_that_was_set_back_is_followed(
    machine: Machine, clock: StoreClock, caplog: pytest.LogCaptureFixture
):
    machine.store -= timedelta(hours=1)
    assert clock.set() == clock() == NOON - timedelta(hours=1)
    assert [record.getMessage() for record in caplog.records] == ["clock_set_back"]
    machine.pass_time(2)
    assert clock() == NOON - timedelta(hours=1) + timedelta(seconds=2)


def test_a_reading_counts_from_the_middle_of_its_way(machine: Machine):
    def slow() -> datetime:
        machine.pass_time(0.5)
        told = machine.store
        machine.pass_time(0.5)
        return told

    assert StoreClock(slow, lambda: machine.steady_s).set() == NOON + timedelta(seconds=1)


def test_a_slow_answer_does_not_undo_what_a_fast_one_said(machine: Machine, clock: StoreClock):
    def slow_on_its_way_back() -> datetime:
        told = machine.store
        machine.pass_time(0.5)
        return told

    clock._ask = slow_on_its_way_back
    assert clock.set() == clock() == machine.store


def test_what_was_wrong_is_put_right_as_far_as_a_slow_answer_proves_it(machine: Machine, clock: StoreClock):
    def slow() -> datetime:
        machine.pass_time(0.1)
        told = machine.store
        machine.pass_time(0.1)
        return told

    clock._ask = slow
    machine.store += timedelta(seconds=3)
    # It may have been told at the very end of its way.
    assert clock.set() == machine.store - timedelta(seconds=0.1)


def test_a_store_that_does_not_answer_stops_no_clock(machine: Machine, clock: StoreClock):
    def away() -> datetime:
        raise StorageError("The state store does not answer.")

    clock._ask = away
    with pytest.raises(StorageError):
        clock.set()
    machine.pass_time(2)
    assert clock() == NOON + timedelta(seconds=2)


def test_it_is_kept_though_the_store_does_not_answer_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(core.clock, "EVERY_S", 0)
    answers, stop = iter([StorageError("The state store does not answer."), NOON]), threading.Event()

    def tell() -> datetime:
        answer = next(answers)
        if isinstance(answer, StorageError):
            raise answer
        stop.set()
        return answer

    clock = StoreClock(tell, lambda: 1_000.0)
    clock.keep_set(stop)
    assert clock() == NOON
    assert "clock_not_set" in {record.getMessage() for record in caplog.records}


def test_a_file_says_by_how_much_the_clock_is_off(machine: Machine, tmp_path: Path):
    off = tmp_path / "clock"
    tell = set_off(machine.tell, off)
    for seconds in (3600, -3600, 0):
        off.write_text(str(seconds))
        assert tell() == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("content", [None, "", "an hour"])
def test_a_file_that_says_nothing_is_an_error_in_words(machine: Machine, tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "clock").write_text(content)
    with pytest.raises(StorageError, match="does not say") as caught:
        set_off(machine.tell, tmp_path / "clock")()
    assert "HELIOGRAPH_CLOCK_FILE" in caught.value.hint


def test_it_tells_since_when_it_knows_that_the_store_s_clock_was_set(machine: Machine, clock: StoreClock):
    assert clock.read_stepped_s() == math.inf
    for off_s in (0.7, -7_200, 7_200):
        machine.store += timedelta(seconds=off_s)
        clock.set()
        machine.pass_time(2)
        assert clock.read_stepped_s() == pytest.approx(2)


def test_a_reading_that_was_long_on_its_way_does_not_pass_for_a_clock_that_was_set(machine: Machine):
    way = [0.3, 0.0]

    def tell() -> datetime:
        machine.pass_time(way[0])
        told = machine.store
        machine.pass_time(way[1])
        return told

    clock = StoreClock(tell, lambda: machine.steady_s)
    for way[:] in ([0.0, 0.0], [0.0, 0.3], [0.3, 0.0], [0.3, 0.3], [0.0, 0.0]):
        clock.set()
    assert clock.read_stepped_s() == math.inf
