"""What the tests' shortcuts must not change about a new lake."""

from datetime import UTC, datetime
from pathlib import Path

from core.config import Settings
from core.history.lake.connection import Lake


def test_a_new_lake_is_as_young_as_it_looks(tmp_path: Path):
    for name in ("first", "second"):
        began = datetime.now(UTC).replace(tzinfo=None)
        lake = Lake(Settings(data_dir=tmp_path / name))
        # What the lake has been through, its migrations, happened after it began.
        with lake.read() as cursor:
            times = cursor.execute("SELECT snapshot_time AT TIME ZONE 'UTC' FROM ducklake_snapshots('lake')").fetchall()
        lake.close()
        assert times
        assert all(began <= time for (time,) in times)
