"""Lakes that several tests begin with: lived through once, and copied for each of them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import Settings
from core.history.lake.connection import Lake
from tests.support.stores.postgres import copy_database


@dataclass(frozen=True)
class LakeTemplates:
    """Keeps them in *folder*; *new_database* is asked for those with a catalog in PostgreSQL."""

    folder: Path
    new_database: Callable[[], str]

    def copy(self, name: str, live: Callable[[Lake], object], settings: Settings) -> None:
        """
        Let the lake of *settings*, which nobody has opened, be one that *live* was called with.

        What has one *name* is the same: the first who asks waits for it. It may be minutes old then, and is
        an installation's only once that adopts it.
        """
        kept = self.folder / f"{name}-{'postgres' if settings.lake_catalog else 'sqlite'}"
        catalog = kept / "catalog"
        if not catalog.exists():
            dsn = self.new_database() if settings.lake_catalog else ""
            lake = Lake(replace(settings, data_dir=kept, lake_catalog=dsn))
            live(lake)
            lake.close()
            catalog.write_text(dsn)
        shutil.copytree(kept / "history", settings.data_dir / "history")
        if settings.lake_catalog:
            copy_database(catalog.read_text(), settings.lake_catalog)
