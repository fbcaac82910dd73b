"""Who computes when."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.errors import StorageError
from core.turns import OneForAll, Turns, away, elsewhere, held
from tests.support.processes.waiting import wait_until as wait_for


class Runs:
    """Threads that take a turn each, in the order they were started, and what they did."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.began: list[str] = []
        self.threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[], object]) -> None:
        def run() -> None:
            with self._turns.take():
                self.began.append(name)
                work()

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


@contextmanager
def runs(turns: Turns) -> Iterator[Runs]:
    made = Runs(turns)
    yield made
    made.join()


def asleep(turns: Turns, count: int) -> Callable[[], bool]:
    return lambda: len(turns._waiting) == count


PATIENT = 60.0


def wait_until(condition: Callable[[], bool]) -> None:
    wait_for(condition, "the threads are there", pause_s=0.001)


def test_one_computes_at_a_time_and_the_first_comes_first():
    turns, end = Turns(patience_s=PATIENT), threading.Event()
    with runs(turns) as made:
        made.start("first", lambda: end.wait(10))
        wait_until(lambda: made.began == ["first"])
        for place, name in enumerate(("second", "third")):
            made.start(name, lambda: None)
            wait_until(asleep(turns, place + 1))
        assert made.began == ["first"]
        end.set()
    assert made.began == ["first", "second", "third"]


def test_who_waits_for_a_store_lets_the_next_begin_and_goes_on_at_once():
    turns, answered, end = Turns(patience_s=PATIENT), threading.Event(), threading.Event()
    back = threading.Event()

    def ask() -> None:
        with elsewhere():
            answered.wait(10)
        back.set()

    with runs(turns) as made:
        made.start("asks", ask)
        wait_until(lambda: made.began == ["asks"])
        made.start("computes", lambda: end.wait(10))
        wait_until(lambda: made.began == ["asks", "computes"])
        answered.set()
        # Not held up by the one that computes, which might wait for something of its.
        assert back.wait(10)
        end.set()


def test_no_more_are_under_way_than_may():
    turns, answered = Turns(most=2, patience_s=PATIENT), threading.Event()

    def ask() -> None:
        with elsewhere():
            answered.wait(10)

    with runs(turns) as made:
        for count in (1, 2):
            made.start("asks", ask)
            wait_until(lambda count=count: len(made.began) == count)
        made.start("third", ask)
        wait_until(asleep(turns, 1))
        assert len(made.began) == 2
        answered.set()
    assert len(made.began) == 3


def test_one_that_never_ends_holds_up_the_others_only_for_a_while():
    turns, end = Turns(patience_s=0.02), threading.Event()
    with runs(turns) as made:
        made.start("sleeps", lambda: end.wait(10))
        wait_until(lambda: made.began == ["sleeps"])
        made.start("second", lambda: None)
        wait_until(lambda: made.began == ["sleeps", "second"])
        # It is not by its end that the second could begin.
        assert made.threads[0].is_alive()
        end.set()


def test_one_that_never_ends_holds_up_each_of_the_others_but_once_in_all():
    # As it was: each of the others waited for its own while, so that one slow file made a hundred people wait.
    patience_s, end = 0.3, threading.Event()
    turns, began_s = Turns(patience_s=patience_s), time.monotonic()
    with runs(turns) as made:
        made.start("sleeps", lambda: end.wait(30))
        wait_until(lambda: made.began == ["sleeps"])
        for _ in range(20):
            made.start("page", lambda: None)
        wait_until(lambda: len(made.began) == 21)
        assert time.monotonic() - began_s < 10 * patience_s
        end.set()


def test_whoever_comes_back_after_a_long_time_is_counted_again():
    turns, slow, end = Turns(patience_s=0.05), threading.Event(), threading.Event()

    def work() -> None:
        slow.wait(10)
        with elsewhere():
            pass
        turns._patience_s = PATIENT
        end.wait(10)

    with runs(turns) as made:
        made.start("works", work)
        made.start("second", lambda: None)
        wait_until(lambda: made.began == ["works", "second"])
        slow.set()
        wait_until(lambda: turns._patience_s == PATIENT)
        made.start("third", lambda: None)
        wait_until(asleep(turns, 1))
        end.set()
    assert made.began == ["works", "second", "third"]


def test_who_is_away_is_not_under_way():
    turns, back = Turns(most=1, patience_s=PATIENT), threading.Event()
    in_time: list[bool] = []

    def wait() -> None:
        with away():
            in_time.append(back.wait(10))

    with runs(turns) as made:
        for count in (1, 2, 3):
            made.start("waits", wait)
            wait_until(lambda count=count: len(made.began) == count)
        back.set()
    assert in_time == [True] * 3


