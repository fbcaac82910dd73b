"""What is read once for all who ask, as long as its tables are the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.history.engine.door import Cursor
from core.history.lake import changes, snapshots
from core.history.lake.connection import Lake
from core.history.lake.snapshots import LatestSnapshot

MONTHS, LOG = {"message_months"}, {"traffic_log"}


@pytest.fixture
def latest() -> LatestSnapshot:
    return LatestSnapshot()


def insert(cursor: Cursor) -> None:
    cursor.execute("INSERT INTO lake.message_months (month) VALUES (DATE '2026-01-01')")


def count(lake: Lake, latest: LatestSnapshot, tables: set[str]) -> int:
    """Return the number of months as it is kept under the name of the tables it is said to be read from."""

    def read() -> int:
        return len(cursor.execute("FROM lake.message_months").fetchall())

    with lake.read() as cursor:
        return latest.of(cursor)(frozenset(tables), tables, read)


def test_it_is_read_anew_when_its_tables_have_changed(lake: Lake, latest: LatestSnapshot):
    told = [count(lake, latest, MONTHS), count(lake, latest, LOG)]
    lake.write(insert)
    told += [count(lake, latest, MONTHS), count(lake, latest, LOG)]
    assert told == [0, 0, 1, 0]


def test_rows_that_are_taken_away_are_a_change_too(lake: Lake, latest: LatestSnapshot):
    lake.write(insert)
    told = [count(lake, latest, MONTHS)]
    lake.write(lambda cursor: cursor.execute("DELETE FROM lake.message_months"))
    told.append(count(lake, latest, MONTHS))
    assert told == [1, 0]


def create_table(cursor: Cursor) -> None:
    cursor.execute("CREATE TABLE lake.another (number INTEGER)")


def alter_table(cursor: Cursor) -> None:
    cursor.execute("ALTER TABLE lake.message_months ADD COLUMN another INTEGER")


@pytest.mark.parametrize("work", [create_table, alter_table])
def test_what_is_no_change_of_rows_may_be_anything(lake: Lake, latest: LatestSnapshot, work: Callable[[Cursor], None]):
    count(lake, latest, LOG)
    lake.write(insert)
    lake.write(work)
    assert count(lake, latest, LOG) == 1
    lake.write(insert)
    assert count(lake, latest, LOG) == 1


def test_a_table_that_is_new_is_one_of_them_from_then_on(lake: Lake, latest: LatestSnapshot):
    count(lake, latest, LOG)
    lake.write(create_table)
    assert count(lake, latest, LOG) == 0
    lake.write(insert)
    lake.write(lambda cursor: cursor.execute("INSERT INTO lake.another VALUES (1)"))
    assert count(lake, latest, LOG) == 0


def test_over_many_commits_nothing_is_kept(lake: Lake, latest: LatestSnapshot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "MOST_COMMITS", 1)
    count(lake, latest, LOG)
    lake.write(insert)
    lake.write(insert)
    assert count(lake, latest, LOG) == 2


def test_a_lake_that_was_opened_anew_is_another(lake: Lake, latest: LatestSnapshot):
    count(lake, latest, LOG)
    lake.write(insert)
    lake.close()
    assert count(lake, latest, LOG) == 1


def test_who_is_in_an_older_snapshot_reads_of_that(lake: Lake, latest: LatestSnapshot):
    def read() -> int:
        return len(older.execute("FROM lake.message_months").fetchall())

    with lake.read() as older:
        of_older = latest.of(older)
        lake.write(insert)
        assert count(lake, latest, MONTHS) == 1
        assert of_older(frozenset(MONTHS), MONTHS, read) == 0
    assert count(lake, latest, MONTHS) == 1


def test_it_is_read_once_and_a_failure_is_not_kept(lake: Lake, latest: LatestSnapshot):
    asked: list[int] = []

    def read() -> timedelta:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("not now")
        return timedelta(1)

    with lake.read() as cursor:
        shared = latest.of(cursor)
        with pytest.raises(ValueError, match="not now"):
            shared("key", MONTHS, read)
        assert [shared("key", MONTHS, read) for _ in range(3)] == [timedelta(1)] * 3
    assert len(asked) == 2


def test_not_more_than_so_much_is_kept(lake: Lake, latest: LatestSnapshot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(snapshots, "MOST_KEPT", 2)
    asked: list[int] = []
    with lake.read() as cursor:
        shared = latest.of(cursor)
        for key in (1, 2, 3, 2, 1):
            shared(key, MONTHS, lambda key=key: asked.append(key))
    assert asked == [1, 2, 3, 1]
