import logging
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from core import logs
from core.errors import StorageError, Unavailable


class Elapsing:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def steady() -> Elapsing:
    return Elapsing()


@pytest.fixture
def written(steady: Elapsing, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the lines that a log of its own has written, as `logs.configure` sets one up."""
    lines: list[str] = []
    repeats = logs.Repeats(steady)
    monkeypatch.setattr(logs, "_repeats", repeats)

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.setFormatter(logs.FieldFormatter())
    handler.addFilter(repeats)
    log = logging.getLogger("a.worker")
    log.addHandler(handler)
    monkeypatch.setattr(log, "propagate", False)
    yield lines
    log.removeHandler(handler)


def note(error: Exception, *arguments: object) -> None:
    try:
        raise error
    except type(error):
        logging.getLogger("a.worker").exception("missed %s" if arguments else "missed", *arguments)


def away() -> StorageError:
    return StorageError("The state store does not answer: unable to open database file")


def test_a_store_that_is_away_costs_a_line_and_a_count(written: list[str], steady: Elapsing):
    for _ in range(60):
        note(away())
        steady.seconds += 0.5
    assert len(written) == 1
    assert written[0].endswith('missed reason="The state store does not answer: unable to open database file"')
    steady.seconds += logs.OVER_S
    logs.tell_repeats()
    logs.tell_repeats()
    assert len(written) == 2
    assert written[1].endswith("error_over event=missed repeated=59")


def test_one_that_stays_away_is_told_once_a_minute(written: list[str], steady: Elapsing):
    for _ in range(360):
        note(away())
        steady.seconds += 0.5
    assert len(written) == 3
    assert all("repeated=119" in line for line in written[1:])


def test_what_is_not_over_yet_is_not_told(written: list[str]):
    note(away())
    note(away())
    logs.tell_repeats()
    assert len(written) == 1


def test_what_comes_once_a_minute_is_not_over_in_between(written: list[str], steady: Elapsing):
    for second in range(600):
        if second % 60 in {0, 3}:
            note(away())
        logs.tell_repeats()
        steady.seconds += 1
    # What comes for the first time may well be over; once it came again, it is known not to be.
    assert [line for line in written if "error_over" in line] == [written[1]]
    assert len([line for line in written if "worker missed" in line]) == 10
    steady.seconds += 120
    logs.tell_repeats()
    logs.tell_repeats()
    assert len(written) == 12
    assert written[-1].endswith("error_over event=missed repeated=1")


def test_another_outage_hours_later_is_over_as_soon_as_the_first(written: list[str], steady: Elapsing):
    for _ in range(2):
        note(away())
        note(away())
        steady.seconds += logs.OVER_S
        logs.tell_repeats()
        steady.seconds += logs.RETURNS_S
    assert ["error_over" in line for line in written] == [False, True, False, True]


def test_a_provider_that_is_away_costs_a_line_and_a_count_and_hides_no_other(written: list[str], steady: Elapsing):
    for _ in range(50):
        for name in ("Berlin", "Paris"):
            note(Unavailable("Nothing listens there.", gateway=name))
    assert len(written) == 2
    assert all("Nothing listens there." in line and "\n" not in line for line in written)
    steady.seconds += logs.OVER_S
    logs.tell_repeats()
    assert len(written) == 4
    assert all("repeated=49" in line for line in written[2:])


def test_the_same_of_another_task_is_the_same(written: list[str]):
    note(sqlite3.OperationalError("unable to open database file"), "task-1")
    note(sqlite3.OperationalError("unable to open database file"), "task-2")
    assert len(written) == 1
    assert written[0].endswith('missed task-1 reason="OperationalError: unable to open database file"')


@pytest.mark.parametrize("raising", [lambda: 1 / 0, lambda: {}["no such key"]])
def test_a_defect_is_told_with_where_it_is(written: list[str], raising: Callable[[], object]):
    note(away())
    for _ in range(3):
        try:
            raising()
        except (ZeroDivisionError, KeyError):
            logging.getLogger("a.worker").exception("missed")
    assert len(written) == 2
    assert "Traceback" in written[1]


def test_everything_else_is_written_as_it_comes(written: list[str]):
    for _ in range(3):
        logging.getLogger("a.worker").warning("lease_lost")
    assert len(written) == 3


def test_what_somebody_typed_begins_no_line_and_tells_a_terminal_nothing(written: list[str]):
    odd = "a\nERROR b\x1b[2J\x00\ud800\x85\u2028c\rd"
    logging.getLogger("a.worker").warning("got %s", odd, extra={"text": odd})
    (line,) = written
    assert line.isprintable()
    assert line.count(r"a\nERROR b\x1b[2J\x00\ud800\x85\u2028c\rd") == 2


def test_an_exception_keeps_its_lines_and_no_other_control(written: list[str]):
    note(ValueError("b\x1b[2J\x00\ud800"))
    assert "ValueError: b\ufffd[2J\ufffd\ufffd" in written[0]
    assert written[0].replace("\n", "").isprintable()
