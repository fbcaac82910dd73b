"""A fresh lake for every test, once with its catalog in SQLite and once in PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance
from tests.support.stores.lake_templates import LakeTemplates
from tests.support.stores.postgres import NewDatabase, copy_database
from tests.support.stores.prepared_lakes import prepare
from tests.support.stores.small_files import append_batches


@pytest.fixture(scope="session")
def new_lake_database(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Give a function that creates a database in which nobody has to make a lake's tables."""
    template = new_database()
    prepare(template, tmp_path_factory.mktemp("prepared"))
    return lambda: new_database(template)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    catalog = request.getfixturevalue("new_lake_database")() if request.param == "postgres" else ""
    return Settings(data_dir=tmp_path / "data", lake_catalog=catalog, duckdb_memory_mib=512)


@pytest.fixture
def lake(lake_settings: Settings) -> Iterator[Lake]:
    lake = Lake(lake_settings)
    yield lake
    lake.close()


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LakeTemplates:
    def new_database() -> str:
        # Asked for when it is needed: where there is no PostgreSQL, tests on SQLite go on.
        return str(request.getfixturevalue("new_lake_database")())

    return LakeTemplates(tmp_path_factory.mktemp("templates"), new_database)


@pytest.fixture
def maintenance(lake: Lake) -> Maintenance:
    return Maintenance(lake)


@pytest.fixture
def wear(templates: LakeTemplates, lake_settings: Settings) -> Callable[..., None]:
    """Return what stands for `append_batches` where it comes first."""

    def copy(count: int, *, receipts: bool = True) -> None:
        name = f"{count}-worn" if receipts else f"{count}-appended"
        templates.copy(name, lambda lake: append_batches(lake, count, receipts=receipts), lake_settings)

    return copy


@pytest.fixture
def keep_catalog(request: pytest.FixtureRequest, lake_settings: Settings) -> Callable[[], Callable[[], None]]:
    """Return what copies the catalog, which nobody has open, and returns what puts that in its place."""
    file = lake_settings.data_dir / "history" / "catalog.sqlite"
    copy = file.with_name("copy")

    def put_back() -> None:
        for ending in ("-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        Path(shutil.copy(copy, file.with_name("copied"))).replace(file)

    def keep() -> Callable[[], None]:
        if lake_settings.lake_catalog:
            kept = request.getfixturevalue("new_database")(lake_settings.lake_catalog)
            return lambda: copy_database(kept, lake_settings.lake_catalog)
        shutil.copy(file, copy)
        return put_back

    return keep
