"""Whether something was committed to the lake, here or by another process."""

from collections.abc import Hashable, Iterator

import pytest

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.lake.door import Cursor
from core.history.lake.watch import EVERY_S, SnapshotWatch


class Seen:
    """A watch of a lake, and the clock it goes by."""

    def __init__(self, lake: Lake) -> None:
        self.now_s = 1_000.0
        self._watch = SnapshotWatch(lake, lambda: self.now_s)

    def state(self) -> Hashable:
        return self._watch()


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


def test_what_failed_may_have_been_committed(lake: Lake):
    def fail(cursor: Cursor) -> None:
        change(cursor)
        raise ValueError("after all")

    seen, before = Seen(lake), lake.changes
    first = seen.state()
    with pytest.raises(ValueError, match="after all"):
        lake.write(fail)
    assert lake.changes != before
    assert seen.state() != first
