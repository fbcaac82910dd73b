"""Whether something was committed to the lake, here or by another process."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from core import turns
from core.config import Settings
from core.errors import StorageError
from core.history.engine.door import Cursor
from core.history.lake import watch
from core.history.lake.connection import Lake
from core.history.lake.watch import EVERY_S, ChangeWatch
from tests.support.processes.waiting import wait_until


class Seen:
    """A watch of a lake, and the clock it goes by."""

    def __init__(self, lake: Lake) -> None:
        self.now_s = 1_000.0
        self._watch = ChangeWatch(lake, lambda: self.now_s)

    def state(self) -> int:
        return self._watch.look().number


@pytest.fixture
def elsewhere(lake_settings: Settings) -> Iterator[Lake]:
    """Give the same lake as another process has it."""
    lake = Lake(lake_settings)
    yield lake
    lake.close()


def change(cursor: Cursor) -> None:
    cursor.execute("INSERT INTO lake.frozen_audiences VALUES ('campaign', 'list', 1, TIMESTAMP '2026-11-29 12:00:00')")


def test_nothing_new_is_the_same_state(lake: Lake):
    seen = Seen(lake)
    first = seen.state()
    assert seen.state() == first
    seen.now_s += 10 * EVERY_S
    assert seen.state() == first


def test_what_this_process_commits_is_seen_at_once(lake: Lake):
    seen = Seen(lake)
    first = seen.state()
    lake.write(change)
    assert seen.state() != first


def test_what_others_commit_is_seen_soon(lake: Lake, elsewhere: Lake):
    seen = Seen(lake)
    first = seen.state()
    elsewhere.write(change)
    assert seen.state() == first
    seen.now_s += EVERY_S
    assert seen.state() != first


def test_a_lake_that_was_opened_anew_is_another_one(lake: Lake):
    seen = Seen(lake)
    first = seen.state()
    lake.close()
    lake.ping()
    assert seen.state() != first


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_catalog_that_was_put_back_is_another_one_wherever_it_has_come_to(
    lake: Lake, elsewhere: Lake, keep_catalog: Callable[[], Callable[[], None]], commits: int
):
    lake.write(change)
    lake.close()
    put_back, seen = keep_catalog(), Seen(lake)
    lake.write(change)
    first, opened = seen.state(), lake.changes[0]
    put_back()
    for _ in range(commits):
        elsewhere.write(change)
    seen.now_s += EVERY_S
    second = seen.state()
    lake.ping()
    assert second != first
    assert lake.changes[0] == opened + 1


def test_what_failed_may_have_been_committed(lake: Lake, elsewhere: Lake):
    def fail(cursor: Cursor) -> None:
        change(cursor)
        raise ValueError("after all")

    seen = Seen(lake)
    first = seen.state()
    with pytest.raises(ValueError, match="after all"):
        lake.write(fail)
    # Looked at anew, before it is time to.
    elsewhere.write(change)
    assert seen.state() != first


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let something be done once the lake has answered, and before the answer is looked at."""
    ask = watch.find_snapshot

    def answer(cursor: Cursor) -> int:
        monkeypatch.setattr(watch, "find_snapshot", ask)
        found = ask(cursor)
        do()
        return found

    monkeypatch.setattr(watch, "find_snapshot", answer)


def test_what_this_process_commits_during_a_look_is_looked_for_again(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    seen = Seen(lake)
    lake.ping()
    meanwhile(monkeypatch, lambda: lake.write(change))
    first = seen.state()
    assert seen.state() != first


def test_a_look_that_took_long_is_as_old_as_its_question(lake: Lake, elsewhere: Lake, monkeypatch: pytest.MonkeyPatch):
    def commit() -> None:
        elsewhere.write(change)
        seen.now_s += EVERY_S

    seen = Seen(lake)
    lake.ping()
    meanwhile(monkeypatch, commit)
    first = seen.state()
    assert seen.state() != first


def test_a_lake_that_does_not_answer_is_asked_once_for_all_who_wait(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    seen, asked, waiting, away = Seen(lake), [], [], threading.Event()
    seen.state()
    seen.now_s += EVERY_S
    read = lake.read

    @contextmanager
    def fail() -> Iterator[Cursor]:
        asked.append(1)
        away.wait(10)
        raise StorageError("The message history could not be reached.")
        yield

    @contextmanager
    def note() -> Iterator[None]:
        waiting.append(1)
        yield

    monkeypatch.setattr(lake, "read", fail)
    monkeypatch.setattr(turns, "away", note)
    with ThreadPoolExecutor(5) as threads:
        found = [threads.submit(seen.state) for _ in range(5)]
        wait_until(lambda: len(asked) == 1, "one asks")
        wait_until(lambda: waiting == [1] * 4, "the others wait")
        away.set()
        assert all(isinstance(each.exception(10), StorageError) for each in found)
    assert len(asked) == 1
    monkeypatch.setattr(lake, "read", read)
    seen.state()


def test_those_who_waited_for_a_look_need_none_of_their_own(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    seen, asked, free = Seen(lake), [], threading.Event()
    seen.state()
    seen.now_s += EVERY_S
    read = lake.read

    @contextmanager
    def count() -> Iterator[Cursor]:
        asked.append(1)
        free.wait(10)
        with read() as cursor:
            yield cursor

    monkeypatch.setattr(lake, "read", count)
    with ThreadPoolExecutor(5) as threads:
        found = [threads.submit(seen.state) for _ in range(5)]
        wait_until(lambda: len(asked) == 1, "one asks")
        free.set()
        assert len({each.result(10) for each in found}) == 1
    assert len(asked) == 1
