"""Answers that are given again."""

import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.services.reports.kept_answers import KeptAnswers, weigh


class Asked:
    """A question that counts how often its answer was looked for."""

    def __init__(self, answer: object = "answer") -> None:
        self.count = 0
        self._answer = answer

    def __call__(self) -> object:
        self.count += 1
        return self._answer


def test_the_same_question_is_answered_once_as_long_as_nothing_changes():
    states = ["first"]
    answers, asked = KeptAnswers(lambda: states[-1]), Asked()
    assert [answers.get("question", asked) for _ in range(3)] == ["answer"] * 3
    assert asked.count == 1
    states.append("second")
    answers.get("question", asked)
    assert asked.count == 2


def test_another_question_is_another_answer():
    answers = KeptAnswers(lambda: 1)
    assert answers.get(("messages", frozenset({"a"})), Asked("of a")) == "of a"
    assert answers.get(("messages", frozenset({"b"})), Asked("of b")) == "of b"
    assert answers.get(("messages", frozenset({"a"})), Asked("asked again")) == "of a"


def test_an_answer_of_nothing_is_an_answer():
    answers, asked = KeptAnswers(lambda: 1), Asked(None)
    assert [answers.get("question", asked), answers.get("question", asked)] == [None, None]
    assert asked.count == 1


def test_an_error_is_not_kept():
    answers = KeptAnswers(lambda: 1)

    def fail() -> str:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        answers.get("question", fail)
    assert answers.get("question", lambda: "answer") == "answer"


def test_the_bytes_are_bounded_and_what_was_asked_for_longest_ago_goes_first():
    table = pa.table({"number": list(range(1_000))})
    answers, asked = KeptAnswers(lambda: 1, most_bytes=3 * weigh(table)), Asked(table)
    for question in ("a", "b", "a", "c"):
        answers.get(question, asked)
    assert asked.count == 3
    answers.get("a", asked)
    assert asked.count == 3
    answers.get("b", asked)
    assert asked.count == 4


def test_an_answer_that_is_too_large_is_given_and_not_kept():
    answers, asked = KeptAnswers(lambda: 1, most_bytes=10), Asked("x" * 1_000)
    assert answers.get("question", asked) == "x" * 1_000
    answers.get("question", asked)
    assert asked.count == 2


def test_who_asks_what_is_being_found_waits_for_it():
    answers, found, asking = KeptAnswers(lambda: 1), threading.Event(), threading.Event()
    given: list[str] = []

    def find() -> str:
        asking.set()
        assert found.wait(10)
        return "slow"

    def ask(find: Callable[[], str]) -> None:
        given.append(answers.get("question", find))

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
    answers = KeptAnswers(lambda: 1, most_bytes=most)
    tracemalloc.start()
    try:
        for page in range(300):
            answers.get(("messages", page, _accounts(50)), lambda: None)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / 2 < held < most * 1.2


def test_what_has_no_answer_takes_no_room():
    answers = KeptAnswers(lambda: 1)

    def fail() -> str:
        raise ValueError("no answer")

    tracemalloc.start()
    try:
        for number in range(200):
            with pytest.raises(ValueError, match="no answer"):
                answers.get("x" * 10_000 + str(number), fail)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
