"""The lake itself: created once, one writer, readers that never wait, errors in words."""

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from core import logs
from core.config import Settings
from core.errors import ConfigurationError, StorageError
from core.history.catalog.location import Location, _use_credentials
from core.history.catalog.locks import FileLock
from core.history.engine import extensions
from core.history.engine.door import Cursor, Instance
from core.history.lake import connection as lake_module
from core.history.lake.connection import WRITE_ATTEMPTS, Lake
from core.history.lake.schema import MIGRATIONS


def count(lake: Lake, table: str) -> int:
    with lake.read() as cursor:
        return cursor.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0]


def tag(name: str):
    return lambda cursor: cursor.execute(
        "INSERT INTO lake.appended_batches VALUES ($name, '', 0, TIMESTAMP '2026-01-01')", {"name": name}
    )


def test_nothing_is_created_before_the_first_call(lake_settings: Settings) -> None:
    Lake(lake_settings).close()
    assert not lake_settings.data_dir.exists()


OPEN_WITH_ANOTHER_FILE = """
import sys
from pathlib import Path
from core.config import Settings
from core.history.engine import extensions
from core.history.lake.connection import Lake
extensions.find_extension = lambda name: Path(sys.argv[2])
with Lake(Settings(data_dir=Path(sys.argv[1]))).read():
    pass
"""


def test_an_extension_that_somebody_has_changed_is_not_loaded(tmp_path: Path) -> None:
    changed = tmp_path / "ducklake.duckdb_extension"
    content = bytearray(extensions.find_extension("ducklake").read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    # In a process of its own: the tests' own takes extensions as they are, to be quicker.
    command = [sys.executable, "-c", OPEN_WITH_ANOTHER_FILE, str(tmp_path / "data"), str(changed)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "signature" in ran.stderr


def test_a_lake_opened_again_has_its_rows_and_each_migration_once(lake: Lake, lake_settings: Settings) -> None:
    lake.write(tag("one"))
    lake.close()
    again = Lake(lake_settings)
    assert count(again, "appended_batches") == 1
    assert count(again, "schema_migrations") == len(MIGRATIONS)
    again.close()


def test_a_lake_moved_to_another_folder_keeps_its_rows(tmp_path: Path) -> None:
    first = Lake(Settings(data_dir=tmp_path / "here"))
    # More rows than DuckLake keeps in its catalog, so that they are in a file.
    first.write(lambda cursor: cursor.execute(
        "INSERT INTO lake.appended_batches SELECT i::VARCHAR, '', 0, TIMESTAMP '2026-01-01' FROM range(100) t(i)"
    ))  # fmt: skip
    first.close()
    (tmp_path / "here").rename(tmp_path / "there")
    second = Lake(Settings(data_dir=tmp_path / "there"))
    assert count(second, "appended_batches") == 100
    second.close()


def test_many_threads_may_open_read_and_write_at_once(lake: Lake) -> None:
    def work(number: int) -> int:
        lake.write(tag(f"batch-{number}"))
        return count(lake, "appended_batches")

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(work, range(8)))
    assert max(seen) == count(lake, "appended_batches") == 8


def test_work_that_raises_leaves_nothing(lake: Lake) -> None:
    def work(cursor: Cursor) -> None:
        tag("never")(cursor)
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        lake.write(work)
    assert count(lake, "appended_batches") == 0


def test_a_reader_keeps_its_snapshot_while_others_write(lake: Lake) -> None:
    with lake.read() as cursor:
        before = cursor.execute("SELECT count(*) FROM lake.appended_batches").fetchone()
        lake.write(tag("meanwhile"))
        assert cursor.execute("SELECT count(*) FROM lake.appended_batches").fetchone() == before
    assert count(lake, "appended_batches") == 1


def test_a_reader_does_not_wait_for_a_writer(lake: Lake) -> None:
    # The read runs to its end inside the writer's transaction: had it to wait, this would never return.
    assert lake.write(lambda cursor: (tag("mine")(cursor), count(lake, "appended_batches"))[1]) == 0


def test_a_reader_cannot_write(lake: Lake) -> None:
    with pytest.raises(StorageError) as caught, lake.read() as cursor:
        tag("no")(cursor)
    assert "read-only" in str(caught.value.__cause__)
    assert count(lake, "appended_batches") == 0


def test_a_conflict_is_tried_again_from_the_start(lake: Lake) -> None:
    attempts = []

    def work(cursor: Cursor) -> str:
        tag("once")(cursor)
        attempts.append(1)
        if len(attempts) == 1:
            raise duckdb.TransactionException("Failed to commit: Transaction conflict")
        return "done"

    assert lake.write(work) == "done"
    assert count(lake, "appended_batches") == 1


def test_conflicts_without_end_become_a_storage_error(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "_BACKOFF_MOST_S", 0.001)
    attempts = []

    def work(cursor: Cursor) -> None:
        attempts.append(1)
        raise duckdb.TransactionException("Failed to commit: Transaction conflict")

    with pytest.raises(StorageError) as caught:
        lake.write(work)
    assert caught.value.hint
    assert len(attempts) == WRITE_ATTEMPTS


def test_a_catalog_that_stays_locked_is_said_once_and_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lake_module, "_BACKOFF_MOST_S", 0.001)

    def work(cursor: Cursor) -> None:
        raise duckdb.TransactionException("Failed to commit: database is locked")

    for _ in range(3):
        with pytest.raises(StorageError, match="locked"):
            lake.write(work)
    tried = [record for record in caplog.records if record.getMessage() == "lake_write_conflict"]
    assert len(tried) == 3 * (WRITE_ATTEMPTS - 1)
    repeats = logs.Repeats()
    assert [repeats.filter(record) for record in tried].count(True) == 1


