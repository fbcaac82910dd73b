"""Maintenance: fewer files and the same rows, in bounded steps, with nothing taken from under a reader."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.config import Settings
from core.domain.times.off_peak import parse_off_peak
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance, StepBounds, TableState
from core.history.lake.watch import ChangeWatch
from core.history.rollups.rollups import Rollups
from core.services.upkeep.maintaining import Maintaining, MaintenanceRules
from core.services.upkeep.settled import Settled
from tests.support.stores.small_files import ROWS, append_batches, everything_in

HOUR = timedelta(hours=1)
BATCHES = 16


def now() -> datetime:
    return datetime.now(UTC)


def later(hours: float) -> datetime:
    """Return what must be older, were it so many hours later and things kept for one."""
    return now() + timedelta(hours=hours) - HOUR


def state_of(maintenance: Maintenance, table: str) -> TableState:
    return next(state for state in maintenance.survey() if state.name == table)


def files_on_disk(settings: Settings) -> set[Path]:
    return set((settings.data_dir / "history" / "files").rglob("*.parquet"))


def is_in_need(state: TableState) -> bool:
    return state.files > 1 or bool(state.inlined or state.worn)


def do_everything(maintenance: Maintenance, *, everywhere: bool = False) -> Counter[str]:
    """
    Flush, rewrite and merge every table until nothing is left to do; return how many steps each took.

    Tables that need nothing are asked too if *everywhere*: that takes a while.
    """
    steps: Counter[str] = Counter()
    for state in maintenance.survey():
        if not everywhere and not is_in_need(state):
            continue
        while maintenance.flush(state.name):
            steps["flush"] += 1
        while maintenance.rewrite(state.name, StepBounds()):
            steps["rewrite"] += 1
        while maintenance.merge(state.name, StepBounds()):
            steps["merge"] += 1
    return steps


def test_every_row_is_there_afterwards_and_files_are_few(
    lake: Lake, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(BATCHES)
    before, worn = everything_in(lake), state_of(maintenance, "messages")
    assert worn.small + worn.worn > BATCHES / 2
    assert do_everything(maintenance) >= Counter(flush=1, rewrite=1, merge=1)
    assert everything_in(lake) == before
    # Two months: a file each.
    assert state_of(maintenance, "messages") == TableState(
        "messages", 2, state_of(maintenance, "messages").bytes, 0, 1, 0
    )
    assert all(state.inlined == state.worn == 0 for state in maintenance.survey())
    assert set(dict(Rollups(lake).verify()).values()) == {0}


def test_there_is_nothing_to_do_twice(maintenance: Maintenance, wear: Callable[..., None]):
    wear(12)
    do_everything(maintenance)
    assert not do_everything(maintenance, everywhere=True)


def test_an_empty_lake_needs_nothing(maintenance: Maintenance):
    do_everything(maintenance, everywhere=True)
    assert not do_everything(maintenance, everywhere=True)
    assert maintenance.delete_files(later(5)) == (0, 0)
    assert maintenance.find_orphans(later(5)) == []


@pytest.mark.parametrize("most", [3, 7])
def test_no_merge_takes_more_files_than_it_may(maintenance: Maintenance, most: int, wear: Callable[..., None]):
    wear(BATCHES, receipts=False)
    taken = []
    while count := maintenance.merge("messages", StepBounds(files=most)):
        taken.append(count)
    assert max(taken) <= most
    assert len(taken) >= BATCHES / most
    assert state_of(maintenance, "messages").files < most * 2


def test_a_month_that_keeps_growing_does_not_keep_the_others_waiting(
    lake: Lake, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(12, receipts=False)
    for number in range(100, 112, 2):
        # Another file comes into the first month.
        append_batches(lake, 1, first=number, receipts=False)
        maintenance.merge("messages", StepBounds())
    for number in range(101, 113, 2):
        append_batches(lake, 1, first=number, receipts=False)
        maintenance.merge("messages", StepBounds())
    assert state_of(maintenance, "messages").files <= 4


def test_a_rewrite_takes_the_most_worn_first_and_no_more_than_it_may(
    lake: Lake, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(BATCHES, receipts=False)

    def wear(cursor):
        # Of the n-th batch n messages go, so that no two files are alike.
        for number in range(12):
            cursor.execute(
                f"""DELETE FROM lake.messages WHERE message_id IN (
                    SELECT message_id FROM lake.messages WHERE campaign_id = 'campaign-{number}'
                    ORDER BY message_id LIMIT {number + 1})"""
            )

    lake.write(wear)
    before = everything_in(lake)
    taken = []
    while count := maintenance.rewrite("messages", StepBounds(files=5)):
        taken.append(count)
    assert taken == [5, 5, 2]
    assert everything_in(lake) == before


def test_files_with_few_deleted_rows_are_left_alone_when_so_asked(lake: Lake, maintenance: Maintenance):
    append_batches(lake, 2, receipts=False)
    lake.write(lambda cursor: cursor.execute(
        "DELETE FROM lake.messages WHERE message_id = (SELECT min(message_id) FROM lake.messages)"
    ))  # fmt: skip
    assert maintenance.rewrite("messages", StepBounds(share_small=0.5)) == 0
    assert maintenance.rewrite("messages", StepBounds()) == 1


def test_nothing_younger_than_asked_is_expired_or_deleted(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance
):
    append_batches(lake, 8)
    do_everything(maintenance)
    there = files_on_disk(lake_settings)
    assert maintenance.expire(later(0.9)) == 0
    assert maintenance.delete_files(later(0.9)) == (0, 0)
    assert files_on_disk(lake_settings) == there


def test_what_is_old_enough_is_deleted_and_the_rest_is_still_read(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(BATCHES)
    before = everything_in(lake)
    do_everything(maintenance)
    there = {path: path.stat().st_size for path in files_on_disk(lake_settings)}
    assert maintenance.expire(later(1.1)) > 16
    count, freed = maintenance.delete_files(later(1.1))
    gone = set(there) - files_on_disk(lake_settings)
    assert (count, freed) == (len(gone), sum(there[path] for path in gone))
    assert count > 8
    assert maintenance.expire(later(1.1)) == 0
    assert maintenance.delete_files(later(1.1)) == (0, 0)
    assert everything_in(lake) == before
    assert sum(state.files for state in maintenance.survey()) <= len(files_on_disk(lake_settings))
    append_batches(lake, 2, first=100)


def test_files_that_are_gone_already_do_no_harm(lake: Lake, lake_settings: Settings, maintenance: Maintenance):
    append_batches(lake, 8, receipts=False)
    there = files_on_disk(lake_settings)
    maintenance.merge("messages", StepBounds())
    # As if a worker had been killed between deleting the files and saying so.
    for path in there:
        path.unlink()
    # The file of each batch: merging goes through both months in one step.
    assert maintenance.delete_files(later(1.1)) == (8, 0)


def test_files_the_catalog_does_not_know_are_found_when_old_and_moved_only_when_told(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance
):
    append_batches(lake, 4, receipts=False)
    before = everything_in(lake)
    folder = next(iter(files_on_disk(lake_settings))).parent
    young, old, foreign = folder / "ducklake-young.parquet", folder / "ducklake-old.parquet", folder / "notes.txt"
    for path in (young, old, foreign):
        path.write_bytes(b"left behind")
    moment = (now() - 2 * HOUR).timestamp()
    for path in (old, foreign):
        os.utime(path, (moment, moment))
    # The lake's own files are old as well.
    for path in files_on_disk(lake_settings) - {young}:
        os.utime(path, (moment, moment))
    assert maintenance.merge("messages", StepBounds()) == 4
    assert maintenance.find_orphans(now() - HOUR) == [str(old)]
    assert (young.exists(), old.exists(), foreign.exists()) == (True, True, True)
    assert maintenance.set_aside([str(old)], "now") == 1
    assert (young.exists(), old.exists(), foreign.exists()) == (True, False, True)
    kept = lake_settings.data_dir / "history" / "set-aside" / "now"
    assert [path.read_bytes() for path in kept.rglob("*.parquet")] == [b"left behind"]
    assert maintenance.find_orphans(now() - HOUR) == []
    assert everything_in(lake) == before
    # What merging released is listed, so it is no orphan.
    assert maintenance.delete_files(later(1.1))[0] > 0


def test_files_an_older_catalog_does_not_know_are_never_deleted(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "data", duckdb_memory_mib=512)
    lake = Lake(settings)
    append_batches(lake, 2, receipts=False)
    lake.close()
    history = settings.data_dir / "history"
    shutil.copy(history / "catalog.sqlite", tmp_path / "older")
    append_batches(lake, 2, first=2, receipts=False)
    lake.close()
    newer, everything = (history / "catalog.sqlite").read_bytes(), everything_in(lake)
    lake.close()
    shutil.copy(tmp_path / "older", history / "catalog.sqlite")
    rules = MaintenanceRules(parse_off_peak("", "UTC"), timedelta(0), busy_files=2)
    Maintaining(Maintenance(lake), rules, Settled(ChangeWatch(lake).number)).run(lambda: later(48))
    lake.close()
    # The newer one turns up again: all its files are there.
    (history / "catalog.sqlite").write_bytes(newer)
    assert everything_in(lake) == everything
    lake.close()


def test_tables_that_others_add_are_maintained_too(lake: Lake, maintenance: Maintenance):
    lake.write(lambda cursor: cursor.execute("CREATE TABLE lake.newcomers AS SELECT range AS i FROM range(100)"))
    for _ in range(5):
        lake.write(lambda cursor: cursor.execute("INSERT INTO lake.newcomers SELECT range FROM range(100)"))
    assert state_of(maintenance, "newcomers").small == 6
    do_everything(maintenance)
    assert state_of(maintenance, "newcomers").files == 1
    with lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.newcomers").fetchone() == (600,)


def test_bytes_and_files_are_those_on_the_disk(lake: Lake, lake_settings: Settings, maintenance: Maintenance):
    append_batches(lake, 4, receipts=False)
    found = state_of(maintenance, "messages")
    paths = {path for path in files_on_disk(lake_settings) if "messages" in path.parts}
    assert (found.files, found.bytes) == (len(paths), sum(path.stat().st_size for path in paths))
    assert found.files == 4
    assert ROWS > 10, "fewer rows would be kept in the catalog"


def test_a_lake_moved_to_another_folder_has_no_orphans(tmp_path: Path):
    first = Lake(Settings(data_dir=tmp_path / "here", duckdb_memory_mib=512))
    append_batches(first, 2, receipts=False)
    first.close()
    (tmp_path / "here").rename(tmp_path / "there")
    lake = Lake(Settings(data_dir=tmp_path / "there", duckdb_memory_mib=512))
    before = everything_in(lake)
    Maintenance(lake).merge("messages", StepBounds())
    assert Maintenance(lake).find_orphans(later(3)) == []
    assert Maintenance(lake).delete_files(later(3))[0] == 0
    assert everything_in(lake) == before
    lake.close()
