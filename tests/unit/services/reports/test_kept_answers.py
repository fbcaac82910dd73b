"""Answers that are given again."""

import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.times.periods import Period
from core.history.lake.changes import Extent
from core.services.reports.kept_answers import KeptAnswers, weigh

EXTENT = Extent(frozenset({"account"}), Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)))
OTHER = Extent(frozenset({"another"}), EXTENT.period)


@dataclass(frozen=True)
class State:
    """A state that was reached by changing this of each one before."""

    number: int = 1
    changed: tuple[Extent, ...] = ()

    def is_unchanged(self, since: int, extent: Extent) -> bool:
        return extent not in self.changed[max(0, since - 1) :]

    def after(self, extent: Extent) -> "State":
        return State(self.number + 1, (*self.changed, extent))


class Asked:
    """A question that counts how often its answer was looked for."""

    def __init__(self, answer: object = "answer") -> None:
        self.count = 0
        self._answer = answer

    def __call__(self) -> object:
        self.count += 1
        return self._answer


def test_the_same_question_is_answered_once_as_long_as_nothing_changes():
    states = [State()]
    answers, asked = KeptAnswers(lambda: states[-1]), Asked()
    assert [answers.get("question", EXTENT, asked) for _ in range(3)] == ["answer"] * 3
    assert asked.count == 1
    states.append(states[-1].after(EXTENT))
    answers.get("question", EXTENT, asked)
    assert asked.count == 2
    answers.get("question", EXTENT, asked)
    assert asked.count == 2


def test_what_changes_elsewhere_ends_no_answer():
    states = [State()]
    answers, asked = KeptAnswers(lambda: states[-1]), Asked()
    answers.get("question", EXTENT, asked)
    states.append(states[-1].after(OTHER))
    answers.get("question", EXTENT, asked)
    assert asked.count == 1
    states.append(states[-1].after(EXTENT))
    answers.get("question", EXTENT, asked)
    assert asked.count == 2


def test_what_changes_while_an_answer_is_found_ends_it():
    states = [State()]
    answers, asked = KeptAnswers(lambda: states[-1]), Asked()

    def find() -> object:
        states.append(states[-1].after(EXTENT))
        return asked()

    answers.get("question", EXTENT, find)
    answers.get("question", EXTENT, asked)
    assert asked.count == 2


def test_what_ended_weighs_nothing():
    table = pa.table({"number": list(range(1_000))})
    states = [State()]
    answers, asked = KeptAnswers(lambda: states[-1], most_bytes=3 * weigh(table)), Asked(table)
    answers.get("stays", OTHER, asked)
    for _ in range(10):
        answers.get("ends", EXTENT, asked)
        states.append(states[-1].after(EXTENT))
    before = asked.count
    answers.get("stays", OTHER, asked)
    assert asked.count == before


def test_what_was_ended_while_it_was_found_weighs_nothing():
    table = pa.table({"number": list(range(1_000))})
    states = [State()]
    answers, asked = KeptAnswers(lambda: states[-1], most_bytes=3 * weigh(table)), Asked(table)

    def find() -> object:
        states.append(states[-1].after(EXTENT))
        return answers.get("ends", EXTENT, asked)

    answers.get("stays", OTHER, asked)
    for _ in range(10):
        states.append(states[-1].after(EXTENT))
        answers.get("ends", EXTENT, find)
    before = asked.count
    answers.get("stays", OTHER, asked)
    assert asked.count == before


def test_who_looked_before_others_ends_no_answer_of_theirs():
    first = State()
    states = [first.after(EXTENT), first, first.after(EXTENT)]
    answers, asked = KeptAnswers(iter(states).__next__), Asked()
    for _ in states:
        answers.get("question", EXTENT, asked)
    assert asked.count == 1


def test_another_question_is_another_answer():
    answers = KeptAnswers(State)
    assert answers.get(("messages", frozenset({"a"})), EXTENT, Asked("of a")) == "of a"
    assert answers.get(("messages", frozenset({"b"})), EXTENT, Asked("of b")) == "of b"
    assert answers.get(("messages", frozenset({"a"})), EXTENT, Asked("asked again")) == "of a"


def test_an_answer_of_nothing_is_an_answer():
    answers, asked = KeptAnswers(State), Asked(None)
    assert [answers.get("question", EXTENT, asked), answers.get("question", EXTENT, asked)] == [None, None]
    assert asked.count == 1


def test_an_error_is_not_kept():
    answers = KeptAnswers(State)

    def fail() -> str:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        answers.get("question", EXTENT, fail)
    assert answers.get("question", EXTENT, lambda: "answer") == "answer"


def test_the_bytes_are_bounded_and_what_was_asked_for_longest_ago_goes_first():
    table = pa.table({"number": list(range(1_000))})
    answers, asked = KeptAnswers(State, most_bytes=3 * weigh(table)), Asked(table)
    for question in ("a", "b", "a", "c"):
        answers.get(question, EXTENT, asked)
    assert asked.count == 3
    answers.get("a", EXTENT, asked)
    assert asked.count == 3
    answers.get("b", EXTENT, asked)
    assert asked.count == 4


def test_an_answer_that_is_too_large_is_given_and_not_kept():
    answers, asked = KeptAnswers(State, most_bytes=10), Asked("x" * 1_000)
    assert answers.get("question", EXTENT, asked) == "x" * 1_000
    answers.get("question", EXTENT, asked)
    assert asked.count == 2


def test_who_asks_what_is_being_found_waits_for_it():
    answers, found, asking = KeptAnswers(State), threading.Event(), threading.Event()
    given: list[str] = []

    def find() -> str:
        asking.set()
        assert found.wait(10)
        return "slow"

    def ask(find: Callable[[], str]) -> None:
        given.append(answers.get("question", EXTENT, find))

    first = threading.Thread(target=ask, args=(find,))
    first.start()
    assert asking.wait(10)
    second = threading.Thread(target=ask, args=(lambda: "found a second time",))
    second.start()
    found.set()
    for thread in (first, second):
        thread.join(10)
    assert given == ["slow", "slow"]


def test_tables_weigh_what_they_refer_to():
    @dataclass(frozen=True)
    class Page:
        table: pa.Table
        total: int

    table = pa.table({"number": list(range(1_000))})
    assert weigh(Page(table.slice(0, 1), 1)) > 8_000


def _accounts(count: int) -> tuple[Account, ...]:
    """Return accounts that share no text with others, as a store gives them."""
    texts = [(f"id of {number}", f"name of {number}", f"display name of {number}") for number in range(count)]
    return tuple(Account(*text, AccountType.CAMPAIGN, AccountStatus.ACTIVE, "simulator", 10) for text in texts)


def test_questions_are_bounded_as_their_answers_are():
    # Somebody of many accounts looks for what is not there, page after page: all that is kept is what was asked.
    most = 1 << 20
    answers = KeptAnswers(State, most_bytes=most)
    tracemalloc.start()
    try:
        for page in range(300):
            answers.get(("messages", page, _accounts(50)), EXTENT, lambda: None)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / 2 < held < most * 1.2


def test_what_has_no_answer_takes_no_room():
    answers = KeptAnswers(State)

    def fail() -> str:
        raise ValueError("no answer")

    tracemalloc.start()
    try:
        for number in range(200):
            with pytest.raises(ValueError, match="no answer"):
                answers.get("x" * 10_000 + str(number), EXTENT, fail)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
