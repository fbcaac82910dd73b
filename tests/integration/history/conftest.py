"""A fresh lake for every test, once with its catalog in SQLite and once in PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import Settings
from core.history.lake.connection import Lake


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    catalog = request.getfixturevalue("new_database")() if request.param == "postgres" else ""
    return Settings(data_dir=tmp_path / "data", lake_catalog=catalog, duckdb_memory_mib=512)


@pytest.fixture
def lake(lake_settings: Settings) -> Iterator[Lake]:
    lake = Lake(lake_settings)
    yield lake
    lake.close()
