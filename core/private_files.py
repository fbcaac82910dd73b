"""Whatever Heliograph writes is its own: nobody else on the machine reads it."""

import os
from contextlib import suppress
from pathlib import Path

from core.errors import ConfigurationError

_OTHERS = 0o077
FOLDER, FILE = 0o700, 0o600


def keep_private(data_dir: Path) -> None:
    """
    Let this process create nothing that others can read, and close *data_dir* to them, with what lies in it already.

    Every entry point calls it before anything is written: DuckDB and SQLite create files of their own, which take no
    mode. Raises: ConfigurationError: the folder is somebody else's.
    """
    os.umask(_OTHERS)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _close_all(data_dir)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {data_dir} cannot be made private: {error.strerror}.",
            hint="It has to belong to the user that Heliograph runs as.",
        ) from error


def _close_all(data_dir: Path) -> None:
    if data_dir.stat().st_mode & _OTHERS:
        # From a version that left it open, or made by hand. Once it is closed, nothing below needs to be looked at.
        for folder, _, names in os.walk(data_dir, topdown=False):
            for name in names:
                _close(Path(folder, name), FILE)
            _close(Path(folder), FOLDER)


def _close(path: Path, mode: int) -> None:
    # A link leads to what is somebody else's; a file may have gone since it was listed.
    if not path.is_symlink():
        with suppress(FileNotFoundError):
            path.chmod(mode)
