"""Maintenance beside others: what readers see stays as it is, one works at a time, and being killed loses nothing."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from core.config import Settings
from core.history.catalog.locks import ReadersInside
from core.history.engine import door
from core.history.lake import connection
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance, StepBounds
from tests.integration.history.lake.test_maintenance import HOUR, do_everything, is_in_need, later, now, state_of
from tests.support.stores.small_files import ROWS, append_batches, everything_in

ROOT = Path(__file__).parents[4]
SEEN = "SELECT count(*), count(DISTINCT message_id), count(*) FILTER (delivery_status = 'Delivered') FROM lake.messages"


@pytest.fixture(autouse=True)
def _several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people have it: with one thread, which is all that other tests get, DuckDB reads SQLite in another way."""
    monkeypatch.setitem(door.CONFIG, "threads", "2")


def do_all_but_scrub(maintenance: Maintenance, before: datetime) -> None:
    for state in filter(is_in_need, maintenance.survey()):
        while maintenance.rewrite(state.name, StepBounds()):
            pass
        for step in (partial(maintenance.merge, bounds=StepBounds()), maintenance.flush):
            while step(state.name):
                pass
    maintenance.expire(before)
    maintenance.delete_files(before)
    maintenance.find_orphans(min(before, now() - HOUR))


def test_a_reader_in_the_middle_sees_what_it_saw(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(12)
    reader = Lake(lake_settings)
    with reader.read() as cursor:
        seen = cursor.execute(SEEN).fetchall()
        append_batches(lake, 4, first=50)
        # An hour and a half passes: what it reads must not be deleted by those who keep it for two.
        do_all_but_scrub(maintenance, now() + 1.5 * HOUR - 2 * HOUR)
        assert state_of(maintenance, "messages").files == 2
        assert cursor.execute(SEEN).fetchall() == seen
        # A table it had not looked at yet.
        assert cursor.execute("SELECT count(*) FROM lake.unsent").fetchone() == (12,)
    with reader.read() as cursor:
        assert cursor.execute(SEEN).fetchall() != seen
    reader.close()


def test_a_reader_outlives_the_expiry_of_its_snapshot_while_its_files_are_kept(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(12)
    reader = Lake(lake_settings)
    with reader.read() as cursor:
        seen = cursor.execute(SEEN).fetchall()
        append_batches(lake, 4, first=50)
        do_all_but_scrub(maintenance, now() - HOUR)
        assert maintenance.expire(later(2)) > 0
        # What the expiry released was listed just now, so it is kept from now on.
        assert maintenance.delete_files(now() - HOUR) == (0, 0)
        assert cursor.execute(SEEN).fetchall() == seen
    reader.close()


def test_readers_that_come_and_go_all_see_whole_batches(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance, wear: Callable[..., None]
):
    wear(12, receipts=False)
    expected = {(12 * ROWS, 12 * ROWS)}
    reader, done, seen = Lake(lake_settings), threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            with reader.read() as cursor:
                for _ in range(2):
                    seen.add(cursor.execute(SEEN).fetchone()[:2])

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        try:
            while state_of(maintenance, "messages").files > 2:
                do_all_but_scrub(maintenance, now())
        finally:
            done.set()
        for found in readers:
            found.result()
    assert seen == expected
    reader.close()


def test_a_catalog_in_sqlite_is_written_anew_when_nobody_reads(
    lake: Lake, lake_settings: Settings, maintenance: Maintenance, monkeypatch: pytest.MonkeyPatch
):
    # Wait but a moment for a reader that the test keeps inside.
    monkeypatch.setattr(connection, "GATE_TIMEOUT_S", 0.02)
    with closing(Lake(lake_settings)) as reader, reader.read():
        is_refused = nullcontext() if lake_settings.lake_catalog else pytest.raises(ReadersInside)
        with is_refused:
            maintenance.scrub()
    maintenance.scrub()


def test_only_one_maintains_at_a_time(lake: Lake, lake_settings: Settings, maintenance: Maintenance):
    other = Lake(lake_settings)
    with maintenance.alone() as mine, Maintenance(other).alone() as theirs:
        assert (mine, theirs) == (True, False)
    with Maintenance(other).alone() as theirs:
        assert theirs
    other.close()


@pytest.mark.parametrize("lines_before_the_kill", [5, 25, 70])
def test_killed_in_the_middle_nothing_is_lost(
    lake: Lake, lake_settings: Settings, lines_before_the_kill: int, wear: Callable[..., None]
):
    wear(12)
    before = everything_in(lake)
    given = json.dumps(asdict(lake_settings) | {"data_dir": str(lake_settings.data_dir)})
    command = [sys.executable, "-W", "error", "-m", "tests.integration.history.lake.maintainer", given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(lines_before_the_kill):
            assert process.stdout.readline()
        # It is now somewhere in the next step.
        process.kill()
    assert everything_in(lake) == before
    # Its locks died with it, and another goes on.
    maintenance = Maintenance(lake)
    with maintenance.alone() as mine:
        assert mine
        do_everything(maintenance)
    assert everything_in(lake) == before
