"""DuckDB's extensions, loaded from the installed Python packages: nothing is ever downloaded."""

from importlib import resources
from pathlib import Path

import duckdb

from core.errors import ConfigurationError
from core.history.engine.door import Instance


def find_extension(name: str) -> Path:
    """
    Return the signed extension file of the package `duckdb-extension-<name>`.

    An extension loads only into the DuckDB it was built for, so requirements.txt, which pins all of
    them together, is the one place that knows the version.

    Raises: ConfigurationError: the package is missing or of another DuckDB version.
    """
    package = f"duckdb_extension_{name}"
    try:
        folder = resources.files(package)
    except ModuleNotFoundError as error:
        raise _missing(name) from error
    file = Path(str(folder)) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.is_file():
        raise _missing(name)
    return file


def load_extensions(instance: Instance, *names: str) -> None:
    """
    Load extensions into the DuckDB instance of *instance*.

    Raises: ConfigurationError: see `find_extension`.
    """
    for name in names:
        path = str(find_extension(name)).replace("'", "''")
        instance.set_up(f"LOAD '{path}'")


def _missing(name: str) -> ConfigurationError:
    package = f"duckdb-extension-{name.replace('_', '-')}"
    return ConfigurationError(
        f"The Python package {package} for DuckDB {duckdb.__version__} is not installed.",
        hint="Install requirements.txt again.",
    )
