"""What does not fit into memory: nobody else's folder, and gone with whoever put it there."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.config import Settings
from core.history.engine.door import Instance
from core.history.engine.spill import Spill
from core.history.lake.connection import Lake
from tests.support.processes.live_server import REPOSITORY

# More than fits into the memory of those who write it.
ROWS, MEMORY_MIB = 600_000, 24
KILLED = """
import os, sys
from pathlib import Path
from core.history.engine.spill import Spill
Path(Spill(Path(sys.argv[1])).folder, "duckdb_temp_storage_DEFAULT-0.tmp").write_text("491795550001")
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "spill"


@pytest.fixture
def lakes(tmp_path: Path) -> Iterator[tuple[Lake, Lake]]:
    settings = Settings(data_dir=tmp_path / "data", duckdb_memory_mib=512)
    made = Lake(settings), Lake(settings)
    yield made
    for lake in made:
        lake.close()


def make(parent: Path) -> Instance:
    return Instance({"memory_limit": f"{MEMORY_MIB}MiB", "threads": "1"}, Spill(parent))


def fill(instance: Instance, factor: int) -> None:
    with instance.cursor() as cursor:
        cursor.execute(f"CREATE TABLE texts AS SELECT i, md5((i * {factor})::VARCHAR) AS text FROM range({ROWS}) t(i)")


def count_right(instance: Instance, factor: int) -> int:
    with instance.cursor() as cursor:
        sql = f"SELECT count(*) FROM texts WHERE text = md5((i * {factor})::VARCHAR)"
        return cursor.execute(sql).fetchall()[0][0]


def spilled(parent: Path) -> list[Path]:
    return list(parent.rglob("duckdb_temp_*"))


def test_two_that_spill_at_once_read_their_own_rows_again(parent: Path):
    with ExitStack() as stack:
        both = {factor: make(parent) for factor in (3, 7)}
        for factor, instance in both.items():
            stack.callback(instance.close)
            fill(instance, factor)
        assert len({path.parent for path in spilled(parent)}) == len(both)
        assert {factor: count_right(instance, factor) for factor, instance in both.items()} == {3: ROWS, 7: ROWS}
    assert list(parent.iterdir()) == []


def test_lakes_of_one_folder_have_folders_of_their_own(lakes: tuple[Lake, Lake]):
    found = set()
    for lake in lakes:
        with lake.read() as cursor:
            found.add(cursor.execute("SELECT current_setting('temp_directory')").fetchone()[0])
    assert len(found) == len(lakes)
    assert {Path(each).parent for each in found} == {lakes[0].location.spill_dir}


def test_what_a_killed_process_left_is_removed_and_what_lives_stays(parent: Path):
    living = Spill(parent)
    subprocess.run([sys.executable, "-c", KILLED, str(parent)], cwd=REPOSITORY, check=False)
    # As an earlier version did, which had one folder for all.
    (parent / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("491795550001")
    assert len(spilled(parent)) == 2
    new = Spill(parent)
    assert spilled(parent) == []
    assert {path.name for path in parent.iterdir()} == {living.folder.name, new.folder.name}
    for each in (living, new):
        each.remove()


def test_an_instance_that_is_forgotten_leaves_nothing(parent: Path):
    forgotten = make(parent)
    fill(forgotten, 3)
    assert spilled(parent)
    del forgotten
    gc.collect()
    assert list(parent.iterdir()) == []
