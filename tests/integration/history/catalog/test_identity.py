"""The lake's identity: no catalog but the installation's own is read, written or made, and it is said why."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from core.config import Settings
from core.errors import StorageError
from core.history.catalog import catalog as catalog_module
from core.history.lake import connection as lake_module
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance
from core.services.upkeep.lake_register import StoredLakeRegister
from core.state.engine.store import State
from tests.support.stores.messages import NOW

ROWS = 50


@pytest.fixture
def installed(lake_settings: Settings, state: State) -> Iterator[Lake]:
    """Return the lake of an installation, with more rows than its catalog keeps itself."""
    lake = Lake(lake_settings, StoredLakeRegister(state))
    fill(lake)
    yield lake
    lake.close()


def fill(lake: Lake) -> None:
    lake.write(lambda cursor: cursor.execute(
        f"INSERT INTO lake.appended_batches SELECT i::VARCHAR, '', 0, TIMESTAMP '2026-01-01' FROM range({ROWS}) t(i)"
    ))  # fmt: skip


def count(lake: Lake) -> int:
    with lake.read() as cursor:
        return cursor.execute("SELECT count(*) FROM lake.appended_batches").fetchone()[0]


def parquet_files(settings: Settings) -> set[Path]:
    return set((settings.data_dir / "history" / "files").rglob("*.parquet"))


def catalog_file(settings: Settings) -> Path:
    return settings.data_dir / "history" / "catalog.sqlite"


def lose(settings: Settings) -> None:
    """Take the catalog away, as somebody might who takes it for a cache."""
    if settings.lake_catalog:
        with psycopg.connect(settings.lake_catalog) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return
    for path in catalog_file(settings).parent.glob("catalog.sqlite*"):
        path.unlink()


def test_a_lost_catalog_is_said_and_no_other_one_made(installed: Lake, lake_settings: Settings, state: State) -> None:
    files = parquet_files(lake_settings)
    assert files
    installed.close()
    lose(lake_settings)
    again = Lake(lake_settings, StoredLakeRegister(state))
    calls: list[Callable[[], object]] = [
        again.ping,
        lambda: fill(again),
        lambda: Maintenance(again).find_orphans(NOW),
        lambda: Maintenance(again).alone().__enter__(),
    ]
    for call in calls:
        with pytest.raises(StorageError, match=r"missing or empty") as caught:
            call()
        assert "history recover" in caught.value.hint
    assert parquet_files(lake_settings) == files
    assert not catalog_file(lake_settings).exists()


def test_a_catalog_lost_while_it_is_used_is_said_and_the_right_one_taken_up_again(tmp_path: Path, state: State) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    lake = Lake(settings, StoredLakeRegister(state))
    fill(lake)
    lake.close()
    shutil.copy(catalog_file(settings), tmp_path / "copy")
    assert count(lake) == ROWS
    lose(settings)
    for _ in range(2):
        with pytest.raises(StorageError, match="missing or empty"):
            lake.ping()
        with pytest.raises(StorageError, match="missing or empty"):
            fill(lake)
    shutil.copy(tmp_path / "copy", catalog_file(settings))
    assert count(lake) == ROWS
    lake.close()


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _overwrite_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(path.stat().st_size // 3))


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_other_database(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(os.urandom(50_000)), "damaged"),
        (lambda path: path.write_bytes(b""), "missing or empty"),
        (lambda path: path.write_bytes(b"SQLite"), "damaged"),
        (_truncate, "damaged"),
        (_overwrite_the_middle, "damaged"),
        (_make_folder, "cannot be opened"),
        (_make_other_database, "is not the catalog of this installation's"),
    ],
    ids=["random bytes", "empty", "a few bytes", "truncated", "middle", "folder", "other database"],
)
@pytest.mark.parametrize("running", [False, True], ids=["at start", "while it runs"])
def test_a_damaged_catalog_is_a_sentence_with_its_name(
    tmp_path: Path, state: State, damage: Callable[[Path], object], said: str, running: bool
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    lake = Lake(settings, StoredLakeRegister(state))
    fill(lake)
    lake.close()
    path = catalog_file(settings)
    shutil.copy(path, tmp_path / "copy")
    if running:
        lake.ping()
    damage(path)
    files = parquet_files(settings)
    for call in (lake.ping, lambda: fill(lake), lambda: Maintenance(lake).survey()):
        with pytest.raises(StorageError, match=said) as caught:
            call()
        assert str(path) in caught.value.message
        assert caught.value.hint
    assert parquet_files(settings) == files
    # It recovers by itself when the right one is back.
    for left in path.parent.glob("catalog.sqlite*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.copy(tmp_path / "copy", path)
    assert count(lake) == ROWS
    lake.close()


def test_a_catalog_that_may_not_be_read_is_a_sentence(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    Lake(settings, StoredLakeRegister(state)).ping()
    # Root may read everything, and the tests may run as root.
    monkeypatch.setattr(catalog_module.os, "access", lambda *_: False)
    with pytest.raises(StorageError, match="cannot be opened: permission denied"):
        Lake(settings, StoredLakeRegister(state)).ping()


def test_a_catalog_overwritten_in_its_place_is_noticed_by_who_has_it_open(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_module, "LOOK_S", 0)
    mine, other = (Settings(data_dir=tmp_path / name) for name in ("mine", "other"))
    Lake(other).ping()
    lake = Lake(mine, StoredLakeRegister(state))
    fill(lake)
    lake.ping()
    content = catalog_file(mine).read_bytes()
    catalog_file(mine).write_bytes(catalog_file(other).read_bytes())
    with pytest.raises(StorageError, match="catalog"):
        lake.ping()
    catalog_file(mine).write_bytes(content)
    lake.ping()
    assert count(lake) == ROWS
    lake.close()


def test_asking_for_health_again_and_again_looks_seldom(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(Settings(data_dir=tmp_path), StoredLakeRegister(state))
    lake.ping()
    looks: list[bool] = []
    monkeypatch.setattr(lake._identity, "check", lambda: looks.append(True))
    for _ in range(20):
        lake.ping()
    assert len(looks) <= 1
    lake.close()


def test_a_catalog_that_may_not_be_written_is_said_though_it_can_be_read(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(Settings(data_dir=tmp_path), StoredLakeRegister(state))
    lake.ping()
    monkeypatch.setattr(catalog_module.os, "access", lambda _path, mode: mode != os.W_OK)
    with pytest.raises(StorageError, match="cannot be written"):
        lake.ping()
    assert count(lake) == 0
    lake.close()


def test_another_installations_catalog_is_refused_and_stays_as_it_is(
    installed: Lake, lake_settings: Settings, tmp_path: Path
) -> None:
    installed.close()
    other = State(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.migrate()
    # Neither by an installation that knows no lake yet, nor by one that has its own.
    for said in ("the state store knows of no message history", "is not the catalog of this installation's"):
        with pytest.raises(StorageError, match=said):
            Lake(lake_settings, StoredLakeRegister(other)).ping()
        Lake(replace(lake_settings, data_dir=tmp_path / "own", lake_catalog=""), StoredLakeRegister(other)).ping()
    other.close()
    assert count(installed) == ROWS


def test_files_without_a_catalog_are_not_taken_for_a_new_installation(lake_settings: Settings, state: State) -> None:
    lake = Lake(lake_settings)
    fill(lake)
    lake.close()
    lose(lake_settings)
    files = parquet_files(lake_settings)
    with pytest.raises(StorageError, match="missing or empty"):
        Lake(lake_settings, StoredLakeRegister(state)).ping()
    assert parquet_files(lake_settings) == files


def test_a_lake_of_before_is_adopted_and_known_from_then_on(lake_settings: Settings, state: State) -> None:
    before = Lake(lake_settings)
    fill(before)
    before._identity.catalog.write_identity("nobody's")
    before.close()
    forget_identity(lake_settings)
    upgraded = Lake(lake_settings, StoredLakeRegister(state))
    assert count(upgraded) == ROWS
    upgraded.close()
    assert StoredLakeRegister(state).find() == upgraded._identity.catalog.find_identity() != ""
    assert StoredLakeRegister(state).find_begun() == ""


def forget_identity(settings: Settings) -> None:
    sql = "DELETE FROM ducklake_metadata WHERE key LIKE 'heliograph%'"
    if settings.lake_catalog:
        with psycopg.connect(settings.lake_catalog) as connection:
            connection.execute(sql)
        return
    connection = sqlite3.connect(catalog_file(settings))
    with connection:
        connection.execute(sql)
    connection.close()


class Dying(StoredLakeRegister):
    """Is killed before it can note that the lake is there."""

    def finish(self, lake_id: str) -> None:
        raise KeyboardInterrupt


def test_a_first_start_that_is_killed_is_finished_by_the_next(lake_settings: Settings, state: State) -> None:
    with pytest.raises(KeyboardInterrupt):
        Lake(lake_settings, Dying(state)).ping()
    begun = StoredLakeRegister(state).find_begun()
    assert begun
    lake = Lake(lake_settings, StoredLakeRegister(state))
    fill(lake)
    lake.close()
    assert StoredLakeRegister(state).find() == lake._identity.catalog.find_identity() == begun


def test_a_catalog_of_before_the_identity_needs_a_word_once_the_installation_has_one(
    installed: Lake, lake_settings: Settings, state: State
) -> None:
    installed.close()
    forget_identity(lake_settings)
    lake = Lake(lake_settings, StoredLakeRegister(state))
    with pytest.raises(StorageError, match="is not the catalog") as caught:
        lake.ping()
    assert "history adopt" in caught.value.hint
    lake.adopt()
    assert count(lake) == ROWS
    lake.close()


def test_nothing_can_be_adopted_where_there_is_nothing(lake_settings: Settings, state: State) -> None:
    with pytest.raises(StorageError, match="missing or empty"):
        Lake(lake_settings, StoredLakeRegister(state)).adopt()
    assert StoredLakeRegister(state).find() == ""


def test_looking_at_the_catalog_takes_no_lock_from_those_who_read_the_lake(tmp_path: Path, state: State) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    lake = Lake(settings, StoredLakeRegister(state))
    fill(lake)
    before = count(lake)
    given = json.dumps({"data_dir": str(settings.data_dir)})
    with lake.read() as cursor:
        cursor.execute("SELECT count(*) FROM lake.appended_batches").fetchall()
        lake.adopt()
        # Whoever closes the catalog as the last one deletes what SQLite keeps beside it.
        writer = [sys.executable, "-m", "tests.integration.history.lake.lake_writer", given, "theirs", "1", "3"]
        subprocess.run(writer, check=True, capture_output=True)
        assert (settings.data_dir / "history" / "catalog.sqlite-wal").exists()
    assert count(lake) == before + 1
    lake.close()
