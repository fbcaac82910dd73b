"""
Where DuckDB puts what does not fit into memory: a folder for each instance, and nobody else's.

DuckDB names its temporary files alike in every process and takes no lock on them. Of two instances with one folder each
writes over what the other has put there, and reads it as its own: rows come out wrong, or the process ends. And what a
killed process leaves behind, rows of people, nobody would delete.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from core.doorways import try_lock

# Held for as long as the instance lives: a folder without it is a dead one's.
_LOCK = "lock"


class Spill:
    """A folder of one's own below *parent*; those of the dead are removed by the way."""

    def __init__(self, parent: Path) -> None:
        """Create it. Raises: OSError: no room, or no permission."""
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_left(parent)
        held = None
        while held is None:
            self.folder = parent / uuid4().hex
            held = _take(self.folder)
        self._held = held

    def remove(self) -> None:
        """Remove the folder with all that is in it; DuckDB does not use it any more. Harmless when it is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def _take(folder: Path) -> int | None:
    """Create *folder* and lock it; None when somebody took it for a dead one's in between."""
    folder.mkdir(mode=0o700)
    path = folder / _LOCK
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    # Without such locks nobody else can tell either, and leaves it alone.
    with suppress(OSError):
        if not try_lock(held) or not _is_same(held, path):
            os.close(held)
            return None
    return held


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_left(parent: Path) -> None:
    # Of earlier versions, which had one folder for all.
    for path in parent.glob("duckdb_temp_*"):
        path.unlink(missing_ok=True)
    for folder in parent.iterdir():
        if folder.is_dir():
            _remove_dead(folder)


def _remove_dead(folder: Path) -> None:
    """Remove *folder* if nobody holds its lock, and hold it until it is gone: somebody may just be creating it."""
    with suppress(OSError):
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if try_lock(descriptor):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