def test_a_turn_within_a_turn_is_the_same_one():
    # A second one would be let in after a while, and counted.
    turns = Turns(patience_s=0.02)
    with turns.take():
        with turns.take():
            assert len(turns._under_way) == 1
        assert len(turns._under_way) == 1
    assert not turns._under_way


def test_a_turn_ends_with_an_error_too():
    turns = Turns(patience_s=PATIENT)
    with pytest.raises(ValueError, match="of the page"), turns.take():
        raise ValueError("of the page")
    with pytest.raises(ValueError, match="of the store"), turns.take(), elsewhere():
        raise ValueError("of the store")
    with turns.take():
        pass


def test_without_a_turn_nothing_is_given_back():
    with elsewhere():
        pass


def test_those_who_wait_for_a_store_that_is_away_hold_up_nobody_who_needs_it_not():
    turns, answered = Turns(most=2, patience_s=0.02), threading.Event()

    def ask() -> None:
        with elsewhere():
            answered.wait(10)

    with runs(turns) as made:
        for count in range(1, 9):
            made.start("asks", ask)
            wait_until(lambda count=count: len(made.began) == count)
        assert len(turns._under_way) == 8
        # None of them is waited for any more: one after the other has a turn at once, and not after a while each.
        turns._patience_s = PATIENT
        for turn in turns._under_way:
            turn.since_s -= 2 * PATIENT
        for number in range(20):
            made.start(f"another {number}", lambda: None)
        wait_until(lambda: len(made.began) == 28)
        wait_until(lambda: all(turn.is_away for turn in turns._under_way))
        assert len(turns._under_way) == 8
        answered.set()


def test_who_comes_back_after_long_is_counted_again():
    turns, answered, end = Turns(patience_s=PATIENT), threading.Event(), threading.Event()
    back = threading.Event()

    def ask() -> None:
        with elsewhere():
            answered.wait(10)
        back.set()
        end.wait(10)

    with runs(turns) as made:
        made.start("asks", ask)
        wait_until(lambda: made.began == ["asks"])
        (turn,) = turns._under_way
        wait_until(lambda: turn.is_away)
        turn.since_s -= 2 * PATIENT
        answered.set()
        assert back.wait(10)
        made.start("next", lambda: None)
        wait_until(asleep(turns, 1))
        assert made.began == ["asks"]
        end.set()
    assert made.began == ["asks", "next"]


def test_waiting_within_waiting_gives_back_one_turn():
    turns, end = Turns(patience_s=PATIENT), threading.Event()

    def ask() -> None:
        with elsewhere():
            with elsewhere():
                pass
            end.wait(10)

    with runs(turns) as made:
        made.start("asks", ask)
        made.start("second", lambda: end.wait(10))
        wait_until(lambda: made.began == ["asks", "second"])
        made.start("third", lambda: None)
        wait_until(asleep(turns, 1))
        assert made.began == ["asks", "second"]
        assert len(turns._under_way) == 2
        end.set()


def test_who_waits_for_a_lock_lets_the_next_begin():
    turns, lock, end = Turns(patience_s=PATIENT), threading.Lock(), threading.Event()

    def wait() -> None:
        with held(lock) as waited:
            assert waited

    with runs(turns) as made, lock:
        made.start("waits", wait)
        made.start("next", end.set)
        assert end.wait(10)
    assert made.began == ["waits", "next"]


def refuse() -> None:
    raise StorageError("It is away.", hint="Wait.") from OSError("refused")


def test_whoever_waits_hears_what_the_store_said_to_the_one_before():
    one, heard, tried = OneForAll(), [], []
    turns, asking, answered = Turns(most=9, patience_s=PATIENT), threading.Event(), threading.Event()

    def ask() -> None:
        try:
            with one.hold():
                tried.append(1)
                asking.set()
                with elsewhere():
                    answered.wait(10)
                refuse()
        except StorageError as error:
            heard.append((error.message, error.hint, str(error.__cause__)))

    with runs(turns) as made:
        made.start("first", ask)
        assert asking.wait(10)
        for number in range(5):
            made.start(f"waits {number}", ask)
        wait_until(lambda: len(turns._under_way) == 6 and all(turn.is_away for turn in turns._under_way))
        answered.set()
    assert heard == [("It is away.", "Wait.", "refused")] * 6
    assert len(tried) == 1
    # Whoever comes later asks anew.
    with one.hold():
        tried.append(1)
    assert len(tried) == 2