def test_a_full_disk_is_said_and_not_tried_again(lake: Lake) -> None:
    attempts = []

    def work(cursor: Cursor) -> None:
        attempts.append(1)
        raise duckdb.IOException("Could not write file x.parquet: No space left on device")

    with pytest.raises(StorageError, match="full"):
        lake.write(work)
    assert len(attempts) == 1


def test_a_lake_survives_a_fault_that_breaks_its_duckdb_instance(lake: Lake) -> None:
    lake.write(tag("before"))
    with pytest.raises(StorageError), lake.read():
        raise duckdb.FatalException("database has been invalidated")
    assert count(lake, "appended_batches") == 1


def test_a_writer_whose_instance_breaks_does_not_wait_for_who_opens_another(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens one holds up all others of the process, and waits for the writer."""
    monkeypatch.setattr(lake_module, "LOCK_TIMEOUT_S", 5)
    connection = lake._connect()

    def work(_cursor: Cursor) -> None:
        lake._forget(connection)
        opening.append(pool.submit(count, lake, "messages"))
        while not lake._opening._lock.locked():
            time.sleep(0.001)
        raise duckdb.FatalException("database has been invalidated")

    with ThreadPoolExecutor(2) as pool:
        opening: list[Future[int]] = []
        with pytest.raises(StorageError, match="reached"):
            pool.submit(lake.write, work).result()
        assert opening[0].result() == 0


def test_a_mistake_in_sql_is_not_dressed_up(lake: Lake) -> None:
    with pytest.raises(duckdb.BinderException), lake.read() as cursor:
        cursor.execute("SELECT nonsense FROM lake.messages")


def test_nothing_is_downloaded_by_itself(lake: Lake) -> None:
    with lake.read() as cursor:
        settings = dict(cursor.execute("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%'").fetchall())
    assert settings["autoinstall_known_extensions"] == "false"
    assert settings["autoload_known_extensions"] == "false"


def test_the_sqlite_catalog_is_in_wal_mode(tmp_path: Path) -> None:
    lake = Lake(Settings(data_dir=tmp_path))
    lake.write(tag("one"))
    lake.close()
    connection = sqlite3.connect(tmp_path / "history" / "catalog.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_an_unreachable_catalog_is_a_storage_error_without_its_password(tmp_path: Path) -> None:
    lake = Lake(Settings(data_dir=tmp_path, lake_catalog=f"dbname=x host={tmp_path} password=hunter2"))
    with pytest.raises(StorageError) as caught:
        count(lake, "messages")
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_missing_extension_package_is_named() -> None:
    with pytest.raises(ConfigurationError, match="duckdb-extension-no-such"):
        extensions.find_extension("no_such")


def test_a_lock_that_is_not_free_in_time_is_a_storage_error(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with lock.hold(0), pytest.raises(StorageError), lock.hold(0):
        pytest.fail("held twice")
    with lock.hold(0):
        pass


def test_the_writers_lock_of_one_catalog_is_shared(lake: Lake) -> None:
    lake.write(tag("creates the folder"))
    with lake._location.lock().hold(1), pytest.raises(StorageError), lake._location.lock().hold(0.01):
        pytest.fail("held twice")


def test_object_storage_credentials_become_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    location = Location.of(Settings(data_dir=tmp_path, lake_files="s3://bucket/history"))
    assert location.files == "s3://bucket/history/"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key'quoted")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://localhost:9000/")
    with closing(Instance()) as instance:
        extensions.load_extensions(instance, "httpfs")
        _use_credentials(instance)
        with instance.cursor() as cursor:
            (secret,) = cursor.execute("SELECT secret_string FROM duckdb_secrets()").fetchone()
    assert "key'quoted" in secret
    assert "localhost:9000" in secret
    assert "use_ssl=false" in secret
