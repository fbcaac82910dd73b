"""The tools of the proof do the harm they say, and undo it."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from core.errors import ConfigurationError
from core.proving.disk import Disk
from core.proving.faults import SIMULATOR, Trial
from core.proving.installation import installed, refuse_used_stores
from core.proving.locking import lock_apart
from core.proving.plan import ANSWER_S, make_plan
from core.proving.processes import Processes
from core.proving.smsc_process import SmscProcess
from core.proving.witness import Witness
from tests.support.processes.live_server import free_port
from tests.support.processes.tools import require_binary
from tests.support.processes.waiting import wait_until
from tests.support.stores.postgres import NewDatabase, sqlalchemy_url

TRIAL = Trial(recipient_count=10, kill_count=1, gateway=SIMULATOR, seed=1)
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
# Writes into the file it is given, over and over, and says in another one whether it could.
WRITER = """
import contextlib, sys, time
while True:
    try:
        with open(sys.argv[1], "ab", buffering=0) as target:
            target.write(bytes(8192))
        word = "could"
    except OSError:
        word = "could not"
    with contextlib.suppress(OSError):
        print(word, flush=True)
    time.sleep(0.02)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.end()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_who_is_killed_is_started_again(processes: Processes):
    processes.start("worker-1", SLEEPER, {})
    before = processes.pid("worker-1")
    processes.kill("worker-1")
    assert not is_there(before)
    assert is_there(processes.pid("worker-1"))
    assert processes.died == []


def test_who_ends_by_itself_is_noted_and_started_again(processes: Processes):
    processes.start("web", SLEEPER, {})
    before = processes.pid("web")
    os.kill(before, signal.SIGKILL)

    def is_noted() -> bool:
        processes.revive()
        return processes.died == ["web"]

    wait_until(is_noted, "its end is noted")
    assert processes.pid("web") != before


def test_at_the_end_nobody_is_left_not_even_who_is_stopped(processes: Processes):
    for name in ("worker-1", "worker-2"):
        processes.start(name, SLEEPER, {})
    processes.stop("worker-2")
    pids = [processes.pid(name) for name in processes.names("worker")]
    processes.end()
    assert not any(is_there(pid) for pid in pids)
    processes.revive()
    assert processes.died == []


