"""A full disk is no damaged catalog: nobody is told to put a copy in its place, or to rebuild it."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from core.config import Settings
from core.errors import StorageError
from core.history.catalog.catalog import SqliteCatalog, UnusableCatalog
from core.history.engine.door import Instance
from core.history.lake.connection import Lake
from core.services.upkeep.lake_register import StoredLakeRegister
from core.state.engine.store import State
from tests.support.stores.small_disk import SmallDisk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_mib=48) as mounted:
        yield mounted


def make_catalog(settings: Settings, state: State) -> SqliteCatalog:
    """Return the catalog of a lake that nobody has open."""
    lake = Lake(settings, StoredLakeRegister(state))
    lake.ping()
    lake.close()
    return SqliteCatalog(settings.data_dir / "history" / "catalog.sqlite")


def test_it_cannot_say_whose_it_is_on_a_full_disk(disk: SmallDisk, state: State):
    catalog = make_catalog(Settings(data_dir=disk.path / "data"), state)
    before = catalog.find_identity()
    disk.fill()
    with pytest.raises(StorageError, match="full") as caught:
        catalog.write_identity("another")
    assert not isinstance(caught.value, UnusableCatalog)
    assert "recover" not in caught.value.hint
    disk.free()
    assert catalog.find_identity() == before
    catalog.write_identity("another")
    assert catalog.find_identity() == "another"


def test_a_disk_that_does_not_answer_is_said_as_what_it_is(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
):
    catalog = make_catalog(Settings(data_dir=tmp_path / "data"), state)

    def broken(*_: object) -> None:
        raise duckdb.IOException('IO Error: Failed to prepare query "PRAGMA quick_check": disk I/O error')

    monkeypatch.setattr(Instance, "set_up", broken)
    # A disk that is broken for good is a reason to rebuild the catalog on another one.
    with pytest.raises(UnusableCatalog, match="cannot be read or written: disk I/O error") as caught:
        catalog.find_identity()
    assert "damaged" not in caught.value.message
    assert caught.value.hint.startswith("Make room on its disk if that is full")