def test_processes_know_no_settings_but_those_they_are_given(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", "postgresql://somebody-s/own")
    command = [
        sys.executable,
        "-c",
        "import os; print(sorted(key for key in os.environ if 'HELIOGRAPH' in key), 'end')",
    ]
    processes.start("web", command, {"HELIOGRAPH_DATA_DIR": "here"})
    wait_until(lambda: "end" in (tmp_path / "web.log").read_text(), "it has said so")
    assert (tmp_path / "web.log").read_text().startswith("['HELIOGRAPH_DATA_DIR'] end")


def test_a_full_disk_takes_nothing_until_it_is_freed(processes: Processes, tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    disk = Disk(folder)
    disk.mount(size_mib=8)
    log = tmp_path / "worker-1.log"
    if not disk.is_small:
        # What stands for a full disk keeps the process from writing anything, its log included.
        pytest.skip("only root can mount a small disk, on which this can be told apart")
    try:
        processes.start("worker-1", [sys.executable, "-c", WRITER, str(folder / "file")], {})
        wait_until(lambda: "could\n" in log.read_text(), "it writes")
        assert disk.fill([processes.pid("worker-1")])
        wait_until(lambda: "could not" in log.read_text(), "the disk is full")
        disk.free([processes.pid("worker-1")])
        before = log.read_text().count("could\n")
        wait_until(lambda: log.read_text().count("could\n") > before, "it writes again")
        processes.end()
    finally:
        disk.unmount()
    assert list(folder.iterdir()) == []


def test_without_a_disk_of_its_own_a_process_can_write_no_more_until_it_may(processes: Processes, tmp_path: Path):
    disk, target = Disk(tmp_path), tmp_path / "file"
    processes.start("worker-1", [sys.executable, "-c", WRITER, str(target)], {})
    wait_until(target.exists, "it writes")
    assert disk.fill([processes.pid("worker-1")])
    full = target.stat().st_size
    time.sleep(0.3)
    assert target.stat().st_size == full
    disk.free([processes.pid("worker-1")])
    wait_until(lambda: target.stat().st_size > full, "it writes again")


def test_a_file_is_locked_by_another_process_and_let_go(tmp_path: Path):
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        connection.execute("CREATE TABLE one (one)")
        locking = threading.Thread(target=lock_apart, args=(path, 1.0))
        locking.start()

        def is_locked() -> bool:
            try:
                connection.execute("INSERT INTO one VALUES (1)")
            except sqlite3.OperationalError:
                return True
            return False

        wait_until(is_locked, "it is locked", pause_s=0.01)
        locking.join()
        assert not is_locked()


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path):
    kept = tmp_path / "mine"
    kept.write_text("mine")
    with pytest.raises(ConfigurationError, match="something in"), installed(TRIAL, make_plan(TRIAL), tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert kept.read_text() == "mine"


def test_a_folder_of_its_own_goes_unless_there_is_something_to_look_into():
    with installed(TRIAL, make_plan(TRIAL), None) as found:
        assert (found.folder / "data" / "state.sqlite").is_file()
    assert not found.folder.exists()
    with pytest.raises(RuntimeError), installed(TRIAL, make_plan(TRIAL), None) as found:
        raise RuntimeError
    assert (found.folder / "data" / "state.sqlite").is_file()
    assert not found.disk.folder.is_mount()
    shutil.rmtree(found.folder)


def test_a_log_that_is_not_there_yet_has_taken_nothing(tmp_path: Path):
    witness = Witness(tmp_path / "none.sqlite", TRIAL)
    assert (witness.count_taken(), witness.count_owed()) == (0, 0)
    assert not witness.testify().receivers
    assert not (tmp_path / "none.sqlite").exists()


def test_a_log_that_is_being_made_has_taken_nothing(tmp_path: Path):
    path = tmp_path / "log.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE another (one)")
    assert Witness(path, TRIAL).count_taken() == 0


def test_without_servers_there_is_nothing_to_refuse():
    refuse_used_stores(TRIAL)


@pytest.mark.postgres
def test_a_database_with_something_in_it_is_refused(new_database: NewDatabase):
    url = sqlalchemy_url(new_database())
    trial = replace(TRIAL, database_url=url.replace("+psycopg", ""))
    refuse_used_stores(trial)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE somebodys (own INTEGER)")
    with pytest.raises(ConfigurationError, match="has tables in it"):
        refuse_used_stores(trial)


def test_a_database_that_does_not_answer_is_refused(tmp_path: Path):
    trial = replace(TRIAL, database_url=f"postgresql://me:secret@/none?host={tmp_path}")
    with pytest.raises(ConfigurationError, match="does not answer") as caught:
        refuse_used_stores(trial)
    assert "secret" not in str(caught.value)


@pytest.mark.redis
def test_a_queue_with_something_in_it_is_refused(tmp_path: Path):
    port = free_port()
    trial = replace(TRIAL, queue_url=f"redis://127.0.0.1:{port}/1")
    with pytest.raises(ConfigurationError, match="does not answer"):
        refuse_used_stores(trial)
    command = [require_binary("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            with redis.Redis.from_url(trial.queue_url) as queue:
                wait_until(lambda: answers(queue), "Redis answers")
                refuse_used_stores(trial)
                queue.set("somebody's", "own")
                with pytest.raises(ConfigurationError, match="has keys in it"):
                    refuse_used_stores(trial)
        finally:
            server.terminate()


def answers(queue: redis.Redis) -> bool:
    try:
        return bool(queue.ping())
    except redis.ConnectionError:
        return False


def test_what_the_smsc_does_wrong_it_does_after_a_restart_too(processes: Processes, tmp_path: Path):
    smsc = SmscProcess(processes, tmp_path / "smsc.sqlite", tmp_path / "control", free_port())
    smsc.start(TRIAL)
    smsc.set_faults(receipts_twice=0.5)
    smsc.set_faults(receipts_early=True)
    smsc.kill()
    faults = smsc.tell({"do": "state"})["faults"]
    assert isinstance(faults, dict)
    assert (faults["receipts_twice"], faults["receipts_early"], faults["answer_s"]) == (0.5, True, ANSWER_S)
    with pytest.raises(ConfigurationError, match="refuses"):
        smsc.set_faults(receipts_twice=2)
